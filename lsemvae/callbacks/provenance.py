"""Write down where a run came from."""

import json
import os
from pathlib import Path

from lightning import Callback, LightningModule, Trainer

from lsemvae.core.files import write_text
from lsemvae.core.provenance import provenance


class ProvenanceWriter(Callback):
    """Write `provenance.json` into the logger's folder when a run begins."""

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Write the file, once the checkpoint of a run that goes on is accepted."""
        log_dir = trainer.log_dir  # every process must ask as often: it is broadcast
        if log_dir is None or not trainer.is_global_zero:
            return
        made = {**provenance(), "seed": os.environ.get("PL_GLOBAL_SEED", "not set")}
        write_text(Path(log_dir) / "provenance.json", json.dumps(made, indent=1) + "\n")
