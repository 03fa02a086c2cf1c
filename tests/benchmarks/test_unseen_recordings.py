"""Pre-training on one half of the patients is measured on the other."""

import json
from pathlib import Path

import pandas as pd
import pytest

from benchmarks import unseen_recordings
from benchmarks.pretraining_worth import TASKS

DIFFERENCES = {"untrained": (0.03, -0.01), "random_convolutions": (0.01, 0.02)}


def test_halves_share_no_patient_and_hold_every_recording() -> None:
    table = pd.DataFrame({"patient_id": [1, 2, 1, 3, 4, 5, 6, 4], "record": list("abcdefgh")})
    first, second = unseen_recordings.halve(table)
    assert set(first["patient_id"]).isdisjoint(second["patient_id"])
    assert sorted([*first["record"], *second["record"]]) == list("abcdefgh")
    assert first["patient_id"].nunique() == second["patient_id"].nunique() == 3


def test_tables_hold_means_of_both_halves_and_ends_of_independent_ones(tmp_path: Path) -> None:
    for half in (0, 1):
        for name in ("unseen", "seen"):
            _write(tmp_path / f"{name}_{half}", half)
    page = unseen_recordings.markdown(tmp_path, [["worth", "--tasks", '["x"]']])
    # (.03 - .01) / 2 and, for ends .03 and .04 away, sqrt(.03² + .04²) / 2 = .025
    assert page.count("+0.010 [-0.015, +0.035]") == 4 * len(TASKS)
    assert page.count("| 0.800 " * (len(TASKS) + 1)) == 4 * 4  # and their mean
    assert "12L, 100 % of the labels: at least as good as both references on 7 of 7 tasks" in page
    assert "lsemvae worth --tasks '[\"x\"]'" in page


def test_an_encoder_that_saw_its_test_half_is_no_row_of_the_page(tmp_path: Path) -> None:
    for half in (0, 1):
        _write(tmp_path / f"unseen_{half}", half, seen=True)
    with pytest.raises(RuntimeError, match="saw the half that it is measured on"):
        unseen_recordings.markdown(tmp_path, [])


def _write(out: Path, half: int, *, seen: bool = False) -> None:
    """Write what `lsemvae worth` found on a half: AUROC .7 and .9, ends .03 and .04 away."""
    away = (0.03, 0.04)[half]
    rows = [
        {"row": row, "head": "linear", "fraction": share, "auroc": (0.7, 0.9)[half],
         "difference": gap[half], "difference_low": gap[half] - away,
         "difference_high": gap[half] + away}
        for share in (1.0, 0.1)
        for row, gap in {"pretrained": (0.0, 0.0), **DIFFERENCES}.items()
    ]  # fmt: skip
    found = {"rows": rows, "n_records": 9, "n_patients": 8, "encoder_saw_these_recordings": seen}
    for task in TASKS.values():
        for leads in ("12L", "6L"):
            folder = out / task / "worth" / leads
            folder.mkdir(parents=True)
            (folder / "references.json").write_text(json.dumps(found))
