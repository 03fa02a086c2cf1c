"""Train a binary classifier: a head on a frozen encoder, or a network end to end."""

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from lsemvae.core.errors import InputError
from lsemvae.core.types import EcgBatch, FeatureBatch
from lsemvae.losses import focal_loss
from lsemvae.models import EcgNetwork
from lsemvae.tasks.head_task import HeadSettings, HeadTask
from lsemvae.tasks.held_out_metrics import HeldOutMetrics


@dataclass(frozen=True)
class FocalSettings:
    """Focal loss (Lin et al. 2017, the published defaults).

    Attributes:
        alpha: weight of the positive class.
        gamma: focusing exponent.
    """

    alpha: float = 0.25
    gamma: float = 2.0

    def __post_init__(self) -> None:
        """Reject values for which the loss means nothing."""
        if not (0.0 <= self.alpha <= 1.0 and 0.0 <= self.gamma < math.inf):
            raise InputError(
                f"focal loss needs alpha in [0, 1] and gamma >= 0, got {self.alpha} and "
                f"{self.gamma}"
            )


class Classifier(HeadTask):
    """Predict a binary label from recordings, or from features computed once by a frozen encoder.

    Args:
        network: a network to train end to end; exactly one of `network` and `encoder` is given.
        encoder: checkpoint of a pre-trained network, frozen here. It is not copied into this task's
            checkpoints: they name it by its SHA-256 and restore it from its own file.
        feature: of the encoder, where it has several: `mixture_mean` or `lead_means` of LS-EMVAE;
            None for the one that it was pre-trained with.
        leads: 12, 6 or names; the head's size may depend on them. The command line copies them from
            the data.
        head: see `HeadSettings`; None for the head of the publication where a network that is
            trained end to end has one of its own (ResNet1d, xResNet1d), else the paper's.
        focal: see `FocalSettings`.
        lr: learning rate of AdamW (paper section 3: 1e-4).
        weight_decay: the paper gives none; PyTorch's default.
    """

    def __init__(
        self,
        network: EcgNetwork | None = None,
        encoder: str | None = None,
        *,
        feature: str | None = None,
        leads: int | str | list[str] = 12,
        head: HeadSettings | None = None,
        focal: FocalSettings = FocalSettings(),
        lr: float = 1e-4,
        weight_decay: float = 0.01,
    ) -> None:
        super().__init__(
            network, encoder, feature=feature, leads=leads, head=head, n_outputs=1, lr=lr,
            weight_decay=weight_decay,
        )  # fmt: skip
        self.focal = focal
        self.val_metrics, self.test_metrics = HeldOutMetrics(), HeldOutMetrics()

    def validation_step(self, batch: EcgBatch | FeatureBatch, batch_idx: int) -> None:
        """Log loss, AUROC, accuracy and MCC of the held-out part."""
        logit, _ = self._step(batch, "val")
        self.val_metrics.update(logit.sigmoid(), batch.label)

    def test_step(self, batch: EcgBatch | FeatureBatch, batch_idx: int) -> dict[str, Any]:
        """Log the metrics and return the predictions of a batch."""
        logit, _ = self._step(batch, "test")
        self.test_metrics.update(logit.sigmoid(), batch.label)
        return self._prediction(batch, logit)

    def _step(self, batch: EcgBatch | FeatureBatch, stage: str) -> tuple[Tensor, Tensor]:
        logit = self(batch)
        loss = focal_loss(logit, batch.label, self.focal.alpha, self.focal.gamma)
        self.log_means(stage, {"loss": loss}, len(logit))
        return logit, loss

    def on_validation_epoch_start(self) -> None:
        """Begin new metrics."""
        super().on_validation_epoch_start()
        self.val_metrics.reset()

    def on_test_epoch_start(self) -> None:
        """Begin new metrics."""
        super().on_test_epoch_start()
        self.test_metrics.reset()

    def on_validation_epoch_end(self) -> None:
        """Log the means and the metrics."""
        super().on_validation_epoch_end()
        self._log_metrics("val", self.val_metrics)

    def on_test_epoch_end(self) -> None:
        """Log the means and the metrics."""
        super().on_test_epoch_end()
        self._log_metrics("test", self.test_metrics)

    def _log_metrics(self, stage: str, metrics: HeldOutMetrics) -> None:
        found = metrics.compute()
        logged = {f"{stage}/{name}": value for name, value in found._asdict().items()}
        self.log_dict(logged, sync_dist=True)  # of equal values, see `_log`

    def _prediction(self, batch: EcgBatch | FeatureBatch, output: Tensor) -> dict[str, Any]:
        label = batch.label if len(batch.label) else torch.full_like(output, torch.nan)
        return {
            "record": list(batch.record),
            "patient_id": list(batch.patient_id),
            "label": label,
            "probability": output.sigmoid(),
        }
