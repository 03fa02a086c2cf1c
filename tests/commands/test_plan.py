"""`lsemvae plan`."""

from pathlib import Path

import pandas as pd
import pytest

from lsemvae.cli import main
from tests.conftest import error_of

EXPECTED = ["plan", "--prevalence", "0.3", "--auroc", "0.8"]


def test_table_and_picture_are_written(tmp_path: Path) -> None:
    out = tmp_path / "plan"
    assert main([*EXPECTED, "--n_patients", "900", "--out", str(out)]) == 0
    table = pd.read_csv(f"{out}.csv")
    assert list(table) == ["aim", "wanted", "patients", "positives", "with 900 patients", "source"]
    assert table["aim"][0] == "AUROC 0.80"
    assert table["positives"][0] == -(-table["patients"].astype(int)[0] * 3 // 10)
    assert (tmp_path / "plan.png").stat().st_size > 10_000
    assert "no formula says how many" in (tmp_path / "plan.md").read_text()


def test_study_that_is_too_small_is_called_so(tmp_path: Path) -> None:
    out = tmp_path / "plan"
    wanted = ["--n_patients", "100", "--n_parameters", "[40]", "--out", f"{out}.png"]
    assert main([*EXPECTED, *wanted]) == 0
    assert len(list(tmp_path.iterdir())) == 4
    table = pd.read_csv(f"{out}.csv", keep_default_na=False).set_index("aim")["with 100 patients"]
    assert table["develop, 40 parameters: shrinkage"] == "too few"
    assert table["develop, 40 parameters: mean error of risks"] == ""


def test_every_impossible_wish_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wishes = ["--sensitivity", "1", "--slope_half_width", "0", "--out", str(tmp_path / "plan")]
    assert main([*EXPECTED, *wishes]) == 2
    message = error_of(capsys)
    assert "sensitivity must be above 0 and below 1" in message
    assert "slope_half_width" in message
