"""Counts of a study's flow: what is written is read, and nobody is lost on the way."""

import json
from pathlib import Path

import pytest

from data_modules.cohort.flow import read_flow, write_flow
from lsemvae.core.errors import InputError
from lsemvae.core.study_flow import Exclusion, Flow, FlowStep

FLOW = Flow(
    (
        FlowStep("recordings", "files found", "recordings", 10),
        FlowStep("recordings", "ECGs", "recordings", 8, (Exclusion("no ECG", 2),)),
        FlowStep("table", "rows of the table", "rows", 6),
        FlowStep("study", "linked", "rows", 5, (Exclusion("no ECG within 30 days", 1),), 5),
        FlowStep("study", "eligible", "rows", 3, (Exclusion("paced", 2, "paced: statement"),), 3),
    ),
    rules="exclude:\n  - paced: statement\n",
    table_sha256="ab",
    synthetic=True,
)


def test_a_flow_is_read_as_it_was_written(tmp_path: Path) -> None:
    write_flow(tmp_path / "flow.json", FLOW)
    assert read_flow(tmp_path / "flow.json") == FLOW


def test_a_step_that_loses_somebody_unseen_is_refused(tmp_path: Path) -> None:
    lost = FLOW._replace(steps=(*FLOW.steps[:-1], FLOW.steps[-1]._replace(n=2)))
    with pytest.raises(InputError, match=r"leaves 3 at 'eligible' and states 2"):
        write_flow(tmp_path / "flow.json", lost)


def test_another_units_step_need_not_add_up(tmp_path: Path) -> None:
    patients = FlowStep("study", "patients", "patients", 2)
    write_flow(tmp_path / "flow.json", FLOW._replace(steps=(*FLOW.steps, patients)))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"version": 9}, "states"),
        ({"extra": 1}, "has another one"),
        ({"steps": [{"arm": "study"}]}, "lacks a field"),
    ],
)
def test_a_changed_file_is_refused(tmp_path: Path, change: dict[str, object], said: str) -> None:
    file = tmp_path / "flow.json"
    write_flow(file, FLOW)
    file.write_text(json.dumps(json.loads(file.read_text()) | change))
    with pytest.raises(InputError, match=said):
        read_flow(file)
