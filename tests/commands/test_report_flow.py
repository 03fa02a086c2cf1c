"""A study's report: flow diagram, methods, and what the recorder's measurements alone tell."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from data_modules.cohort.flow import flow_of_store, write_flow
from data_modules.cohort.labels import task_labels
from data_modules.reading.reasons import REASONS
from data_modules.store.read import EcgStore
from lsemvae.cli import main
from lsemvae.core.study_flow import Exclusion, Flow, FlowStep
from lsemvae.core.tasks import Thresholds
from lsemvae.report_evidence.flow import study_flow
from tests.conftest import BEATS, error_of
from tests.report_runs import write_run

RULES = "exclude:\n  # wires in the heart\n  - reason: paced rhythm\n    paced: statement\n"
LINKING = {"window_days": 21, "when": "before", "ecgs": "one", "dates": "shift",
           "ids": {"blanks": True, "case": False, "check_digit": "none"}}  # fmt: skip


def flow_to(n: int) -> Flow:
    """Return a flow that leads to so many recordings."""
    paced = Exclusion("paced rhythm", 7, "{reason: paced rhythm, paced: statement}")
    return Flow(
        (
            FlowStep("recordings", "files of the source folder", "recordings", 913),
            FlowStep("table", "rows of the table", "rows", 311),
            FlowStep("study", "linked recordings", "rows", n + 7, (), n),
            FlowStep("study", "recordings in the store", "rows", n, (paced,)),
        ),
        rules=RULES,
        linking=LINKING,
    )


@pytest.fixture(scope="module")
def study(recordings: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a store and runs of one task, which the planted QRS axis decides."""
    folder = tmp_path_factory.mktemp("study")
    table = pd.read_csv(recordings / "cohort/cohort.csv")
    post, spread = table["pawp_mmhg"] > 15, np.linspace(0, 70, len(table))
    axis = np.where(post, 120.0, -50.0) + spread  # 120 to 190, -50 to 20 degrees
    table["machine_qrs_axis_deg"] = np.where(axis > 180, axis - 360, axis)
    table["machine_qrs_ms"] = 90 + spread.round()
    table.to_csv(folder / "table.csv", index=False)
    source = str(recordings / "cohort/records")
    assert main(["prepare", "cohort", "--table", str(folder / "table.csv"), "--source", source,
                 "--out", str(folder / "cohort.h5"), *BEATS]) == 0  # fmt: skip
    store = EcgStore(folder / "cohort.h5")
    label = task_labels(store.table, "phenotype", Thresholds())
    labelled = store.table[["record", "patient_id"]].assign(label=label)[label.notna()]
    write_run(folder / "runs", labelled, task="phenotype", cohort_sha256=store.sha256)
    return folder


@pytest.fixture(scope="module")
def page(study: Path) -> Path:
    """Return the folder of the report on a store that a study's flow leads to."""
    store = study / "cohort.h5"
    write_flow(flow_of_store(store), flow_to(len(EcgStore(store))))
    arguments = ["--cv", str(study / "runs"), "--cohort", str(store), "--out", str(study / "page")]
    assert main(["report", *arguments, "--n_resamples", "100"]) == 0
    return study / "page"


@pytest.fixture
def paper(page: Path) -> dict[str, Any]:
    sections = json.loads((page / "report.json").read_text())["sections"]
    assert list(sections)[-1] == "paper"
    found: dict[str, Any] = sections["paper"]
    return found


def test_a_studys_flow_is_drawn_and_told(study: Path, page: Path, paper: dict[str, Any]) -> None:
    table = EcgStore(study / "cohort.h5").table
    drawn = (page / "figures/flow.svg").read_text()
    told = paper["facts"]["methods"][0]
    n_labelled = int((table["mpap_mmhg"] > 20).sum())
    for count in ("913", "311", f"{len(table) + 7}", f"{len(table)}", f"{n_labelled}"):
        assert f"n = {count}" in drawn
    assert f"{len(table) - n_labelled} without a label of" in drawn
    for text in ("913 files of the source folder", "7 (paced rhythm)", "at most 21 days earlier",
                 "compared without blanks"):  # fmt: skip
        assert text in told
    assert paper["texts"][-1] == RULES
    assert RULES in (page / "index.html").read_text()


def test_methods_state_settings_and_versions_of_the_files(paper: dict[str, Any]) -> None:
    told = " ".join(paper["facts"]["methods"])
    for text in ("100 Hz", "from 0.5 Hz to 40 Hz", "median of the aligned beats", "3 folds",
                 "PAWP > 15 mmHg", "50 epochs", "e" * 64, "numpy 2; code abc",
                 "100 resamples"):  # fmt: skip
        assert text in told


def test_measurements_that_decide_are_a_row_to_beat(page: Path) -> None:
    results = json.loads((page / "report.json").read_text())["sections"]["results"]
    alone = results["facts"]["machine_baseline"]["phenotype"]["pooled"]["auroc_delong"]
    assert alone["value"] > 0.99
    rows = [row[0] for table in results["tables"] for row in table["rows"]]
    title = "logistic regression on age, sex, machine measurements"
    assert title in rows
    assert any(row.endswith(f"minus {title}") for row in rows)
    said = " ".join(results["texts"])
    assert "QRS axis; QRS duration; R/(R+S) in V1, measured from the signals" in said


def test_a_flow_to_another_number_of_recordings_is_not_used(cohort: Path, tmp_path: Path) -> None:
    store = EcgStore(shutil.copy(cohort, tmp_path / "cohort.h5"))
    write_flow(flow_of_store(tmp_path / "cohort.h5"), flow_to(5))
    flow, note = study_flow(store)
    assert "leads to 5 recordings" in note
    assert [step.n for step in flow.steps] == [len(store)] * 2


def test_a_file_that_is_no_flow_is_refused(
    study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(study / "cohort.h5", tmp_path / "cohort.h5")
    flow_of_store(tmp_path / "cohort.h5").write_text("{}")
    arguments = ["--cv", str(study / "runs"), "--cohort", str(tmp_path / "cohort.h5")]
    assert main(["report", *arguments, "--out", str(tmp_path / "out")]) == 2
    assert "flow.json" in error_of(capsys)


def test_without_a_study_the_flow_begins_with_what_was_listed(
    recordings: Path, tmp_path: Path
) -> None:
    table = pd.read_csv(recordings / "cohort/cohort.csv").head(3)
    table.loc[1, "record"] = "nowhere"
    table.to_csv(tmp_path / "table.csv", index=False)
    out, source = tmp_path / "cohort.h5", str(recordings / "cohort/records")
    assert main(["prepare", "cohort", "--table", str(tmp_path / "table.csv"), "--source", source,
                 "--out", str(out), *BEATS]) == 0  # fmt: skip
    for beside in (True, False):
        if not beside:
            (tmp_path / "cohort.h5.quarantine.csv").unlink()
        flow, note = study_flow(EcgStore(out))
        assert "is not there" in note
        assert flow.steps[0].text == "recordings listed"
        assert [step.n for step in flow.steps] == [3, 2]
        assert flow.steps[1].excluded == (Exclusion(REASONS["file_missing"], 1),)
