"""Find the spikes of a pacemaker in a recording as its file holds it."""

import numpy as np
import numpy.typing as npt
from scipy.ndimage import maximum_filter1d, minimum_filter1d
from scipy.signal import find_peaks

Signal = npt.NDArray[np.floating]

# A stimulus lasts 0.1 to 2 ms; behind a recorder's low-pass filter of 150 Hz it is some 4 ms wide.
WIDTH_S = 0.004
FLANK_S = 0.012  # shorter than from a stimulus to the QRS complex that it gives
SMALLEST_MV = 0.15
ISOLATION = 1.5  # height over what the signal does on either side; below 1 at the tip of a QRS
LEAD_SHARE = 0.25  # of the leads, at least, show a spike at the same time
APART_S = 0.02  # stimuli of atrium and ventricle are further apart
ALIKE = 0.8  # cosine between the heights of two spikes over the leads
FEWEST_SPIKES = 3  # of one kind; one or two may be faults of the recording


def find_spikes(ecg_mv: Signal, sampling_rate_hz: float) -> npt.NDArray[np.float64]:
    """Return the times of pacing spikes in seconds, increasing.

    A spike leaves the signal and returns within 4 ms, higher than whatever the signal does in the
    12 ms on either side, in a quarter of the leads at once, and at least two others have its
    heights over the leads. The rule is our own; that steepness tells spikes from QRS complexes:
    Haq et al. 2021, doi:10.1016/j.compbiomed.2021.104396. What it finds: docs/study.md.

    Args:
        ecg_mv: unfiltered, (L, T), mV; NaN where a sample is missing.
        sampling_rate_hz: of the recording, 250 or more.
    """
    heights = _spike_heights(ecg_mv, sampling_rate_hz)
    size = np.abs(heights)
    near = maximum_filter1d(size, 3, axis=-1, mode="constant")
    votes = (near > 0).sum(0)
    enough = votes >= max(1, int(np.ceil(LEAD_SHARE * len(ecg_mv))))
    total = np.where(enough, near.sum(0), 0.0)
    apart = max(1, round(APART_S * sampling_rate_hz))
    peaks, _ = find_peaks(np.pad(total, 1), distance=apart)
    peaks = peaks - 1
    return np.asarray(peaks[_repeated(_signed(heights, peaks))] / sampling_rate_hz)


def _spike_heights(ecg_mv: Signal, sampling_rate_hz: float) -> Signal:
    """Return the signed height of the spike at each sample of each lead, 0 where there is none.

    Returns:
        (L, T), mV.
    """
    width = max(1, round(WIDTH_S * sampling_rate_hz))
    flank = max(1, round(FLANK_S * sampling_rate_hz))
    margin, n_samples = width + flank, ecg_mv.shape[-1]
    padded = np.pad(ecg_mv, ((0, 0), (margin, margin)), constant_values=np.nan)
    rise, fall = (
        ecg_mv - padded[:, margin + by : margin + by + n_samples] for by in (-width, width)
    )
    height = np.where(np.abs(rise) < np.abs(fall), rise, fall)
    ranges = _ranges(padded, flank + 1)
    beside = np.maximum(ranges[:, :n_samples], ranges[:, margin + width :])
    size = np.abs(height)
    lonely = (rise * fall > 0) & (size >= SMALLEST_MV) & (size >= ISOLATION * beside)
    return np.where(lonely, height, 0.0)


def _ranges(signal: Signal, size: int) -> Signal:
    """Return largest minus smallest of every stretch of so many samples, (L, T - size + 1)."""
    first, last = size // 2, signal.shape[-1] - (size - 1) // 2
    highest, lowest = (
        found(signal, size, axis=-1)[:, first:last]
        for found in (maximum_filter1d, minimum_filter1d)
    )
    return np.asarray(highest - lowest)


def _signed(heights: Signal, peaks: npt.NDArray[np.intp]) -> Signal:
    """Return each lead's height, with its sign, within a sample of each of P peaks, (P, L)."""
    around = np.clip(peaks[:, None] + np.array([-1, 0, 1]), 0, heights.shape[-1] - 1)
    found = heights[:, around]  # (L, P, 3)
    place = np.abs(found).argmax(-1)[..., None]
    return np.asarray(np.take_along_axis(found, place, -1)[..., 0].T)


def _repeated(spikes: Signal) -> npt.NDArray[np.bool_]:
    """Say which spikes (P, L) have as many like them as a pacemaker gives."""
    lengths = np.linalg.norm(spikes, axis=-1, keepdims=True)
    directions = spikes / np.maximum(lengths, np.finfo(np.float32).tiny)
    return np.asarray((directions @ directions.T >= ALIKE).sum(-1) >= FEWEST_SPIKES)
