"""Keep the log of a run that is resumed."""

import csv
import warnings
from pathlib import Path
from typing import Any

from lightning import Callback, LightningModule, Trainer
from lightning.pytorch.loggers import CSVLogger

LOG, EARLIER = "metrics.csv", "metrics.earlier.csv"


class ContinuedLog(Callback):
    """Let the metrics.csv of a resumed run go on; Lightning's CSVLogger deletes it.

    Made before the run begins, it puts the file aside, and puts back the rows of the steps that the
    checkpoint has behind it. Rows are written whenever a checkpoint is, and at every epoch's end.

    Args:
        trainer: whose fit comes next; loggers that are no CSVLogger go on by themselves.
        resume: whether it goes on from a checkpoint.
    """

    def __init__(self, trainer: Trainer, *, resume: bool) -> None:
        if resume:
            warnings.filterwarnings("ignore", message="Experiment logs directory .* not empty")
        first = trainer.is_global_zero
        self._logs = [log for log in trainer.loggers if isinstance(log, CSVLogger) and first]
        for folder in (Path(log.log_dir) for log in self._logs):
            if resume and (folder / LOG).exists():
                (folder / LOG).replace(folder / EARLIER)
            elif not resume:
                (folder / EARLIER).unlink(missing_ok=True)

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Put the earlier rows back."""
        for logger in self._logs:
            earlier = Path(logger.log_dir) / EARLIER
            if earlier.exists():
                logger.experiment.metrics[:0] = _rows_before(earlier, trainer.global_step)
                logger.save()
                earlier.unlink()

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Write the rows of the epoch before."""
        self._write()

    def on_save_checkpoint(
        self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Write the rows so far."""
        self._write()

    def on_exception(
        self, trainer: Trainer, pl_module: LightningModule, exception: BaseException
    ) -> None:
        """Put the earlier file back where the run cannot begin."""
        self._put_back()

    def teardown(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Put the earlier file back where the run was over already."""
        self._put_back()

    def _put_back(self) -> None:
        for folder in (Path(log.log_dir) for log in self._logs):
            if (folder / EARLIER).exists() and not (folder / LOG).exists():
                (folder / EARLIER).replace(folder / LOG)

    def _write(self) -> None:
        for logger in self._logs:
            logger.save()


def _rows_before(file: Path, step: int) -> list[dict[str, str]]:
    """Return the rows of a log that belong to the first `step` optimiser steps.

    A last line without its end was cut off by a full disk or a kill, and is left out.
    """
    lines = file.read_text().splitlines(keepends=True)
    rows = csv.DictReader(line for line in lines if line.endswith("\n"))
    return [row for row in rows if int(row["step"]) < step]
