"""Gaps, flat and saturated leads."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_modules.signals.lead_faults import (
    find_flat,
    find_saturated,
    interpolate_gaps,
    longest_run,
)
from tests.data_modules.conftest import make_ecg_mv


@given(st.lists(st.booleans(), min_size=1, max_size=40))
def test_longest_run_equals_a_count_by_groups(mask: list[bool]) -> None:
    slow = max((len(list(run)) for value, run in itertools.groupby(mask) if value), default=0)
    assert longest_run(np.array([mask, [True] * len(mask)])).tolist() == [slow, len(mask)]


def test_a_short_gap_becomes_a_straight_line_and_is_counted() -> None:
    ecg = np.tile(np.arange(100, dtype=np.float32), (3, 1))
    spoilt = ecg.copy()
    spoilt[1, 40:44] = np.nan
    filled, bridged = interpolate_gaps(spoilt, max_gap=4)
    np.testing.assert_allclose(filled, ecg)
    assert bridged.tolist() == [0, 4, 0]


def test_a_gap_at_an_end_takes_the_nearest_sample() -> None:
    ecg = np.full((1, 100), 5, dtype=np.float32)
    ecg[0, 90:] = 7
    ecg[0, [0, 98, 99]] = np.nan
    filled, bridged = interpolate_gaps(ecg, max_gap=2)
    assert (filled[0, 0], filled[0, -1], bridged[0]) == (5, 7, 3)


def test_long_or_many_gaps_stay_missing() -> None:
    ecg = np.zeros((3, 100), dtype=np.float32)
    ecg[0, 40:45] = np.nan
    ecg[1, ::10] = np.nan
    ecg[2] = np.nan
    filled, bridged = interpolate_gaps(ecg, max_gap=4)
    np.testing.assert_array_equal(np.isnan(filled), np.isnan(ecg))
    assert bridged.tolist() == [0, 0, 0]


def test_flat_leads_are_found_at_any_offset_and_under_noise_of_the_converter() -> None:
    ecg = make_ecg_mv().astype(np.float32)
    rng = np.random.default_rng(0)
    ecg[1] = 0.37
    ecg[2] = 80.0 + rng.choice([0.0, 0.02], 5000)
    ecg[3, 2500:] = -80.0
    assert np.flatnonzero(find_flat(ecg, sampling_rate_hz=500)).tolist() == [1, 2, 3]


def test_a_pause_of_three_seconds_and_a_small_heart_are_not_flat() -> None:
    ecg = make_ecg_mv().astype(np.float32)
    ecg[:, 2000:3500] = 0
    ecg[4] *= 0.1 / np.ptp(ecg[4])
    assert not find_flat(ecg, sampling_rate_hz=500).any()


def test_a_stay_at_a_rail_is_saturation_and_a_tall_peak_is_not() -> None:
    ecg = make_ecg_mv().astype(np.float32)
    ecg[0] *= 8 / ecg[0].max()
    ecg[1, 1000:1060] = 32.767
    ecg[2, 1000:1060] = -6.0
    ecg[3, 1000:1040] = 32.767
    ecg[4] = np.minimum(ecg[4], 0.05)
    assert np.flatnonzero(find_saturated(ecg, sampling_rate_hz=500)).tolist() == [1, 2]


@pytest.mark.parametrize("n_samples", [300, 500, 1234])
def test_recordings_of_broken_seconds_are_judged(n_samples: int) -> None:
    ecg = make_ecg_mv(n_samples).astype(np.float32)
    ecg[5] = 1.0
    assert find_flat(ecg, sampling_rate_hz=500).tolist() == [i == 5 for i in range(12)]
