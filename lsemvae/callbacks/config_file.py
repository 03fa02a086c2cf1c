"""Write config.yaml of a run in one step."""

from pathlib import Path
from typing import Any

from jsonargparse import Namespace
from lightning import LightningModule, Trainer
from lightning.pytorch.cli import LightningArgumentParser, SaveConfigCallback

from lsemvae.core.files import replacing


class ConfigFile(SaveConfigCallback):
    """Write the configuration beside the log, whole or not at all; Lightning's own may leave half.

    Args:
        parser: of the command line.
        config: what it has read.
        settings: of `SaveConfigCallback`.
    """

    def __init__(self, parser: LightningArgumentParser, config: Namespace, **settings: Any) -> None:
        super().__init__(parser, config, **{**settings, "save_to_log_dir": False})
        self._folder: str | None = None

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Wait: a checkpoint may yet be refused, and its run's configuration lies there."""

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Write the file when a run begins, or goes on."""
        self._folder = trainer.log_dir  # every process must ask as often: it is broadcast
        super().setup(trainer, pl_module, "fit")

    def save_config(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Write the file; only the first process asks."""
        if self._folder is None:
            return
        with replacing(Path(self._folder) / self.config_filename) as temporary:
            self.parser.save(
                self.config, temporary, skip_none=False, overwrite=True, multifile=self.multifile
            )
