"""What a cross-validation does about files that a crash, a disk or somebody has spoilt."""

import shutil
from pathlib import Path

import pandas as pd
import pytest
import torch

from lsemvae.cli import main
from tests.conftest import cv, error_of


@pytest.fixture(scope="module")
def finished(cohort: Path, encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the results of a short cross-validation."""
    out = tmp_path_factory.mktemp("cv")
    assert cv(cohort, encoder, out, "--folds", "2", "--inner", "false") == 0
    return out


@pytest.fixture
def results(finished: Path, tmp_path: Path) -> Path:
    """Return a copy of them that may be spoilt."""
    return Path(shutil.copytree(finished, tmp_path / "cv"))


RUN = "detection/ls_emvae/12L"


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def empty(file: Path) -> None:
    file.write_bytes(b"")


def another_threshold(file: Path) -> None:
    file.write_text(
        file.read_text().replace('"mpap_threshold_mmhg": 20', '"mpap_threshold_mmhg": 25')
    )


def no_keys(file: Path) -> None:
    file.write_text("{}")


def flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[-3] ^= 1
    file.write_bytes(content)


@pytest.mark.parametrize(
    ("name", "spoil", "said"),
    [
        ("fold_1/predictions.csv", Path.unlink, "is missing or changed; this part is run again"),
        ("fold_1/predictions.csv", cut, "is missing or changed; this part is run again"),
        ("fold_1/last.ckpt", Path.unlink, "is missing or changed; this part is run again"),
        ("fold_1/finished.json", empty, "finished.json is empty; this part is run again"),
        ("fold_1/finished.json", cut, "is cut or damaged"),
        ("fold_1/finished.json", another_threshold, "is not as it was written"),
        ("fold_1/finished.json", no_keys, "is changed or damaged (it lacks 'method')"),
    ],
)
def test_fold_with_a_spoilt_file_is_run_again(
    results: Path, cohort: Path, encoder: Path, capsys: pytest.CaptureFixture[str], name: str,
    spoil: object, said: str,
) -> None:  # fmt: skip
    expected = pd.read_csv(results / RUN / "predictions.csv")
    spoil(results / RUN / name)  # type: ignore[operator]
    assert cv(cohort, encoder, results, "--folds", "2", "--inner", "false") == 0
    printed = capsys.readouterr().out
    assert said in printed
    assert "fold 1: " in printed
    assert "fold 0: " not in printed  # it stays as it is
    pd.testing.assert_frame_equal(pd.read_csv(results / RUN / "predictions.csv"), expected)


def test_folds_learn_the_same_to_the_bit_whether_the_features_were_there(
    results: Path, cohort: Path, encoder: Path
) -> None:
    said = [results / RUN / f"fold_{fold}/finished.json" for fold in range(2)]
    expected = [file.read_text() for file in said]  # with the SHA-256 of the heads
    torch.set_float32_matmul_precision("highest")  # as a new process begins
    again = ("--folds", "2", "--inner", "false", "--overwrite", "true")
    assert cv(cohort, encoder, results, *again) == 0
    assert [file.read_text() for file in said] == expected


@pytest.mark.parametrize("spoil", [cut, empty, flip])
def test_spoilt_features_are_computed_anew(
    results: Path, cohort: Path, encoder: Path, capsys: pytest.CaptureFixture[str], spoil: object
) -> None:
    expected = pd.read_csv(results / RUN / "predictions.csv")
    features = [file for file in (results / "features").glob("*.npy") if "unc" not in file.name]
    assert len(features) == 1
    spoil(features[0])  # type: ignore[operator]
    again = ("--folds", "2", "--inner", "false", "--overwrite", "true")
    assert cv(cohort, encoder, results, *again) == 0
    assert "is not what was written (its SHA-256 differs); computed anew" in capsys.readouterr().out
    pd.testing.assert_frame_equal(pd.read_csv(results / RUN / "predictions.csv"), expected)


@pytest.mark.parametrize("name", ["metrics.json", "predictions.csv"])
@pytest.mark.parametrize("spoil", [cut, empty, no_keys])
def test_spoilt_result_stops_a_report_in_one_line(
    results: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, spoil: object
) -> None:
    spoil(results / RUN / name)  # type: ignore[operator]
    out = tmp_path / "report"
    assert main(["report", str(results), "--out", str(out), "--n_resamples", "100"]) == 2
    assert "`lsemvae cv` again" in error_of(capsys)
    assert not out.exists()
