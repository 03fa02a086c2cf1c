"""Save and stop when the machine is taken away, or somebody presses Ctrl-C."""

import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from lightning import Callback, LightningModule, Trainer

from lsemvae.core.printable import say

# SLURM and spot machines; SLURM's --signal=USR1@...; a terminal that is closed; Ctrl-C
SIGNALS = (signal.SIGTERM, signal.SIGUSR1, signal.SIGHUP, signal.SIGINT)
STOPPED, INTERRUPTED = 143, 130  # what a shell reports for SIGTERM and SIGINT


class StopSignal(Callback):
    """On SIGTERM, SIGUSR1, SIGHUP or Ctrl-C, save `last.ckpt` after the current step and exit.

    The exit code is 143, after Ctrl-C 130; a second Ctrl-C stops at once and saves nothing. SIGHUP
    is passed over where `nohup` has it ignored.

    With accumulated gradients, after the step that they are for. Within a validation, and after
    the last step of an epoch, the epoch is finished first: half a validation is no figure. The file
    lies where the run's ModelCheckpoint writes, else in the Trainer's default_root_dir; resuming
    from it gives what an uninterrupted run gives. In a distributed run a signal to any process
    stops all of them; only the first exits with 143, the others with 0, as a launcher kills the
    first at once where another fails.
    """

    def __init__(self) -> None:
        self._received = self._saved = self._interrupted = False
        self._previous: dict[signal.Signals, Any] = {}

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Listen, in place of Lightning: its handlers save amid a step, and exit with 0."""
        self._received = self._saved = self._interrupted = False
        try:
            heard = [number for number in SIGNALS if not _is_nohup(number)]
            self._previous = {number: signal.signal(number, self._note) for number in heard}
        except ValueError:  # not the main thread, which alone may listen
            self._previous = {}

    def _note(self, number: int, _frame: Any) -> None:
        if number == signal.SIGINT:
            if self._interrupted:
                raise KeyboardInterrupt
            self._interrupted = True
            say("stopping after this step, which is saved; Ctrl-C once more stops at once",
                  file=sys.stderr)  # fmt: skip
        self._received = True

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Save and exit within an epoch."""
        is_step = (batch_idx + 1) % trainer.accumulate_grad_batches == 0
        if is_step and not trainer.is_last_batch and self._agreed(trainer):
            self._save(trainer)
            self._exit(trainer)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Save at an epoch's end; its figures are logged after this."""
        if self._agreed(trainer):
            self._save(trainer)

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Exit once the figures of the epoch before are logged."""
        if self._saved:
            self._exit(trainer)

    def on_exception(
        self, trainer: Trainer, pl_module: LightningModule, exception: BaseException
    ) -> None:
        """Listen no more; say which of several processes stops, as another may have died."""
        self._put_back()
        if trainer.world_size > 1 and isinstance(exception, RuntimeError):
            say(
                f"process {trainer.global_rank} of {trainer.world_size} stops: it failed, or lost "
                "another one (then look at what that one wrote last). What was saved is intact",
                file=sys.stderr,
            )

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Listen no more."""
        self._put_back()

    def answer(self) -> None:
        """Exit for a signal that came in the last epoch; for callers that have more to do.

        The training is finished, and nothing needs to be saved.
        """
        if self._interrupted:
            raise KeyboardInterrupt
        if self._received:
            say("told to stop; what is finished is kept", file=sys.stderr)
            raise SystemExit(STOPPED)

    def _put_back(self) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)
        self._previous = {}

    def _agreed(self, trainer: Trainer) -> bool:
        """Return whether any process was told to stop."""
        return bool(trainer.strategy.reduce_boolean_decision(self._received, all=False))

    def _save(self, trainer: Trainer) -> None:
        trainer.save_checkpoint(last_checkpoint(trainer), weights_only=False)
        self._saved = True

    def _exit(self, trainer: Trainer) -> None:
        if not trainer.is_global_zero:
            raise SystemExit(0)
        where = last_checkpoint(trainer)
        with suppress(OSError):  # the terminal is gone
            say(f"told to stop: saved {where}; go on with --ckpt_path={where}", file=sys.stderr)
        raise SystemExit(INTERRUPTED if self._interrupted else STOPPED)


def _is_nohup(number: signal.Signals) -> bool:
    return number == signal.SIGHUP and signal.getsignal(number) == signal.SIG_IGN


def last_checkpoint(trainer: Trainer) -> Path:
    """Return the file that `--ckpt_path=last` finds."""
    folder = getattr(trainer.checkpoint_callback, "dirpath", None)
    return Path(folder or trainer.default_root_dir) / "last.ckpt"
