import numpy as np
import pytest
from scipy.stats import t, ttest_1samp

from lsemvae.evaluation.statistics.bland_altman import bland_altman


def test_limits_of_the_published_peak_flow_example() -> None:
    """Bland & Altman 1986 (doi:10.1016/S0140-6736(86)90837-8): large against mini meter."""
    large = [494, 395, 516, 434, 476, 557, 413, 442, 650, 433, 417, 656, 267, 478, 178, 423, 427]
    mini = [512, 430, 520, 428, 500, 600, 364, 380, 658, 445, 432, 626, 260, 477, 259, 350, 451]
    found = bland_altman(mini, large)  # the paper takes large minus mini: -2.1, SD 38.8
    assert found.bias.value == pytest.approx(-2.1, abs=0.05)
    assert found.sd == pytest.approx(38.8, abs=0.05)
    # the paper takes 2 SD; these are 1.96 SD
    assert found.lower.value == pytest.approx(-2.12 - 1.96 * 38.77, abs=0.1)
    assert found.upper.value == pytest.approx(-2.12 + 1.96 * 38.77, abs=0.1)


def test_intervals_are_those_of_the_one_sample_t_test_and_of_the_formula() -> None:
    rng = np.random.default_rng(0)
    measured = rng.normal(30, 10, 50)
    estimated = measured + rng.normal(1, 4, 50)
    found = bland_altman(measured, estimated)
    expected = ttest_1samp(estimated - measured, 0).confidence_interval(0.95)
    assert (found.bias.low, found.bias.high) == pytest.approx((expected.low, expected.high))
    error = found.sd * np.sqrt(1 / 50 + 1.959964**2 / (2 * 49))
    half = t.ppf(0.975, 49) * error
    assert found.upper.high - found.upper.value == pytest.approx(half, rel=1e-6)
    assert found.lower.value - found.lower.low == pytest.approx(half, rel=1e-6)


def test_records_of_one_patient_do_not_narrow_the_intervals() -> None:
    rng = np.random.default_rng(0)
    measured = rng.normal(30, 10, 40)
    estimated = measured + rng.normal(1, 4, 40)
    once = bland_altman(measured, estimated)
    fourfold = bland_altman(
        np.tile(measured, 4), np.tile(estimated, 4), np.tile(np.arange(40), 4), n_resamples=1000
    )
    width = once.bias.high - once.bias.low
    assert fourfold.bias.high - fourfold.bias.low == pytest.approx(width, rel=0.15)


def test_estimates_drawn_to_the_mean_have_a_falling_difference() -> None:
    measured = np.linspace(10, 60, 30)
    estimated = 35 + 0.5 * (measured - 35)
    # difference -(m - 35) / 2 over the mean of both, 35 + 3 (m - 35) / 4
    assert bland_altman(measured, estimated).slope == pytest.approx(-2 / 3)
