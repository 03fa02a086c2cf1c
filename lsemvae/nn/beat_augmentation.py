"""Change heartbeats at random in ways that keep their meaning: a code must not depend on them."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from lsemvae.core.errors import InputError


@dataclass(frozen=True)
class BeatAugmentation:
    """How much beats are changed before they are encoded, in units of the normalised signal.

    Attributes:
        shift_s: largest displacement in time, uniform in both directions.
        gain: standard deviation of the log of a factor for the whole beat.
        lead_gain: the same for each lead by itself: a z-scored set has lost the ratios of leads.
        noise: largest standard deviation of white noise, uniform from 0, for each lead.
        wander: largest amplitude of a slow wave of at most one period per beat, for each lead.
    """

    shift_s: float = 0.03
    gain: float = 0.2
    lead_gain: float = 0.15
    noise: float = 0.1
    wander: float = 0.2

    def __post_init__(self) -> None:
        """Reject negative amounts."""
        for name, value in vars(self).items():
            if value < 0.0:
                raise InputError(f"augmentation.{name} must be >= 0, got {value}")


def augment(beats: Tensor, how: BeatAugmentation, sampling_rate_hz: float) -> Tensor:
    """Change beats (B, L, N) at random, each for itself; nothing changes where all amounts are 0.

    The samples that a shift would bring in from outside repeat the last one inside.
    """
    n_beats, n_leads, n_samples = beats.shape
    device = beats.device
    reach = round(how.shift_s * sampling_rate_hz)
    if reach:
        shift = torch.randint(-reach, reach + 1, (n_beats, 1), device=device)
        index = (torch.arange(n_samples, device=device) + shift).clamp(0, n_samples - 1)
        beats = beats.gather(2, index.unsqueeze(1).expand(-1, n_leads, -1))
    gain = how.gain * torch.randn(n_beats, 1, 1, device=device)
    gain = gain + how.lead_gain * torch.randn(n_beats, n_leads, 1, device=device)
    noise = how.noise * torch.rand(n_beats, n_leads, 1, device=device) * torch.randn_like(beats)
    return beats * gain.exp() + noise + how.wander * _slow_waves(beats)


def _slow_waves(like: Tensor) -> Tensor:
    """Return sinusoids of random amplitude (up to 1), frequency (up to one period) and phase."""
    time = torch.linspace(0.0, 2.0 * math.pi, like.shape[-1], device=like.device)
    amplitude, periods, phase = torch.rand(3, *like.shape[:2], 1, device=like.device)
    waves: Tensor = amplitude * torch.sin(periods * time + 2.0 * math.pi * phase)
    return waves
