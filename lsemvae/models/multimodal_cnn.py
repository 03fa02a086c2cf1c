"""Build Multimodal-CNN: LS-EMVAE's encoders without pre-training (paper section 3, Table 2)."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from lsemvae.core.leads import canonical_order, parse_leads
from lsemvae.core.types import EcgInput
from lsemvae.models.base import EcgNetwork
from lsemvae.nn.lead_encoders import LeadEncoderBank


class MultimodalCnn(EcgNetwork):
    """One convolutional encoder per lead, their outputs side by side; trained end to end.

    With the classification head of 128 units and two outputs it has 123,370,754 parameters for
    twelve leads and 61,685,570 for six.

    Args:
        n_samples: T.
        lead_features: features of each lead (paper: the latent size, 256).
        leads: leads that have an encoder: 12, 6 or names.
    """

    def __init__(
        self,
        n_samples: int = 5000,
        lead_features: int = 256,
        *,
        leads: int | list[str] = 12,
    ) -> None:
        super().__init__(n_samples, lead_features=lead_features, leads=leads)
        self.lead_features = lead_features
        self.encoders = LeadEncoderBank(n_samples, lead_features, leads=parse_leads(leads))

    @classmethod
    def input_args(cls, ecg_input: EcgInput, leads: Sequence[str]) -> dict[str, Any]:
        """Return the number of samples and the leads, which get an encoder each."""
        return {**super().input_args(ecg_input, leads), "leads": list(leads)}

    def feature_dim(self, leads: Sequence[str]) -> int:
        """Return L x `lead_features`."""
        return len(leads) * self.lead_features

    def encode(self, ecg: Tensor, leads: Sequence[str], present: Tensor | None = None) -> Tensor:
        """Return the features of every lead in canonical order, absent ones zero."""
        ecg, present = self._checked(ecg, leads, present)
        feature = torch.where(present.unsqueeze(-1), self.encoders(ecg, leads), 0.0)
        return feature[:, canonical_order(leads)].flatten(1)
