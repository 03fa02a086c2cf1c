import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from lsemvae.core.errors import InputError
from lsemvae.evaluation.report.blocks import Picture, Table, Text
from lsemvae.evaluation.report.stress import has_stress, stress_section
from lsemvae.evaluation.runs import CvRun

SOURCES = {"cohort_sha256": "a", "splits_sha256": "b", "encoder_sha256": None}
ROW = {"shift": "axis turned", "dose": 30.0, "unit": "degrees", "auroc": 0.7, "auroc_low": 0.6,
       "auroc_high": 0.8, "slope": None, "slope_low": None, "slope_high": None, "withheld": 0.1,
       "mean_absolute_change": 0.05}  # fmt: skip
FOUND: dict[str, Any] = {
    "format": "lsemvae-stress", "sources": SOURCES, "data": "simulated", "synthetic": True,
    "task": "detection", "method": "ls_emvae", "n_recordings": 50, "trained_on": False,
    "not_possible": {"heart rate higher": "median beats"}, "rows": [ROW],
}  # fmt: skip


def evidence(folder: Path, found: object) -> Any:
    (folder / "stress").mkdir()
    (folder / "stress/stress.json").write_text(json.dumps(found))
    (folder / "stress/stress.svg").write_text("<?xml version='1.0'?><svg/>")
    (folder / "predictions.csv").write_text("record\n")
    metrics = SOURCES | {"task": "detection", "method": "ls_emvae", "leads": ["I", "II"]}
    run = CvRun(folder, metrics, pd.DataFrame())
    return SimpleNamespace(runs=[SimpleNamespace(run=run, key="detection/ls_emvae/12L")])


def test_table_figure_and_what_was_not_tried_are_shown(tmp_path: Path) -> None:
    given = evidence(tmp_path, FOUND)
    assert has_stress(given)
    section = stress_section(given)
    table = next(block for block in section.blocks if isinstance(block, Table))
    assert table.rows == [
        ["axis turned, 30 degrees", "0.700 [0.600, 0.800]", "not available", "10.0 %", "0.050"]
    ]
    assert "SYNTHETIC" in table.caption
    picture = next(block for block in section.blocks if isinstance(block, Picture))
    assert picture.name == "stress_detection_ls_emvae_12L"
    texts = [block for block in section.blocks if isinstance(block, Text)]
    assert "heart rate higher: median beats" in texts[-1].text
    assert not any(text.kind == "warning" for text in texts)


def test_a_table_on_the_training_is_a_warning(tmp_path: Path) -> None:
    found = FOUND | {"trained_on": True, "caution": "The label here is AF = 1"}
    section = stress_section(evidence(tmp_path, found))
    warnings = [
        one.text for one in section.blocks if isinstance(one, Text) and one.kind == "warning"
    ]
    assert [text.split()[1] for text in warnings] == ["model", "label"]


def test_shifts_of_a_model_that_guesses_are_said_to_mean_nothing(tmp_path: Path) -> None:
    guess = ROW | {"auroc": 0.52, "auroc_low": 0.4}
    section = stress_section(evidence(tmp_path, FOUND | {"rows": [guess, ROW]}))
    (warning,) = [one for one in section.blocks if isinstance(one, Text) and one.kind == "warning"]
    assert warning.text == (
        "The model cannot be told from chance (AUROC 0.520 [0.400, 0.800]). What moves a guess "
        "means nothing."
    )


def test_files_of_another_run_or_program_are_refused(tmp_path: Path) -> None:
    for number, (found, line) in enumerate((
        (FOUND | {"sources": SOURCES | {"cohort_sha256": "c"}}, "another run"),
        (FOUND | {"leads": ["I"]}, "another run .leads differ"),
        (FOUND | {"method": "mvae"}, "another run .method differ"),
        (FOUND | {"sources": SOURCES | {"predictions_sha256": "0"}}, "run .predictions differ"),
        ({"format": "other"}, "none of `lsemvae stress`"),
    )):  # fmt: skip
        folder = tmp_path / str(number)
        folder.mkdir()
        with pytest.raises(InputError, match=line):
            stress_section(evidence(folder, found))
