"""The simulation of coverage tells an honest interval from one that is too narrow."""

from pathlib import Path
from typing import Any

import pytest

import benchmarks.coverage
from benchmarks.coverage import Setting, Study, coverage, estimates, main

SETTING = Setting(300, 1, 0.0)


@pytest.fixture(autouse=True)
def small_population(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let fewer records stand for the population; its AUROC moves by less than .003."""
    monkeypatch.setattr(benchmarks.coverage, "N_LARGE", 100_000)


def half_as_wide(study: Study, n_resamples: int) -> dict[str, Any]:
    return {
        name: one._replace(low=(one.value + one.low) / 2, high=(one.value + one.high) / 2)
        for name, one in estimates(study, n_resamples).items()
    }


@pytest.mark.slow
def test_honest_intervals_cover_and_narrow_ones_do_not() -> None:
    honest = coverage(SETTING, 60, 100)["auroc"]
    narrow = coverage(SETTING, 60, 100, make=half_as_wide)["auroc"]
    assert honest["coverage"] > 0.95 - 3 * 0.028
    assert narrow["coverage"] < 0.8  # of 1.96 / 2 standard errors: .67
    assert honest["standard_error"] < 0.06
    assert honest["mean_width"] == pytest.approx(2 * narrow["mean_width"], rel=1e-6)


@pytest.mark.slow
def test_the_table_says_that_it_is_synthetic(tmp_path: Path) -> None:
    main(["--studies", "1", "--resamples", "20", "--out", str(tmp_path / "coverage.json")])
    text = (tmp_path / "coverage.md").read_text()
    assert text.split("\n\n")[1].startswith("SYNTHETIC studies, 1 of each kind")
    assert text.count("| auroc |") == 1
