"""Cut recordings into patches, and draw random masks over them.

Shape legend: B batch, L leads, T samples, N patches of a lead, P samples of a patch, K patches
kept, D features.
"""

import math

import torch
from torch import Tensor


def to_patches(ecg: Tensor, patch_size: int) -> Tensor:
    """Cut (B, L, T) into (B, L, N, P); the last T mod P samples are left out."""
    n_patches = ecg.shape[-1] // patch_size
    return ecg[..., : n_patches * patch_size].reshape(*ecg.shape[:2], n_patches, patch_size)


def normalise_patches(patches: Tensor, eps: float = 1e-6) -> Tensor:
    """Scale every patch to mean 0 and variance 1 (unbiased, plus eps), (..., P)."""
    variance, mean = torch.var_mean(patches, dim=-1, keepdim=True)
    return (patches - mean) / (variance + eps).sqrt()


def n_kept_patches(n_patches: int, mask_ratio: float) -> int:
    """Return how many patches stay: N less the masked share rounded up, at least one.

    30 patches at a ratio of 0.75 leave 7.
    """
    return max(1, n_patches - math.ceil(n_patches * mask_ratio))


def random_patches(shape: tuple[int, int, int], n_kept: int, device: torch.device) -> Tensor:
    """Draw which patches are kept, for every lead of every record on its own.

    Args:
        shape: B, L and N.
        n_kept: K.
        device: of the result.

    Returns:
        (B, L, K), K different numbers of 0..N-1, in any order.
    """
    return torch.rand(shape, device=device).argsort(-1)[..., :n_kept]


def take_patches(patches: Tensor, kept: Tensor) -> Tensor:
    """Take (B, L, K, D) from (B, L, N, D)."""
    return patches.gather(2, kept.unsqueeze(-1).expand(*kept.shape, patches.shape[-1]))


def place_patches(filling: Tensor, patches: Tensor, kept: Tensor) -> Tensor:
    """Put patches back where they were taken, into a copy of the filling.

    Args:
        filling: (B, L, N, D).
        patches: (B, L, K, D).
        kept: (B, L, K), where they were taken.

    Returns:
        (B, L, N, D).
    """
    return filling.scatter(2, kept.unsqueeze(-1).expand_as(patches), patches)


def is_masked(kept: Tensor, n_patches: int) -> Tensor:
    """Return (B, L, N) bool, True where a patch is not among the kept."""
    masked = torch.ones(*kept.shape[:2], n_patches, dtype=torch.bool, device=kept.device)
    return masked.scatter(2, kept, False)
