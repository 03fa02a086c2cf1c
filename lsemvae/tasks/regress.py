"""Estimate a number in its unit: a head on a frozen encoder, or a network trained end to end."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from lsemvae.core.errors import InputError
from lsemvae.core.types import EcgBatch, FeatureBatch
from lsemvae.models import EcgNetwork
from lsemvae.tasks.head_task import HeadSettings, HeadTask


class Regressor(HeadTask):
    """Estimate a number by least squares on its values in standard deviations.

    The scale comes from the training part alone, see `take_scale`, and is part of the checkpoint.

    Args:
        network: see `HeadTask`.
        encoder: see `HeadTask`.
        feature: see `HeadTask`.
        leads: see `HeadTask`.
        head: see `HeadTask`.
        lr: see `HeadTask`.
        weight_decay: see `HeadTask`.
    """

    def __init__(
        self,
        network: EcgNetwork | None = None,
        encoder: str | None = None,
        *,
        feature: str | None = None,
        leads: int | str | list[str] = 12,
        head: HeadSettings | None = None,
        lr: float = 1e-4,
        weight_decay: float = 0.01,
    ) -> None:
        super().__init__(
            network, encoder, feature=feature, leads=leads, head=head, n_outputs=1, lr=lr,
            weight_decay=weight_decay,
        )  # fmt: skip
        self.centre: Tensor
        self.spread: Tensor
        self.register_buffer("centre", torch.tensor(torch.nan))
        self.register_buffer("spread", torch.tensor(torch.nan))

    def take_scale(self, measured: Tensor) -> None:
        """Take mean and standard deviation of a training part.

        Args:
            measured: (N,), in the unit of the target.

        Raises:
            InputError: all values are the same.
        """
        spread, mean = torch.std_mean(measured.double())
        if not bool(spread > 0):
            raise InputError(
                "all values of a training part are the same, so there is nothing to estimate; look "
                "at the column"
            )
        self.centre.fill_(mean)
        self.spread.fill_(spread)

    def on_fit_start(self) -> None:
        """Refuse to train in no unit.

        Raises:
            InputError: `take_scale` was not called.
        """
        if not bool(self.spread > 0):
            raise InputError(
                "a Regressor takes its scale from a training part first, which `lsemvae cv "
                "--task mpap_mmhg` does; `lsemvae fit` trains a Classifier or a Pretrainer"
            )

    def _step(self, batch: EcgBatch | FeatureBatch, stage: str) -> tuple[Tensor, Tensor]:
        output = self(batch)
        loss = F.mse_loss(output, (batch.label - self.centre) / self.spread)
        error = (self._in_unit(output) - batch.label).abs().mean()
        self.log_means(stage, {"loss": loss, "mae": error}, len(output))
        return output, loss

    def _in_unit(self, output: Tensor) -> Tensor:
        return self.centre + self.spread * output

    def _prediction(self, batch: EcgBatch | FeatureBatch, output: Tensor) -> dict[str, Any]:
        measured = batch.label if len(batch.label) else torch.full_like(output, torch.nan)
        return {
            "record": list(batch.record),
            "patient_id": list(batch.patient_id),
            "measured": measured,
            "estimated": self._in_unit(output),
        }
