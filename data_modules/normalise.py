"""Scale and normalise whole batches on the device."""

import torch
from torch import Tensor

from lsemvae.core.leads import LIMB_LEADS
from lsemvae.core.types import EcgBatch, Normalisation

SMALLEST_SD_MV = 1e-3  # 1 uV, the resolution of the store


def normalise(batch: EcgBatch, how: Normalisation) -> EcgBatch:
    """Turn int16 counts into the amplitudes that a network takes; absent leads become zero.

    `millivolt` only changes the unit. `record` takes each lead's mean away and divides the whole
    record by one number, the standard deviation of its limb leads (of all its leads where it has no
    limb lead): ratios between leads, and with them the electrical axis, stay, and a record has the
    same scale with 12 and with 6 leads. `lead` is the published z-score of each lead by itself,
    which removes the axis.

    Args:
        batch: counts (B, L, T), with what a count is in `scale`.
        how: see above.

    Returns:
        The batch with float32 amplitudes.
    """
    present = batch.present.unsqueeze(-1)
    ecg = torch.where(present, batch.ecg.float() * batch.scale.unsqueeze(-1), 0.0)
    if how == "millivolt":
        return batch._replace(ecg=ecg, scale=torch.ones_like(batch.scale))
    ecg = ecg - ecg.mean(-1, keepdim=True)
    variance = ecg.square().mean(-1)
    if how == "record":
        variance = _pooled_variance(variance, batch)
    scale = variance.sqrt().clamp_min(SMALLEST_SD_MV)
    return batch._replace(ecg=ecg / scale.unsqueeze(-1), scale=scale)


def _pooled_variance(variance: Tensor, batch: EcgBatch) -> Tensor:
    """Average the variance (B, L) over the limb leads present, else over all present: (B, 1)."""
    is_limb = torch.tensor([lead in LIMB_LEADS for lead in batch.leads], device=variance.device)
    limb = batch.present & is_limb
    chosen = limb | (batch.present & ~limb.any(1, keepdim=True))
    total = torch.where(chosen, variance, 0.0).sum(1, keepdim=True)
    return total / chosen.sum(1, keepdim=True)
