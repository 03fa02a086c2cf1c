"""Train a classifier of several labels with one head, of which each recording may lack some."""

from typing import Any

import torch
from torch import Tensor

from lsemvae.core.types import EcgBatch, FeatureBatch
from lsemvae.losses import masked_focal_loss
from lsemvae.models import EcgNetwork
from lsemvae.tasks.classify import FocalSettings
from lsemvae.tasks.head_task import HeadSettings, HeadTask


class LabelsClassifier(HeadTask):
    """Predict K labels by one head; a label that is not known (NaN) has no part in the loss.

    Args:
        network: see `HeadTask`.
        encoder: see `HeadTask`.
        labels: names of the K labels.
        feature: see `HeadTask`.
        leads: see `HeadTask`.
        head: see `HeadTask`.
        focal: see `FocalSettings`.
        lr: see `HeadTask`.
    """

    def __init__(
        self,
        network: EcgNetwork | None = None,
        encoder: str | None = None,
        *,
        labels: list[str],
        feature: str | None = None,
        leads: int | str | list[str] = 12,
        head: HeadSettings | None = None,
        focal: FocalSettings = FocalSettings(),
        lr: float = 1e-4,
    ) -> None:
        super().__init__(
            network, encoder, feature=feature, leads=leads, head=head, n_outputs=len(labels), lr=lr,
            weight_decay=0.01,
        )  # fmt: skip
        self.labels, self.focal = tuple(labels), focal

    def _step(self, batch: EcgBatch | FeatureBatch, stage: str) -> tuple[Tensor, Tensor]:
        logit = self(batch)
        loss = masked_focal_loss(logit, batch.label, self.focal.alpha, self.focal.gamma)
        self.log_means(stage, {"loss": loss}, len(logit))
        return logit, loss

    def _prediction(self, batch: EcgBatch | FeatureBatch, output: Tensor) -> dict[str, Any]:
        label = batch.label if len(batch.label) else torch.full_like(output, torch.nan)
        probability = output.sigmoid()
        return {
            "record": list(batch.record),
            "patient_id": list(batch.patient_id),
            **{f"label:{name}": label[:, k] for k, name in enumerate(self.labels)},
            **{f"probability:{name}": probability[:, k] for k, name in enumerate(self.labels)},
        }
