"""Write down where a run came from."""

import os
from pathlib import Path
from typing import Any

from lightning import Callback, LightningModule, Trainer
from lightning.pytorch.loggers import CSVLogger

from lsemvae.callbacks.continued_log import LOG
from lsemvae.core.provenance import provenance
from lsemvae.core.sealed_json import write_json


class ProvenanceWriter(Callback):
    """Write `provenance.json` into the logger's folder when a run begins.

    At its end it gets the digest of the run's log.
    """

    def __init__(self) -> None:
        self._made: dict[str, Any] = {}

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Write the file, once the checkpoint of a run that goes on is accepted."""
        log_dir = trainer.log_dir  # every process must ask as often: it is broadcast
        if log_dir is None or not trainer.is_global_zero:
            return
        self._made = {**provenance(), "seed": os.environ.get("PL_GLOBAL_SEED", "not set")}
        write_json(Path(log_dir) / "provenance.json", self._made)

    def on_fit_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Write the file again, with the digest of the log, which is whole now."""
        log_dir = trainer.log_dir
        if log_dir is None or not trainer.is_global_zero:
            return
        for logger in trainer.loggers:
            if isinstance(logger, CSVLogger):
                logger.save()
        logs = [LOG] if (Path(log_dir) / LOG).is_file() else []
        write_json(Path(log_dir) / "provenance.json", self._made, logs)
