"""Keep a few validation records and their reconstructions for the report."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning import Callback, LightningModule, Trainer
from torch import Tensor

from lsemvae.core.files import replacing
from lsemvae.core.leads import LEADS, LIMB_LEADS
from lsemvae.core.types import EcgBatch
from lsemvae.models import GenerativeNetwork
from lsemvae.tasks.pretrain import Pretrainer

N_RECORDS = 3


class ReconstructionWriter(Callback):
    """Write `reconstructions.npz` of the first validation records at every validation's end.

    The file holds record names, the recordings `ecg_mv` (N, 12, T), their reconstructions
    `from_12` leads and `from_6` limb leads alone, all in mV, and which leads are present.
    """

    def __init__(self) -> None:
        self._kept: dict[str, Any] = {}

    def on_validation_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: EcgBatch,
        batch_idx: int,
        *args: Any,
    ) -> None:
        """Reconstruct the first records of the first batch."""
        if batch_idx or not trainer.is_global_zero or not isinstance(pl_module, Pretrainer):
            return
        if tuple(batch.leads) != LEADS:
            return
        ecg, present = batch.ecg[:N_RECORDS], batch.present[:N_RECORDS]
        scale = batch.scale[:N_RECORDS].unsqueeze(-1)
        network, n_limb = pl_module.network, len(LIMB_LEADS)
        if not isinstance(network, GenerativeNetwork):
            return
        self._kept = {
            "record": np.array(batch.record[:N_RECORDS], dtype=np.str_),
            "present": present.cpu().numpy(),
            "ecg_mv": _numpy(ecg * scale),
            "from_12": _numpy(network.reconstruct(ecg, LEADS, present) * scale),
        }
        if network.takes(LIMB_LEADS) and bool(present[:, :n_limb].any(1).all()):
            limb = network.reconstruct(ecg[:, :n_limb], LIMB_LEADS, present[:, :n_limb])
            self._kept["from_6"] = _numpy(limb * scale)

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Write the file beside the log."""
        log_dir = trainer.log_dir  # every process must ask as often: it is broadcast
        if not self._kept or trainer.sanity_checking or log_dir is None:
            return
        with replacing(Path(log_dir) / "reconstructions.npz") as temporary:
            np.savez_compressed(temporary, **self._kept)


def _numpy(signal: Tensor) -> np.ndarray[Any, np.dtype[np.float32]]:
    return signal.detach().to("cpu", torch.float32).numpy()
