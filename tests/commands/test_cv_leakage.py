import json
import shutil
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
import torch

from data_modules.dataset import EcgPool
from data_modules.parts import part_of
from data_modules.store.content import signal_digest
from data_modules.store.read import EcgStore
from data_modules.trained_on import FILE_NAME
from lsemvae.cli import main
from lsemvae.core.sealed_json import write_json
from lsemvae.models import read_data_state
from tests.conftest import ROOT, cv, error_of, tiny_network


def metrics_of(out: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads((out / "detection/ls_emvae/12L/metrics.json").read_text())
    return found


def test_encoder_of_other_recordings_is_compared_and_passes(
    cohort: Path, encoder: Path, tmp_path: Path
) -> None:
    assert (encoder.parents[1] / FILE_NAME).is_file()
    assert cv(cohort, encoder, tmp_path) == 0
    metrics = metrics_of(tmp_path)
    assert metrics["leaks"] == []
    assert metrics["pretraining_compared"] is True


def test_encoder_that_saw_the_cohort_is_refused_unless_allowed(
    cohort: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "pretrain"
    assert main(
        ["fit", "--config", str(ROOT / "experiments/demo/pretrain.yaml"), *tiny_network(),
         "--data.init_args.store", str(cohort), "--data.init_args.batch_size", "16",
         "--trainer.max_epochs", "1", "--trainer.enable_progress_bar", "false",
         "--trainer.default_root_dir", str(run),
         "--trainer.logger.init_args.save_dir", str(run)]
    ) == 0  # fmt: skip
    capsys.readouterr()
    assert cv(cohort, run / "checkpoints/last.ckpt", tmp_path / "cv") == 2
    error = error_of(capsys)
    assert "pre-training and fold 0 share 20 patients" in error
    assert "pre-training and fold 2 share 20 signals" in error
    assert "by `lsemvae prepare cohort --patient_prefix`" in error
    assert not (tmp_path / "cv/detection").exists(), "a refused run has frozen folds"
    allowed = ["--allow_leakage", "true"]
    assert cv(cohort, run / "checkpoints/last.ckpt", tmp_path / "cv", *allowed) == 0
    metrics = metrics_of(tmp_path / "cv")
    assert metrics["encoder_saw_these_recordings"] is True
    assert {"kind": "signal", "between": ["pre-training", "fold 1"], "n": 20} in metrics["leaks"]


@pytest.mark.parametrize("kind", ["patient", "signal"])
def test_leak_of_one_kind_alone_is_refused(
    cohort: Path, pretraining: Path, pretrained: Path, tmp_path: Path,
    capsys: pytest.CaptureFixture[str], kind: str,
) -> None:  # fmt: skip
    run = shutil.copytree(pretrained, tmp_path / "run")
    pool = EcgPool([str(pretraining)])
    kept = {"patient": part_of("", [pool.table]).patient.hashes,
            "signal": part_of("", [pool.table]).signal.hashes}  # fmt: skip
    one = part_of("", [EcgStore(cohort).table[:1]])
    kept[kind] = np.append(kept[kind], getattr(one, kind).hashes)
    np.savez(run / FILE_NAME, **kept, sha256=np.array(pool.sha256))
    assert cv(cohort, run / "checkpoints/last.ckpt", tmp_path / "cv") == 2
    assert f"share 1 {kind}, such as" in error_of(capsys)


@pytest.mark.parametrize("method", ["ls_emvae", "multimodal_cnn"])
def test_test_recordings_change_nothing_that_was_fitted(
    cohort: Path, encoder: Path, tmp_path: Path, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = ["--method", method, "--epochs", "1"]
    assert cv(cohort, encoder, tmp_path / "one", *arguments) == 0
    fold_of = json.loads((tmp_path / "one/detection/splits.json").read_text())["fold"]
    store = EcgStore(cohort)
    held_out = store.table["record"].map(fold_of).to_numpy() == 0
    mutated = tmp_path / "mutated.h5"
    shutil.copy(cohort, mutated)
    with h5py.File(mutated, "r+") as file:
        rows = file["row"][:][held_out]
        changed = file["ecg"][rows][:, ::-1, ::-1] // 2
        file["ecg"][rows] = changed
        digest = file[f"table/{store.columns.index('signal_sha256')}"]
        digest[held_out] = np.array([signal_digest(one) for one in changed], dtype=digest.dtype)
    assert cv(mutated, encoder, tmp_path / "two", *arguments) == 2  # its table is not as written
    monkeypatch.setattr("data_modules.store.read.check_table", lambda _: None)
    assert cv(mutated, encoder, tmp_path / "two", *arguments) == 0
    weights, predictions = [], []
    for out in ("one", "two"):
        folder = tmp_path / out / "detection" / method / "12L"
        weights.append([torch.load(folder / f"fold_{fold}/last.ckpt", weights_only=True)
                        ["state_dict"] for fold in range(3)])  # fmt: skip
        predictions.append(pd.read_csv(folder / "fold_0/predictions.csv")["probability"])
    fitted = [[torch.equal(one[name], two[name]) for name in one]
              for one, two in zip(*weights, strict=True)]  # fmt: skip
    assert all(fitted[0])
    assert not all(fitted[1])  # fold 1 was trained on the changed recordings
    assert not np.allclose(*predictions)


def pretrain(store: Path, run: Path, epochs: int, *more: str) -> Path:
    """Pre-train for a few epochs and return the encoder."""
    assert main(
        ["fit", "--config", str(ROOT / "experiments/demo/pretrain.yaml"), *tiny_network(),
         "--data.init_args.store", str(store), "--data.init_args.batch_size", "16",
         "--trainer.max_epochs", str(epochs), "--trainer.enable_progress_bar", "false",
         "--trainer.default_root_dir", str(run),
         "--trainer.logger.init_args.save_dir", str(run), *more]
    ) == 0  # fmt: skip
    return run / "checkpoints/last.ckpt"


@pytest.mark.parametrize("same_folder", [True, False])
def test_encoder_that_went_on_with_other_recordings_has_seen_the_first_ones(
    cohort: Path, pretraining: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    same_folder: bool,
) -> None:  # fmt: skip
    first = pretrain(cohort, tmp_path / "pretrain", 1)
    run = tmp_path / ("pretrain" if same_folder else "other")
    encoder = pretrain(pretraining, run, 2, "--ckpt_path", str(first))
    capsys.readouterr()
    assert cv(cohort, encoder, tmp_path / "cv") == 2
    error = error_of(capsys)
    assert "pre-training and fold 0 share 20 patients" in error
    assert "pre-training and fold 2 share 20 signals" in error
    assert len(read_data_state(str(encoder)).sha256.split("+")) == 2


def test_encoder_that_went_on_from_unknown_recordings_is_not_called_clean(
    cohort: Path, pretraining: Path, tmp_path: Path
) -> None:
    first = pretrain(pretraining, tmp_path / "pretrain", 1)
    (tmp_path / "pretrain" / FILE_NAME).unlink()
    encoder = pretrain(pretraining, tmp_path / "pretrain", 2, "--ckpt_path", str(first))
    assert cv(cohort, encoder, tmp_path / "cv") == 0
    assert metrics_of(tmp_path / "cv")["pretraining_compared"] is False


def test_report_compares_again_what_a_run_does_not_admit(
    cohort: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    encoder = pretrain(cohort, tmp_path / "pretrain", 1)
    assert cv(cohort, encoder, tmp_path / "cv", "--allow_leakage", "true") == 0
    words = ["report", str(tmp_path / "cv"), "--cohort", str(cohort), "--out",
             str(tmp_path / "page"), "--n_resamples", "100", "--pretrain"]  # fmt: skip
    assert main([*words, str(tmp_path / "pretrain")]) == 0
    file = tmp_path / "cv/detection/ls_emvae/12L/metrics.json"
    write_json(file, json.loads(file.read_text()) | {"leaks": []})
    capsys.readouterr()
    assert main([*words, str(tmp_path / "pretrain")]) == 2
    assert "leakage: pre-training and fold 0 share 20 patients" in error_of(capsys)


def fit_head(cohort: Path, encoder: Path, run: Path, *more: str) -> int:
    """Fit the head of one fold."""
    return main(
        ["fit", "--config", str(ROOT / "experiments/detection/ls_emvae_12l.yaml"),
         "--model.init_args.encoder", str(encoder), "--data.init_args.store", str(cohort),
         "--data.init_args.splits", str(run / "splits.json"), "--trainer.max_epochs", "1",
         "--trainer.enable_progress_bar", "false", "--trainer.default_root_dir", str(run),
         "--trainer.logger.init_args.save_dir", str(run), *more]
    )  # fmt: skip


def test_one_fold_by_hand_is_refused_like_a_cross_validation(
    cohort: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    encoder = pretrain(cohort, tmp_path / "pretrain", 1)
    capsys.readouterr()
    assert fit_head(cohort, encoder, tmp_path / "head") == 2
    assert "leakage: pre-training and fold 0 share 12 patients" in error_of(capsys)
    assert not (tmp_path / "head/metrics.csv").exists()
    assert fit_head(cohort, encoder, tmp_path / "head", "--allow_leakage", "true") == 0
    assert "warning: leakage, allowed" in capsys.readouterr().out


def test_epoch_chosen_by_the_held_out_fold_is_warned_of(
    cohort: Path, encoder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fit_head(cohort, encoder, tmp_path / "last") == 0
    assert "chooses by" not in capsys.readouterr().out
    best = ["--trainer.callbacks+=lightning.pytorch.callbacks.ModelCheckpoint",
            "--trainer.callbacks.init_args.monitor=val/auroc",
            "--trainer.callbacks.init_args.filename=best"]  # fmt: skip
    assert fit_head(cohort, encoder, tmp_path / "best", *best) == 0
    assert "ModelCheckpoint chooses by val/auroc" in capsys.readouterr().out
