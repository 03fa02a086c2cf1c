"""Pool what the convolutions of a lead's encoder answer to, wherever in the beat it is."""

from collections.abc import Sequence

import torch
from torch import Tensor

from lsemvae.nn.lead_encoders import CHANNELS, LeadEncoderBank


def pooled_size() -> int:
    """Return the number of figures of each lead: two of each channel."""
    return 2 * CHANNELS[-1]


def pooled_responses(encoders: LeadEncoderBank, ecg: Tensor, leads: Sequence[str]) -> Tensor:
    """Return mean and maximum over time of each channel of the last convolution, (B, L, 128).

    The linear layer after it is bound to places in the beat; these are not.

    Args:
        encoders: of the leads.
        ecg: (B, L, T).
        leads: names of the L leads.
    """
    return _pooled(encoders.convolved(ecg, leads))


def outputs_and_responses(
    encoders: LeadEncoderBank, ecg: Tensor, leads: Sequence[str]
) -> tuple[Tensor, Tensor]:
    """Return the encoders' outputs (B, L, O) and `pooled_responses` of the same convolutions.

    Arguments as in `pooled_responses`.
    """
    response = encoders.convolved(ecg, leads)
    return encoders.read_out(response, leads), _pooled(response)


def _pooled(response: Tensor) -> Tensor:
    return torch.cat([response.mean(2), response.amax(2)], -1).transpose(0, 1)
