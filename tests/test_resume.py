"""A run that was cut and resumed equals one that was not, to the bit."""

import os
import shutil
import signal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch

from data_modules.base import StoreDataModule
from lsemvae.callbacks import BetaAnnealing, StopSignal
from lsemvae.cli import main
from lsemvae.core.files import digest_file
from lsemvae.core.one_writer import writing_alone
from lsemvae.tasks.task import EcgTask
from tests.conftest import ROOT, error_of, tiny_network

N_EPOCHS = 3
EVERY_STEP = ["--trainer.callbacks+=lightning.pytorch.callbacks.ModelCheckpoint",
              "--trainer.callbacks.init_args.every_n_train_steps=1",
              "--trainer.callbacks.init_args.save_top_k=-1",
              "--trainer.callbacks.init_args.filename={step}"]  # fmt: skip
LAST = "checkpoints/last.ckpt"
CUTS = ("mid-epoch", "epoch's end", "second epoch")


def arguments(store: Path, run: Path, *more: str) -> list[str]:
    """Return a run of 3 epochs of several steps, with lead dropout, noise, warm-up and beta."""
    return ["fit", "--config", str(ROOT / "experiments/demo/pretrain.yaml"), *tiny_network(),
            "--data.init_args.store", str(store), "--data.init_args.batch_size", "5",
            "--model.init_args.lead_dropout", "0.5", "--model.init_args.warmup_epochs", "1",
            "--trainer.max_epochs", str(N_EPOCHS), "--trainer.enable_progress_bar", "false",
            "--trainer.accelerator", "cpu", "--trainer.default_root_dir", str(run),
            "--trainer.logger.init_args.save_dir", str(run), *more]  # fmt: skip


def differences(one: Path, other: Path) -> list[str]:
    """Name what differs, to the bit, in weights, optimiser and schedule of two checkpoints."""
    left, right = (torch.load(file, weights_only=True) for file in (one, other))
    names = ("state_dict", "optimizer_states", "lr_schedulers", "global_step", "epoch")
    return [name for name in names if not _equal(left[name], right[name])]


def _equal(one: Any, other: Any) -> bool:
    if isinstance(one, torch.Tensor):
        return torch.equal(one, other)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_equal(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(_equal, one, other))
    return bool(one == other)


def n_steps(run: Path) -> int:
    return int(torch.load(run / LAST, weights_only=True)["global_step"])


def cut(run: Path, where: str) -> Path:
    """Return the checkpoint at a place of a run."""
    per_epoch = n_steps(run) // N_EPOCHS
    step = {"mid-epoch": 2, "epoch's end": per_epoch, "second epoch": per_epoch + 2}[where]
    return run / f"checkpoints/step={step}.ckpt"


@pytest.fixture(scope="module")
def unbroken(pretraining: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a run that was not cut, with a checkpoint of every step."""
    run = tmp_path_factory.mktemp("unbroken")
    assert main(arguments(pretraining, run, *EVERY_STEP)) == 0
    return run


@pytest.mark.parametrize("num_workers", ["0", "2"])
@pytest.mark.parametrize("where", CUTS)
def test_a_resumed_run_equals_an_unbroken_one_to_the_bit(
    where: str, num_workers: str, unbroken: Path, pretraining: Path, tmp_path: Path
) -> None:
    torch.manual_seed(123)  # whatever the process drew before
    more = ["--data.init_args.num_workers", num_workers, "--ckpt_path", str(cut(unbroken, where))]
    assert main(arguments(pretraining, tmp_path, *more)) == 0
    assert differences(tmp_path / LAST, unbroken / LAST) == []


@pytest.mark.parametrize("lost", ["noise", "place", "beta"])
def test_the_comparison_notices_what_a_resumed_run_loses(
    lost: str, unbroken: Path, pretraining: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mutation: dict[str, tuple[type, str, Any]] = {
        "noise": (EcgTask, "on_train_batch_start", lambda *_: None),
        "place": (StoreDataModule, "_place", lambda _: (0, 0)),
        "beta": (BetaAnnealing, "on_train_batch_start", lambda *_: None),
    }
    monkeypatch.setattr(*mutation[lost])
    more = ["--ckpt_path", str(cut(unbroken, "second epoch"))]
    assert main(arguments(pretraining, tmp_path, *more)) == 0
    assert "state_dict" in differences(tmp_path / LAST, unbroken / LAST)


@pytest.mark.parametrize(
    ("where", "number"),
    [(CUTS[0], signal.SIGUSR1), (CUTS[1], signal.SIGTERM), (CUTS[2], signal.SIGTERM)],
)
def test_a_run_told_to_stop_saves_and_its_log_and_weights_go_on(
    where: str, number: signal.Signals, unbroken: Path, pretraining: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    step = int(cut(unbroken, where).stem.removeprefix("step="))

    def kill(_self: Any, trainer: Any, *_: Any) -> None:
        if trainer.global_step == step - 1:
            os.kill(os.getpid(), number)

    with monkeypatch.context() as patch:
        patch.setattr(StopSignal, "on_train_batch_start", kill)
        with pytest.raises(SystemExit) as stopped:
            main(arguments(pretraining, tmp_path))
    assert stopped.value.code == 143
    assert "told to stop: saved" in capsys.readouterr().err
    assert n_steps(tmp_path) == step
    assert main(arguments(pretraining, tmp_path, "--ckpt_path", "last")) == 0
    assert differences(tmp_path / LAST, unbroken / LAST) == []
    left, right = (pd.read_csv(run / "metrics.csv") for run in (tmp_path, unbroken))
    pd.testing.assert_frame_equal(left, right, check_exact=True)


def test_other_batches_are_refused_within_an_epoch_and_taken_at_its_end(
    unbroken: Path, pretraining: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    more = ["--data.init_args.batch_size", "6", "--ckpt_path"]
    assert main(arguments(pretraining, tmp_path, *more, str(cut(unbroken, "mid-epoch")))) == 2
    assert "of other batches (batch_size 5, now 6)" in error_of(capsys)
    assert main(arguments(pretraining, tmp_path, *more, str(unbroken / LAST))) == 0


@pytest.mark.parametrize(("max_epochs", "code"), [(N_EPOCHS, 0), (1, 2)])
def test_a_run_that_is_over_keeps_its_log(
    max_epochs: int, code: int, unbroken: Path, pretraining: Path, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    run = tmp_path / "run"
    shutil.copytree(unbroken, run)
    more = ["--model.init_args.warmup_epochs", "null", "--ckpt_path", "last"]
    assert (
        main([*arguments(pretraining, run, *more), "--trainer.max_epochs", f"{max_epochs}"]) == code
    )
    if code:
        assert "the run has 4" in error_of(capsys)
    assert (run / "metrics.csv").read_bytes() == (unbroken / "metrics.csv").read_bytes()
    assert not list(run.glob("metrics.earlier.csv"))


def test_what_lightning_refuses_is_one_line(
    pretraining: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments(pretraining, tmp_path, "--trainer.max_epochs", "-2")) == 2
    assert "`max_epochs` must be a non-negative integer or -1" in error_of(capsys)


@pytest.mark.parametrize("where", ["http://host/last.ckpt", "https://host/last.ckpt"])
def test_a_remote_checkpoint_is_refused(
    where: str, pretraining: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments(pretraining, tmp_path, "--ckpt_path", where)) == 2
    assert "is not a local file" in error_of(capsys)


def test_a_flipped_bit_in_a_checkpoint_of_fit_is_refused(
    unbroken: Path, pretraining: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good, bad = unbroken / LAST, tmp_path / "last.ckpt"
    content = bytearray(good.read_bytes())
    content[len(content) // 2] ^= 1
    bad.write_bytes(content)
    digest_file(bad).write_text(digest_file(good).read_text())
    assert main(arguments(pretraining, tmp_path, "--ckpt_path", str(bad))) == 2
    assert "is damaged: its SHA-256" in error_of(capsys)


def test_a_run_that_goes_on_tells_what_changed_and_refuses_what_cannot(
    pretraining: Path, cohort: Path, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    run, constant = tmp_path / "run", ["--model.init_args.warmup_epochs", "null"]
    assert main(arguments(pretraining, run, *constant, "--trainer.max_epochs", "1")) == 0
    before = {file.name: file.read_bytes() for file in run.iterdir() if file.is_file()}
    capsys.readouterr()

    more = [*constant, "--ckpt_path", "last", "--trainer.max_epochs", "2"]
    assert main(arguments(pretraining, run, *more, "--model.lr", "0.5")) == 2
    message = error_of(capsys)
    assert "model.lr is 0.5" in message
    assert "--model.lr=0.001" in message
    assert {file.name: file.read_bytes() for file in run.iterdir() if file.is_file()} == before

    changed = ["--model.network.objective.gamma", "3", "--beta", "2"]
    assert main(arguments(cohort, run, *more, *changed)) == 0
    notes = [line for line in capsys.readouterr().out.splitlines() if line.startswith("note: this")]
    assert [line.split(": ")[1].split()[-1] for line in notes] == [
        "model.network.objective.gamma", "recordings", "trainer.callbacks.BetaAnnealing.end",
    ]  # fmt: skip
    assert notes[0].endswith(": 3.0, before 1.0")


def test_a_run_with_nothing_left_to_train_says_so(
    unbroken: Path, pretraining: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments(pretraining, tmp_path, "--ckpt_path", str(unbroken / LAST))) == 0
    printed = capsys.readouterr()
    assert "note: nothing was trained" in printed.out
    assert "a run of 3 epochs" in printed.out
    assert "goes on with another" not in printed.out


def test_a_folder_where_another_process_trains_is_left_alone(
    pretraining: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with writing_alone(tmp_path):
        assert main(arguments(pretraining, tmp_path)) == 2
    assert "another process writes into" in error_of(capsys)
    assert list(tmp_path.iterdir()) == []
