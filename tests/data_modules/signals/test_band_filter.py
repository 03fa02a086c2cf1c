"""Pass band, phase and resampling against what theory says of them."""

import numpy as np
import numpy.typing as npt
import pytest

from data_modules.signals.band_filter import ORDER, band_filter
from data_modules.signals.resampling import resample


def sine(
    frequency_hz: float, *, rate: float = 500.0, seconds: float = 20.0
) -> npt.NDArray[np.float32]:
    time = np.arange(round(seconds * rate)) / rate
    return np.sin(2 * np.pi * frequency_hz * time)[None].astype(np.float32)


def gain_in_the_middle(
    frequency_hz: float, low_hz: float | None, high_hz: float | None, notch: float | None = None
) -> float:
    signal = sine(frequency_hz)
    filtered = band_filter(
        signal, sampling_rate_hz=500, low_hz=low_hz, high_hz=high_hz, powerline_hz=notch
    )
    middle = slice(3000, 7000)
    # the projection on the input: a shift in phase would lower it
    return float((filtered * signal)[0, middle].sum() / (signal**2)[0, middle].sum())


@pytest.mark.parametrize("frequency_hz", [1.0, 5.0, 20.0, 40.0, 60.0, 100.0])
def test_the_low_pass_has_the_squared_butterworth_response(frequency_hz: float) -> None:
    # bilinear transform: the analogue frequency of f is tan(pi f / rate)
    ratio = np.tan(np.pi * frequency_hz / 500) / np.tan(np.pi * 40 / 500)
    expected = 1 / (1 + ratio ** (2 * ORDER))  # |H|**2, as it runs forwards and backwards
    assert gain_in_the_middle(frequency_hz, None, 40.0) == pytest.approx(expected, abs=2e-3)


def test_the_default_band_keeps_the_qrs_and_removes_baseline_and_powerline() -> None:
    assert gain_in_the_middle(10.0, 0.5, 40.0) == pytest.approx(1, abs=0.01)
    assert abs(gain_in_the_middle(0.1, 0.5, 40.0)) < 0.02
    assert abs(gain_in_the_middle(100.0, 0.5, 40.0)) < 0.03


def test_the_notch_removes_its_frequency_alone() -> None:
    assert abs(gain_in_the_middle(50.0, None, None, 50.0)) < 0.01
    assert gain_in_the_middle(40.0, None, None, 50.0) == pytest.approx(1, abs=0.02)


def test_no_filter_changes_nothing() -> None:
    signal = sine(3.0) + 7
    filtered = band_filter(
        signal, sampling_rate_hz=500, low_hz=None, high_hz=None, powerline_hz=None
    )
    np.testing.assert_array_equal(filtered, signal)


def test_an_edge_above_what_the_rate_holds_is_left_out() -> None:
    signal = sine(10.0, rate=64)
    filtered = band_filter(
        signal, sampling_rate_hz=64, low_hz=None, high_hz=40.0, powerline_hz=50.0
    )
    np.testing.assert_array_equal(filtered, signal)


def test_a_recording_shorter_than_the_padding_is_filtered() -> None:
    signal = np.ones((2, 5), dtype=np.float32)
    filtered = band_filter(signal, sampling_rate_hz=500, low_hz=0.5, high_hz=40, powerline_hz=50)
    assert filtered.shape == (2, 5)


@pytest.mark.parametrize("rate", [100.0, 250.0, 257.0, 360.0, 999.5, 1000.0])
def test_resampling_keeps_a_wave_in_time_and_height(rate: float) -> None:
    resampled = resample(sine(3.0, rate=rate).astype(np.float64), from_hz=rate, to_hz=500)
    expected = sine(3.0)
    assert abs(resampled.shape[1] - expected.shape[1]) <= 1
    n = min(resampled.shape[1], expected.shape[1])
    np.testing.assert_allclose(resampled[:, 500 : n - 500], expected[:, 500 : n - 500], atol=5e-3)


def test_resampling_down_removes_what_would_fold_back() -> None:
    resampled = resample(sine(420.0, rate=1000).astype(np.float64), from_hz=1000, to_hz=500)
    assert np.abs(resampled[:, 500:-500]).max() < 0.02


def test_resampling_rings_at_no_end_of_an_offset() -> None:
    resampled = resample(np.full((1, 3600), 2.0), from_hz=360, to_hz=500)
    np.testing.assert_allclose(resampled, 2.0, atol=2e-3)
