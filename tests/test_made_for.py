"""A head or encoder that is used on what it was not made for is refused, whatever the command."""

import re
from pathlib import Path

import pytest

from lsemvae.cli import main
from tests.conftest import BEATS, ROOT, cv, error_of


@pytest.fixture(scope="module")
def heads(cohort: Path, encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return results of a six-lead head for detection and a twelve-lead one for phenotype."""
    out = tmp_path_factory.mktemp("heads")
    assert cv(cohort, encoder, out, "--leads", "6", "--inner", "false") == 0
    assert cv(cohort, encoder, out, "--task", "phenotype", "--inner", "false") == 0
    return out


def applied(
    command: str, description: str, head: Path, cohort: Path, encoder: Path, *more: str
) -> int:
    """Apply a head of three folds to the first one by an experiment's description."""
    task = description.partition("/")[0]
    return main(
        [command, "--config", str(ROOT / f"experiments/{description}.yaml"),
         "--model.init_args.encoder", str(encoder), "--data.init_args.store", str(cohort),
         "--data.init_args.n_folds", "3", "--data.init_args.fold", "0",
         "--data.init_args.splits", str(head.parents[3] / task / "splits.json"),
         "--trainer.enable_progress_bar", "false", "--ckpt_path", str(head), *more]
    )  # fmt: skip


@pytest.mark.parametrize("command", ["validate", "predict"])
def test_head_of_other_leads_task_or_label_is_refused(
    command: str, heads: Path, cohort: Path, encoder: Path, tmp_path: Path,
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    six = heads / "detection/ls_emvae/6L/fold_0/last.ckpt"
    other_task = heads / "phenotype/ls_emvae/12L/fold_0/last.ckpt"
    assert applied(command, "detection/ls_emvae_12l", six, cohort, encoder) == 2
    assert "leads I,II,III,aVR,aVL,aVF against I,II,III,aVR,aVL,aVF,V1" in error_of(capsys)
    assert applied(command, "detection/ls_emvae_12l", other_task, cohort, encoder) == 2
    assert "task phenotype against detection" in error_of(capsys)
    threshold = ["--data.init_args.thresholds.mpap_mmhg", "25"]
    assert applied(command, "detection/ls_emvae_6l", six, cohort, encoder, *threshold) == 2
    assert "label mPAP > 20 mmHg against mPAP > 25 mmHg" in error_of(capsys)
    assert applied(command, "detection/ls_emvae_6l", six, cohort, encoder) == 0


def test_head_is_neither_tested_nor_predicted_on_patients_of_its_training(
    heads: Path, cohort: Path, encoder: Path, tmp_path: Path,
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    six, fold = heads / "detection/ls_emvae/6L/fold_0/last.ckpt", "--data.init_args.fold"
    for command in ("test", "predict"):
        assert applied(command, "detection/ls_emvae_6l", six, cohort, encoder, fold, "1") == 2
        assert re.search(
            r"held out fold 0 of splits (\w{8}) against fold 1 of splits \1, which holds patients",
            error_of(capsys),
        )
    drawn_anew = ["--data.init_args.splits", "new.json", "--data.init_args.seed", "5"]
    assert applied("test", "detection/ls_emvae_6l", six, cohort, encoder, *drawn_anew) == 2
    assert "which holds patients that it was trained on" in error_of(capsys)
    assert applied("test", "detection/ls_emvae_6l", six, cohort, encoder, fold, "null") == 2
    assert "test has no recordings" in error_of(capsys)
    assert applied("predict", "detection/ls_emvae_6l", six, cohort, encoder, fold, "null") == 0
    assert "all recordings are predicted, those of the training too" in capsys.readouterr().out


@pytest.fixture(scope="module")
def arbitrary(recordings: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the cohort's store in arbitrary units."""
    out, source = tmp_path_factory.mktemp("arbitrary") / "nu.h5", recordings / "cohort"
    assert main(
        ["prepare", "cohort", "--table", str(source / "cohort.csv"), "--source",
         str(source / "records"), "--out", str(out), "--amplitude", "arbitrary", *BEATS]
    ) == 0  # fmt: skip
    return out


def test_encoder_of_another_unit_is_refused_by_every_command(
    heads: Path, arbitrary: Path, encoder: Path, tmp_path: Path,
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    assert cv(arbitrary, encoder, tmp_path / "cv") == 2
    assert "unit mV against NU" in error_of(capsys)
    six = heads / "detection/ls_emvae/6L/fold_0/last.ckpt"
    for command in ("test", "predict"):
        assert applied(command, "detection/ls_emvae_6l", six, arbitrary, encoder) == 2
        assert "unit mV against NU" in error_of(capsys)
    fit = ["fit", "--config", str(ROOT / "experiments/detection/ls_emvae_6l.yaml"),
           "--model.init_args.encoder", str(encoder), "--data.init_args.store", str(arbitrary),
           "--trainer.default_root_dir", str(tmp_path)]  # fmt: skip
    assert main(fit) == 2
    assert "unit mV against NU" in error_of(capsys)
