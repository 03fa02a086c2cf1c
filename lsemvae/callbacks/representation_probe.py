"""Follow what a representation is good for while it is being pre-trained."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from lightning import Callback, LightningDataModule, LightningModule, Trainer
from sklearn.metrics import roc_auc_score

from lsemvae.core.errors import InputError
from lsemvae.core.types import EcgBatch
from lsemvae.heads.linear_probe import fit_linear_probe, inner_parts
from lsemvae.models import EcgNetwork
from lsemvae.models.untrained import untrained_network
from lsemvae.tasks.pretrain import Pretrainer

PROBE, UNTRAINED = "probe/auroc", "probe/untrained_auroc"


class Encoded(NamedTuple):
    """Features (N, F) of one part with labels, patients and names, in the order of the names."""

    features: npt.NDArray[np.float32]
    label: npt.NDArray[np.float32]
    patient: npt.NDArray[np.object_]


class RepresentationProbe(Callback):
    """Log `probe/auroc`: a linear probe on the frozen encoder, on labelled recordings by patient.

    Beside it stands `probe/untrained_auroc`, the mean of untrained networks of the same
    architecture: a representation that stays below it has learned nothing that the task needs. Both
    are logged after the first epoch, after every k-th and after the last. The training's random
    numbers and weights are as without it.

    `metric: probe/auroc` of a sweep and EarlyStopping (listed after this callback) can go by it.
    What is chosen that way has seen the labels of the probe's recordings: report it on others.

    Args:
        cohort: labelled recordings: trained on its training part, measured on its held-out part.
        every_n_epochs: k.
        n_twins: untrained networks.

    Raises:
        InputError: a number below 1.
    """

    def __init__(
        self, cohort: LightningDataModule, every_n_epochs: int = 5, n_twins: int = 5
    ) -> None:
        if min(every_n_epochs, n_twins) < 1:
            raise InputError(
                "RepresentationProbe needs every_n_epochs and n_twins >= 1, got "
                f"{every_n_epochs} and {n_twins}"
            )
        self.cohort, self.every_n_epochs, self.n_twins = cohort, every_n_epochs, n_twins
        self._untrained: float | None = None

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Refuse a task without an encoder of its own.

        Raises:
            InputError: the task is no pre-training.
        """
        if not isinstance(pl_module, Pretrainer):
            raise InputError(
                f"RepresentationProbe follows a pre-training, got a {type(pl_module).__name__}; "
                "take it out of trainer.callbacks"
            )

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Measure and log, on one process for all."""
        epoch = trainer.current_epoch
        is_last = trainer.should_stop or epoch + 1 == trainer.max_epochs
        if not isinstance(pl_module, Pretrainer) or (epoch % self.every_n_epochs and not is_last):
            return
        measured = self._measure(pl_module) if trainer.is_global_zero else {}
        measured = trainer.strategy.broadcast(measured)
        pl_module.log_dict(measured, sync_dist=True)  # of equal values

    def _measure(self, task: Pretrainer) -> dict[str, float]:
        devices = [task.device] if task.device.type == "cuda" else []
        with torch.random.fork_rng(devices=devices):
            if self._untrained is None:
                twins = (untrained_network(task.network, seed) for seed in range(self.n_twins))
                values = [self.auroc(twin.to(task.device), task.device) for twin in twins]
                self._untrained = float(np.mean(values))
            return {PROBE: self.auroc(task.network, task.device), UNTRAINED: self._untrained}

    def auroc(self, network: EcgNetwork, device: torch.device) -> float:
        """Return the AUROC on the held-out part of a probe fitted on the training part."""
        self.cohort.setup("fit")
        was_training = {module: module.training for module in network.modules()}
        network.eval()
        try:
            train = _encoded(network, self._batches(self.cohort.train_dataloader(), device))
            held_out = _encoded(network, self._batches(self.cohort.val_dataloader(), device))
        finally:
            for module, mode in was_training.items():
                module.training = mode
        part = inner_parts(train.label.astype(np.float64), train.patient, seed=0)
        probe = fit_linear_probe(train.features, train.label, part)
        return float(roc_auc_score(held_out.label, probe.logits(held_out.features)))

    def _batches(self, loader: Any, device: torch.device) -> Iterator[EcgBatch]:
        """Yield batches on the device, normalised as the cohort says."""
        for batch in loader:
            moved = self.cohort.transfer_batch_to_device(batch, device, 0)
            yield self.cohort.on_after_batch_transfer(moved, 0)


@torch.no_grad()
def _encoded(network: EcgNetwork, batches: Iterator[EcgBatch]) -> Encoded:
    features, label, patient, record = [], [], [], []
    for batch in batches:
        features.append(network.encode(batch.ecg, batch.leads, batch.present).float().cpu().numpy())
        label.append(batch.label.cpu().numpy())
        patient.append(batch.patient_id)
        record.append(batch.record)
    order = np.concatenate(record).astype(str).argsort(kind="stable")
    joined = [np.concatenate(parts)[order] for parts in (features, label, patient)]
    return Encoded(*joined)
