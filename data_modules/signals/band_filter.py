"""Filter (L, T) signals to a band, forwards and backwards, so that no wave is shifted."""

from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy.signal import butter, iirnotch, tf2sos

from data_modules.signals.zero_phase import zero_phase

# Order 2, run forwards and backwards: -6 dB at the edges and 24 dB per octave beyond. Orders 1 to 4
# ring alike at the ends of a 10 s cut (0.03 to 0.05 mV RMS in the outer 0.5 s against a filter of
# the longer recording, CPSC 2018 and PTB), whatever the padding, so the cheap middle was taken.
ORDER = 2
NOTCH_QUALITY = 30.0  # 1.7 Hz wide at 50 Hz

Signals = npt.NDArray[np.float32]


def band_filter(
    ecg: Signals,
    *,
    sampling_rate_hz: float,
    low_hz: float | None,
    high_hz: float | None,
    powerline_hz: float | None,
) -> Signals:
    """Filter forwards and backwards, so that no wave is shifted in time.

    A band edge or powerline frequency that the recording's rate cannot hold (from 0.95 of half the
    rate on) is left out: the recording contains nothing there.

    Args:
        ecg: signals without NaN, shape (L, T).
        sampling_rate_hz: rate of `ecg`.
        low_hz: lower band edge; None keeps the baseline.
        high_hz: upper band edge; None keeps the high frequencies.
        powerline_hz: frequency of a notch; None has no notch.

    Returns:
        Filtered signals, shape (L, T).
    """
    sections = _sections(sampling_rate_hz, low_hz, high_hz, powerline_hz)
    if len(sections) == 0:
        return ecg.copy()
    # scipy's padding for this many sections, shorter where the recording is
    padding = min(3 * (2 * len(sections) + 1), ecg.shape[-1] - 1)
    return zero_phase(sections, ecg, padding=padding)


@lru_cache(maxsize=32)
def _sections(
    sampling_rate_hz: float,
    low_hz: float | None,
    high_hz: float | None,
    powerline_hz: float | None,
) -> npt.NDArray[np.float64]:
    """Design the filter as second-order sections, shape (sections, 6)."""
    highest = 0.95 * sampling_rate_hz / 2
    high = high_hz if high_hz is not None and high_hz < highest else None
    sections = [np.empty((0, 6))]
    if low_hz is not None:
        sections.append(butter(ORDER, low_hz, "highpass", fs=sampling_rate_hz, output="sos"))
    if high is not None:
        sections.append(butter(ORDER, high, "lowpass", fs=sampling_rate_hz, output="sos"))
    if powerline_hz is not None and powerline_hz < highest:
        numerator, denominator = iirnotch(powerline_hz, NOTCH_QUALITY, fs=sampling_rate_hz)
        sections.append(tf2sos(numerator, denominator))
    return np.concatenate(sections)
