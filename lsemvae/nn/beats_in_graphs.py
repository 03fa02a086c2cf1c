"""Find heartbeats by products and sums alone, for graphs that have no spectra and fixed shapes.

What training computes by fast Fourier transforms stands here as convolution and correlation. The
numbers agree to float32. Shape legend: B batch, L leads, T samples, K beats, N samples of a beat.
"""

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

GAUSSIAN_REACH = 6.0  # standard deviations; beyond them 2e-9 of a Gaussian's mass lies


def convolved_energy(
    mirrored: Tensor,
    weight: Tensor,
    *,
    pad: int,
    sampling_rate_hz: float,
    band_hz: tuple[float, float],
    smoothing_s: float,
) -> Tensor:
    """Return the smoothed energy in a band, averaged over leads; see `qrs_energy`.

    Args:
        mirrored: (B, L, T + 2 pad), scaled to unit variance.
        weight: of the leads, (B, L), summing to one.
        pad: samples of the mirrored ends.
        sampling_rate_hz: of the recordings.
        band_hz: edges of the band.
        smoothing_s: standard deviation of the Gaussian.

    Returns:
        (B, T).
    """
    n_leads, length = mirrored.shape[1:]
    sigma = smoothing_s * sampling_rate_hz
    near = int(np.ceil(GAUSSIAN_REACH * sigma))
    band = _convolve(mirrored.flatten(0, 1), band_kernel(length, sampling_rate_hz, band_hz, pad))
    energy = (band.square().view(-1, n_leads, length) * weight.unsqueeze(-1)).sum(1)
    bell = np.exp(-0.5 * (np.arange(-near, near + 1) / sigma) ** 2)
    smooth = _convolve(energy, bell / bell.sum())
    return smooth[:, pad : length - pad]


def band_kernel(
    length: int, sampling_rate_hz: float, band_hz: tuple[float, float], reach: int
) -> np.ndarray:
    """Return the response to one sample of a Butterworth band of order 2 run both ways.

    It is cut where it has faded: below 3e-6 of its peak after a second.

    Args:
        length: of the signals, in samples; the response is that of a circle of this length.
        sampling_rate_hz: of the signals.
        band_hz: edges.
        reach: samples kept on each side.

    Returns:
        (2 reach + 1,).
    """
    f, (low, high) = np.fft.rfftfreq(length, 1.0 / sampling_rate_hz), band_hz
    detuned = (f**2 - low * high) / np.maximum(f * (high - low), 1e-9)
    response = np.fft.irfft(1.0 / (1.0 + detuned**4), n=length)
    return np.roll(response, reach)[: 2 * reach + 1]


def _convolve(signals: Tensor, kernel: np.ndarray) -> Tensor:
    """Convolve (M, T) with a symmetric kernel of odd length; zeros lie beyond the ends."""
    taps = torch.tensor(kernel.tolist(), dtype=signals.dtype).view(1, 1, -1)
    convolved: Tensor = F.conv1d(signals.unsqueeze(1), taps, padding=len(kernel) // 2)
    return convolved.squeeze(1)


def likeness_by_lag(around: Tensor, typical: Tensor) -> Tensor:
    """Correlate beats (B, K, L, N + S - 1) with (B, L, N) at S lags, (B, K, S)."""
    length, column = typical.shape[-1], typical.flatten(1).unsqueeze(-1)
    lags = range(around.shape[-1] - length + 1)
    each = [around[..., lag : lag + length].flatten(2) @ column for lag in lags]
    return torch.cat(each, -1)
