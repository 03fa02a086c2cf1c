"""Compute features by random convolutions: nothing was trained for them."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from lsemvae.models import FixedLeadNetwork

LENGTHS, DILATIONS, MOST_LEADS = (7, 9, 11), (1, 2, 4, 8), 4
N_TAPS = max(LENGTHS)
POOLED = 3  # share above zero, maximum, mean


class RandomConvolutions(FixedLeadNetwork):
    """Kernels that are drawn and left alone, each pooled over time into three numbers.

    ROCKET (Dempster et al. 2020, doi:10.1007/s10618-020-00701-z) for several leads: kernels of 7, 9
    or 11 standard normal weights whose mean is taken away, dilated 1, 2, 4 or 8 times, on one to
    four leads, with a bias drawn evenly from -1..1. Pooled: the share of time above zero, the
    maximum, and the mean.

    Note:
        ROCKET draws dilations up to the length of the recording and has no mean.

    Args:
        n_samples: T.
        leads: leads that kernels are drawn from.
        n_kernels: number of kernels, shared evenly by the dilations.
        seed: of all draws.
    """

    def __init__(
        self, n_samples: int, leads: list[str], *, n_kernels: int = 600, seed: int = 0
    ) -> None:
        super().__init__(n_samples, leads, n_kernels=n_kernels, seed=seed)
        self.n_kernels = n_kernels
        random = np.random.default_rng(seed)
        share = [len(part) for part in np.array_split(np.arange(n_kernels), len(DILATIONS))]
        for dilation, count in zip(DILATIONS, share, strict=True):
            weight, bias = draw_kernels(random, count, len(self.leads))
            self.register_buffer(f"weight_{dilation}", torch.from_numpy(weight))
            self.register_buffer(f"bias_{dilation}", torch.from_numpy(bias))

    def feature_dim(self, leads: Sequence[str]) -> int:
        """Return three for each kernel."""
        return POOLED * self.n_kernels

    def encode(self, ecg: Tensor, leads: Sequence[str], present: Tensor | None = None) -> Tensor:
        """Return share above zero, maximum and mean of every kernel, (B, 3 x kernels)."""
        channels = self._channels(ecg, leads, present)
        pooled = [self._pooled(channels, dilation) for dilation in DILATIONS]
        return torch.cat(pooled, -1).transpose(0, 1).flatten(1)

    def _pooled(self, channels: Tensor, dilation: int) -> Tensor:
        """Return (3, B, K) of the kernels of one dilation."""
        weight, bias = (self.get_buffer(f"{name}_{dilation}") for name in ("weight", "bias"))
        padding = dilation * (N_TAPS // 2)
        response = F.conv1d(channels, weight, bias, padding=padding, dilation=dilation)
        share = (response > 0).float().mean(-1)
        return torch.stack([share, response.amax(-1), response.mean(-1)])


def draw_kernels(
    random: np.random.Generator, n_kernels: int, n_leads: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return weights (K, L, 11), zero outside of a kernel's length and leads, and biases (K,)."""
    weight = random.standard_normal((n_kernels, n_leads, N_TAPS))
    length = random.choice(LENGTHS, n_kernels)
    inside = np.abs(np.arange(N_TAPS) - N_TAPS // 2) <= length[:, None] // 2  # (K, 11)
    taken = random.integers(1, min(MOST_LEADS, n_leads) + 1, n_kernels)
    rank = random.random((n_kernels, n_leads)).argsort(1).argsort(1)
    kept = inside[:, None] & (rank < taken[:, None])[:, :, None]
    mean = np.where(kept, weight, 0.0).sum(-1, keepdims=True) / length[:, None, None]
    bias = random.uniform(-1.0, 1.0, n_kernels)
    return np.where(kept, weight - mean, 0.0).astype(np.float32), bias.astype(np.float32)
