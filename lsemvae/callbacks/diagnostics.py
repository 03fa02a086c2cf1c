"""Log what the latent space does: per lead, per expert, with twelve and with six leads."""

from typing import Any

import torch
from lightning import Callback, LightningModule, Trainer

from lsemvae.callbacks.latent_statistics import LatentStatistics
from lsemvae.core.leads import LEADS
from lsemvae.core.types import EcgBatch
from lsemvae.models import LsEmvae
from lsemvae.tasks.pretrain import Pretrainer


class LatentDiagnostics(Callback):
    """Log `LatentStatistics` over the validation recordings, for LS-EMVAE on twelve leads.

    Args:
        max_batches: validation batches per epoch and process that are looked at; each costs an
            encoding with twelve and one with six leads.
    """

    def __init__(self, max_batches: int = 20) -> None:
        self.max_batches = max_batches
        self._statistics: LatentStatistics | None = None

    def on_validation_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Start with empty sums."""
        network = pl_module.network if isinstance(pl_module, Pretrainer) else None
        self._statistics = LatentStatistics(network) if isinstance(network, LsEmvae) else None

    @torch.no_grad()
    def on_validation_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: EcgBatch,
        batch_idx: int,
        *args: Any,
    ) -> None:
        """Add a batch."""
        if self._statistics and batch_idx < self.max_batches and tuple(batch.leads) == LEADS:
            self._statistics.update(batch.ecg, batch.present, batch.scale)

    def on_validation_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Log the figures of the recordings of all processes."""
        if self._statistics and not trainer.sanity_checking:
            if trainer.world_size > 1:
                self._statistics.sum_over_processes()
            pl_module.log_dict(
                {f"latent/{name}": value for name, value in self._statistics.compute().items()},
                sync_dist=True,  # of equal values; it also keeps Lightning from warning
            )
