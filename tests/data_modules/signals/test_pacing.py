"""Spikes of a pacemaker: found where they are planted, and nowhere else."""

import numpy as np
import pytest

from benchmarks.recording_files import make_counts
from data_modules.signals.pacing import find_spikes

RATE = 500
TIMES = np.arange(0.7, 5.6, 0.8)
HEIGHTS = np.linspace(1.0, -0.6, 12)


def ecg(seed: int = 0) -> np.ndarray:
    """Return 6 s of twelve leads in mV with 10 uV of noise and a narrow QRS each second."""
    clean = make_counts(n_samples=6 * RATE, rate=RATE) * 5e-3
    return clean + np.random.default_rng(seed).normal(0, 0.01, clean.shape)


def with_spikes(heights: np.ndarray, times: np.ndarray = TIMES) -> np.ndarray:
    signal = ecg()
    for time in times:
        signal[:, round(time * RATE)] += heights
    return signal


def test_each_planted_spike_is_found_at_its_time() -> None:
    assert find_spikes(with_spikes(HEIGHTS), RATE) == pytest.approx(TIMES, abs=1 / RATE)


def test_a_recording_without_a_pacemaker_has_none() -> None:
    assert len(find_spikes(ecg(), RATE)) == 0


def test_sign_of_all_leads_does_not_matter() -> None:
    signal = with_spikes(HEIGHTS)
    assert np.array_equal(find_spikes(-signal, RATE), find_spikes(signal, RATE))


def test_two_are_no_pacemaker() -> None:
    assert len(find_spikes(with_spikes(HEIGHTS, TIMES[:2]), RATE)) == 0


def test_a_fault_of_one_electrode_is_none() -> None:
    one = np.zeros(12)
    one[8] = 2.0
    assert len(find_spikes(with_spikes(one), RATE)) == 0


def test_faults_that_are_not_alike_are_none() -> None:
    rng, signal = np.random.default_rng(1), ecg()
    for time in TIMES:
        signal[:, round(time * RATE)] += rng.normal(0, 1, 12)
    assert len(find_spikes(signal, RATE)) == 0


def test_small_deflections_are_none() -> None:
    assert len(find_spikes(with_spikes(np.full(12, 0.1)), RATE)) == 0


def test_missing_samples_and_short_recordings_hide_only_what_lies_there() -> None:
    signal = with_spikes(HEIGHTS)
    signal[:, :RATE] = np.nan
    assert find_spikes(signal, RATE) == pytest.approx(TIMES[1:], abs=1 / RATE)
    assert len(find_spikes(signal[:, :1], RATE)) == 0


@pytest.mark.parametrize("rate", [250, 1000])
def test_other_rates(rate: int) -> None:
    signal = make_counts(n_samples=6 * rate, rate=rate) * 5e-3
    for time in TIMES:
        signal[:, round(time * rate)] += HEIGHTS
    assert find_spikes(signal, rate) == pytest.approx(TIMES, abs=1 / rate)
