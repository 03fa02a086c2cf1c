"""The filter in blocks against scipy's, sample by sample."""

import numpy as np
import pytest
from scipy.signal import butter, iirnotch, sosfiltfilt, tf2sos

from data_modules.signals.band_filter import band_filter
from data_modules.signals.zero_phase import BLOCK, MAX_STATES, zero_phase

HIGH = butter(2, 0.5, "highpass", fs=500, output="sos")
LOW = butter(2, 40, "lowpass", fs=500, output="sos")
NOTCH = tf2sos(*iirnotch(50, 30, fs=500))
SLOW = butter(2, 0.01, "highpass", fs=1000, output="sos")


def walk(n_samples: int) -> np.ndarray:
    """Return noise with a drift and an offset, (3, T), like an electrode."""
    noise = np.random.default_rng(n_samples).standard_normal((3, n_samples))
    return (noise.cumsum(-1) * 0.02 + noise * 0.1 + [[5.0], [-2.0], [0.0]]).astype(np.float32)


@pytest.mark.parametrize("n_samples", [2, 40, BLOCK - 30, BLOCK, 2 * BLOCK + 1, 1000, 5000, 9999])
@pytest.mark.parametrize(
    "sections", [HIGH, LOW, np.vstack([HIGH, LOW]), np.vstack([HIGH, LOW, NOTCH]), SLOW]
)
def test_it_is_scipys_filter(sections: np.ndarray, n_samples: int) -> None:
    signals = walk(n_samples)
    for padding in {0, min(15, n_samples - 1)}:
        expected = sosfiltfilt(sections, signals, axis=-1, padlen=padding)
        found = zero_phase(sections, signals, padding=padding)
        tolerance = 1e-6 * np.abs(signals).max()
        np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance)


def test_long_signals_are_filtered_too() -> None:
    n_samples = BLOCK * MAX_STATES // 4 + 500
    sections = np.vstack([HIGH, LOW])
    expected = sosfiltfilt(sections, walk(n_samples), axis=-1, padlen=15)
    found = zero_phase(sections, walk(n_samples), padding=15)
    np.testing.assert_array_equal(found, expected.astype(np.float32))


def test_stored_counts_are_those_of_scipys_filter() -> None:
    """Rounded to 1 uV, one sample in 10,000 may fall on the other side of a half."""
    signals = walk(5000)
    found = band_filter(signals, sampling_rate_hz=500, low_hz=0.5, high_hz=40, powerline_hz=None)
    expected = sosfiltfilt(np.vstack([HIGH, LOW]), signals, axis=-1, padlen=15)
    difference = np.rint(found * 1000) - np.rint(expected * 1000)
    assert np.abs(difference).max() <= 1
    assert (difference != 0).mean() < 2e-3
