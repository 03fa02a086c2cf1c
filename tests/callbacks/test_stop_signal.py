import os
import signal
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning import Callback

from lsemvae.callbacks import StopSignal
from lsemvae.models import LsEmvae
from lsemvae.tasks import Pretrainer
from tests.tiny_batches import LATENT_DIM, N_SAMPLES, TinyData, tiny_batch, tiny_trainer


class Kill(Callback):
    """Send this process a signal before a batch."""

    def __init__(self, batch: int, number: signal.Signals = signal.SIGTERM) -> None:
        self.batch, self.number = batch, number

    def on_train_batch_start(self, trainer: Any, task: Any, batch: Any, batch_idx: int) -> None:
        if batch_idx == self.batch:
            os.kill(os.getpid(), self.number)


def fit(
    folder: Path, batch: int, number: signal.Signals = signal.SIGTERM, **arguments: Any
) -> StopSignal:
    torch.manual_seed(0)
    stop = StopSignal()
    trainer = tiny_trainer(
        callbacks=[Kill(batch, number), stop], default_root_dir=folder, **arguments
    )
    data = TinyData([tiny_batch(2, seed=seed) for seed in range(4)])
    trainer.fit(Pretrainer(LsEmvae(N_SAMPLES, LATENT_DIM)), datamodule=data)
    return stop


@pytest.mark.parametrize(("accumulate", "n_batches"), [(1, 1), (2, 2)])
def test_a_run_stops_after_the_step_that_gradients_are_gathered_for(
    accumulate: int, n_batches: int, tmp_path: Path
) -> None:
    with pytest.raises(SystemExit) as stopped:
        fit(tmp_path, batch=0, max_epochs=9, accumulate_grad_batches=accumulate)
    assert stopped.value.code == 143
    saved = torch.load(tmp_path / "last.ckpt", weights_only=True)
    assert saved["global_step"] == 1
    progress = saved["loops"]["fit_loop"]["epoch_loop.batch_progress"]["total"]
    assert progress["processed"] == n_batches


def test_interrupt_saves_and_exits_as_a_shell_expects(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = signal.getsignal(signal.SIGINT)  # ignored where a shell started this in the background
    with pytest.raises(SystemExit) as stopped:
        fit(tmp_path, batch=1, number=signal.SIGINT, max_epochs=9)
    assert stopped.value.code == 130
    assert torch.load(tmp_path / "last.ckpt", weights_only=True)["global_step"] == 2
    said = capsys.readouterr().err
    assert "Ctrl-C once more stops at once" in said
    assert "go on with --ckpt_path=" in said
    assert signal.getsignal(signal.SIGINT) is before


def test_a_terminal_that_is_closed_stops_a_run_but_under_nohup(tmp_path: Path) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    try:
        with pytest.raises(SystemExit) as stopped:
            fit(tmp_path, batch=1, number=signal.SIGHUP, max_epochs=9)
        assert stopped.value.code == 143
        assert torch.load(tmp_path / "last.ckpt", weights_only=True)["global_step"] == 2
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        fit(tmp_path / "nohup", batch=1, number=signal.SIGHUP, max_epochs=1)
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_run_told_to_stop_in_its_last_step_ends_as_usual_and_stops_what_follows(
    tmp_path: Path,
) -> None:
    told = fit(tmp_path, batch=3, max_epochs=1)
    assert torch.load(tmp_path / "last.ckpt", weights_only=True)["global_step"] == 4
    with pytest.raises(SystemExit) as stopped:
        told.answer()
    assert stopped.value.code == 143
    with pytest.raises(KeyboardInterrupt):
        fit(tmp_path, batch=3, number=signal.SIGINT, max_epochs=1).answer()
    fit(tmp_path, batch=-1, max_epochs=1).answer()


def test_handlers_are_put_back(tmp_path: Path) -> None:
    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGUSR1)]
    fit(tmp_path, batch=-1, max_epochs=1)
    assert before == [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGUSR1)]
