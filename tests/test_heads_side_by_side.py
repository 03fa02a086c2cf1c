"""Heads that are trained side by side are those that a Trainer of its own makes of each."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from lsemvae.cli import main
from lsemvae.crossval.folds import read_finished
from tests.conftest import error_of

EPOCHS, LR = 12, "3e-2"
PARTS = [f"fold_{fold}{inner}" for fold in range(3) for inner in ("", "/inner")]


@pytest.fixture(scope="module")
def runs(
    cohort: Path, encoder: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Path]:
    """Cross-validate side by side and one by one; return the folders of the folds."""
    folders = []
    for value in ("true", "false"):
        out = tmp_path_factory.mktemp(f"side_by_side_{value}")
        assert main(
            ["cv", "--cohort", str(cohort), "--encoder", str(encoder), "--folds", "3", "--epochs",
             str(EPOCHS), "--batch_size", "11", "--lr", LR, "--seed", "4", "--out", str(out),
             "--side_by_side", value]
        ) == 0  # fmt: skip
        folders.append(out / "detection/ls_emvae/12L")
    return folders[0], folders[1]


@pytest.mark.parametrize("part", PARTS)
def test_predictions_and_weights_differ_by_rounding_alone(
    runs: tuple[Path, Path], part: str
) -> None:
    found, expected = (pd.read_csv(run / part / "predictions.csv") for run in runs)
    pd.testing.assert_frame_equal(found, expected, rtol=0, atol=1e-5)
    found, expected = (torch.load(run / part / "last.ckpt", weights_only=True) for run in runs)
    assert found.keys() == expected.keys()
    for name in ("epoch", "global_step", "encoder_sha256", "made_for"):
        assert found[name] == expected[name], name
    for name, value in expected["state_dict"].items():
        torch.testing.assert_close(found["state_dict"][name], value, rtol=0, atol=1e-5)


@pytest.mark.parametrize("part", PARTS)
def test_logs_are_those_of_a_trainer(runs: tuple[Path, Path], part: str) -> None:
    logs = [pd.read_csv(run / part / "metrics.csv") for run in runs]
    tested = [log.dropna(subset=["test/loss"]).filter(regex="test/|step") for log in logs]
    pd.testing.assert_frame_equal(*(one.reset_index(drop=True) for one in tested), atol=1e-5)
    found, expected = (
        log[log["test/loss"].isna()].groupby("step").max().filter(regex="epoch|train/|val/")
        for log in logs
    )  # fmt: skip
    assert len(expected) == EPOCHS
    pd.testing.assert_frame_equal(found, expected, rtol=0, atol=1e-5, check_dtype=False)
    assert read_finished(runs[0] / part).keys() == read_finished(runs[1] / part).keys()


def test_parts_differ_in_their_number_of_steps(runs: tuple[Path, Path]) -> None:
    """Else one order for all of them would pass the tests above."""
    steps = {pd.read_csv(runs[1] / part / "metrics.csv")["step"].max() for part in PARTS}
    assert len(steps) > 1
    assert np.ptp(sorted(steps)) >= EPOCHS


def test_the_heads_have_learnt_something_to_differ_in(runs: tuple[Path, Path]) -> None:
    probability = pd.concat(
        [pd.read_csv(runs[1] / part / "predictions.csv")["probability"] for part in PARTS]
    )
    assert probability.std() > 0.01  # a thousand times what is allowed to differ


def test_a_part_that_is_missing_is_trained_as_among_all(
    runs: tuple[Path, Path], cohort: Path, encoder: Path
) -> None:
    folder = runs[0]
    kept = pd.read_csv(folder / "fold_1/inner/predictions.csv")
    (folder / "fold_1/inner/finished.json").unlink()
    assert main(
        ["cv", "--cohort", str(cohort), "--encoder", str(encoder), "--folds", "3", "--epochs",
         str(EPOCHS), "--batch_size", "11", "--lr", LR, "--seed", "4", "--out",
         str(folder.parents[2])]
    ) == 0  # fmt: skip
    again = pd.read_csv(folder / "fold_1/inner/predictions.csv")
    pd.testing.assert_frame_equal(again, kept, rtol=0, atol=1e-5)


def test_repeats_have_folds_of_their_own_and_the_report_tells_their_spread(
    cohort: Path, encoder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "cv"
    words = ["cv", "--cohort", str(cohort), "--encoder", str(encoder), "--folds", "2",
             "--epochs", "2", "--out", str(out)]  # fmt: skip
    assert main([*words, "--seeds", "3"]) == 0
    folder = out / "detection/ls_emvae/12L"
    table = pd.read_csv(folder / "repeats.csv")
    assert table["seed"].tolist() == [0, 1000, 2000]
    metrics = json.loads((folder / "metrics.json").read_text())
    assert table["auroc"][0] == metrics["pooled"]["auroc"]
    again = out / ".repeats/seed_1000/detection"
    assert table["auroc"][1] == json.loads(
        (again / "ls_emvae/12L/metrics.json").read_text()
    )["pooled"]["auroc"]  # fmt: skip
    splits = [json.loads((one / "splits.json").read_text()) for one in (folder.parents[1], again)]
    assert splits[0] != splits[1]
    assert len(list(out.rglob("features/*.npy"))) == 2  # features and uncertainty, computed once
    line = f"pooled auroc {table['auroc'].mean():.3f} ± {table['auroc'].std():.3f} (SD)"
    assert line in capsys.readouterr().out
    report = ["report", str(out), "--cohort", str(cohort), "--n_resamples", "100"]
    assert main([*report, "--out", str(tmp_path / "page")]) == 0
    assert line in (tmp_path / "page/index.html").read_text()
    (folder / "repeats.csv").write_text(table.assign(auroc=0.99).to_csv(index=False))
    assert main([*report, "--out", str(tmp_path / "other")]) == 2
    assert "repeats.csv is of another run (auroc)" in error_of(capsys)
    assert main([*words, "--seeds", "1"]) == 2
    assert "seeds must be >= 2" in error_of(capsys)
