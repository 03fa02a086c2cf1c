"""Refuse to train in a folder where another process trains."""

from contextlib import ExitStack
from pathlib import Path

from lightning import Callback, LightningModule, Trainer

from lsemvae.core.one_writer import writing_alone


class SoleWriter(Callback):
    """Hold the logger's folder from a fit's beginning to its end; the first process does."""

    def __init__(self) -> None:
        self._held = ExitStack()

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Take the folder.

        Raises:
            InputError: another process has it.
        """
        log_dir = trainer.log_dir  # every process must ask as often: it is broadcast
        if log_dir is not None and trainer.is_global_zero:
            self._held.enter_context(writing_alone(Path(log_dir)))

    def on_exception(
        self, trainer: Trainer, pl_module: LightningModule, exception: BaseException
    ) -> None:
        """Let it go."""
        self._held.close()

    def teardown(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Let it go."""
        self._held.close()
