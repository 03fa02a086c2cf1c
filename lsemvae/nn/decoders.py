"""Decode the latent code to twelve leads (paper, section 2, and alternatives to it).

Shape legend: B batch, D latent size, T samples, C channels, n = ceil(T/8).
"""

from collections.abc import Callable, Mapping
from itertools import pairwise
from types import MappingProxyType
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lsemvae.core.errors import InputError
from lsemvae.core.leads import LEADS

DecoderKind = Literal["multichannel", "conditioned", "per_lead", "published"]
N_LEADS = len(LEADS)


class StackedDecoder(nn.Module):
    """G independent decoders of one form, their weights stacked in the first dimension.

    Linear D -> 64 n, reshape to (64, n), ConvTranspose1d 64-32-16-out (kernel 4, stride 2,
    padding 1), ReLU between, identity at the end, crop to T.
    """

    def __init__(self, latent_dim: int, n_samples: int, *, n_stacked: int, n_channels: int) -> None:
        super().__init__()
        self.n_samples = n_samples
        channels = (64, 32, 16, n_channels)
        self.n_steps = -(-n_samples // 8)
        self.linear_weight = nn.Parameter(
            torch.empty(n_stacked, latent_dim, self.n_steps * channels[0])
        )
        self.linear_bias = nn.Parameter(torch.empty(n_stacked, 1, self.n_steps * channels[0]))
        layers = list(pairwise(channels))
        self.conv_weights = nn.ParameterList(
            torch.empty(n_stacked, c_in, 4 * c_out) for c_in, c_out in layers
        )
        self.conv_biases = nn.ParameterList(torch.empty(n_stacked, 1, c_out) for _, c_out in layers)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw weights and biases as nn.Linear and nn.ConvTranspose1d do: +-1/sqrt(fan-in)."""
        bound = self.linear_weight.shape[1] ** -0.5
        nn.init.uniform_(self.linear_weight, -bound, bound)
        nn.init.uniform_(self.linear_bias, -bound, bound)
        for weight, bias in zip(self.conv_weights, self.conv_biases, strict=True):
            bound = weight.shape[2] ** -0.5
            nn.init.uniform_(weight, -bound, bound)
            nn.init.uniform_(bias, -bound, bound)

    def project(self, z: Tensor) -> Tensor:
        """Apply the linear layers to codes (G, B, D) or (B, D): (G, B, n * 64)."""
        return torch.baddbmm(
            self.linear_bias, z.expand(len(self.linear_bias), -1, -1), self.linear_weight
        )

    def upsample(self, hidden: Tensor) -> Tensor:
        """Apply the transposed convolutions to (G, B, n * 64): (G, B, C, T)."""
        n_stacked, n_records = hidden.shape[:2]
        hidden = hidden.view(n_stacked, n_records, self.n_steps, -1)
        last = len(self.conv_weights) - 1
        for layer, (weight, bias) in enumerate(
            zip(self.conv_weights, self.conv_biases, strict=True)
        ):
            hidden = _transposed_convolution(hidden, weight, bias)
            hidden = hidden if layer == last else hidden.relu()
        return hidden[:, :, : self.n_samples].transpose(2, 3)


class PublishedDecoder(StackedDecoder):
    """One unconditioned decoder whose single waveform stands for all leads, as published."""

    def __init__(self, latent_dim: int, n_samples: int) -> None:
        super().__init__(latent_dim, n_samples, n_stacked=1, n_channels=1)

    def forward(self, z: Tensor) -> Tensor:
        """Decode (B, D) to (B, 12, T), equal in all leads."""
        return self.upsample(self.project(z))[0].expand(-1, N_LEADS, -1)


class MultichannelDecoder(StackedDecoder):
    """One shared trunk whose last transposed convolution yields the twelve leads."""

    def __init__(self, latent_dim: int, n_samples: int) -> None:
        super().__init__(latent_dim, n_samples, n_stacked=1, n_channels=N_LEADS)

    def forward(self, z: Tensor) -> Tensor:
        """Decode (B, D) to (B, 12, T)."""
        return self.upsample(self.project(z))[0]


class ConditionedDecoder(StackedDecoder):
    """One decoder for all leads that reads the code plus a learned embedding of the lead."""

    def __init__(self, latent_dim: int, n_samples: int) -> None:
        super().__init__(latent_dim, n_samples, n_stacked=1, n_channels=1)
        self.lead_embedding = nn.Parameter(torch.empty(N_LEADS, latent_dim))
        nn.init.normal_(self.lead_embedding)

    def forward(self, z: Tensor) -> Tensor:
        """Decode (B, D) to (B, 12, T)."""
        of_leads = self.lead_embedding @ self.linear_weight[0]
        hidden = self.project(z).transpose(0, 1) + of_leads
        n_records, n_leads, width = hidden.shape
        waves = self.upsample(hidden.reshape(1, n_records * n_leads, width))
        return waves.view(n_records, n_leads, self.n_samples)


class PerLeadDecoder(StackedDecoder):
    """Twelve independent decoders of the same code."""

    def __init__(self, latent_dim: int, n_samples: int) -> None:
        super().__init__(latent_dim, n_samples, n_stacked=N_LEADS, n_channels=1)

    def forward(self, z: Tensor) -> Tensor:
        """Decode (B, D) to (B, 12, T)."""
        return self.upsample(self.project(z)).squeeze(2).transpose(0, 1)


DECODERS: Mapping[DecoderKind, Callable[[int, int], StackedDecoder]] = MappingProxyType(
    {
        "multichannel": MultichannelDecoder,
        "conditioned": ConditionedDecoder,
        "per_lead": PerLeadDecoder,
        "published": PublishedDecoder,
    }
)


def build_decoder(kind: DecoderKind, latent_dim: int, n_samples: int) -> StackedDecoder:
    """Build a decoder by name.

    Raises:
        InputError: the name is none of `DECODERS`.
    """
    if kind not in DECODERS:
        raise InputError(f"unknown decoder {kind!r}; expected one of {', '.join(DECODERS)}")
    return DECODERS[kind](latent_dim, n_samples)


def _transposed_convolution(hidden: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Convolve (G, B, n, C) with kernel 4, stride 2, padding 1, transposed: (G, B, 2n, C').

    Input sample t adds its four taps to outputs 2t-1..2t+2: two pairs of outputs, one step apart.
    """
    n_stacked, n_records, length, channels = hidden.shape
    taps = torch.bmm(hidden.reshape(n_stacked, n_records * length, channels), weight)
    first, second = taps.view(n_stacked, n_records, length, -1).chunk(2, dim=-1)
    pairs = F.pad(first, (0, 0, 0, 1)) + F.pad(second, (0, 0, 1, 0))
    waves = pairs.view(n_stacked, n_records, 2 * length + 2, -1)[:, :, 1:-1]
    return waves + bias.unsqueeze(1)
