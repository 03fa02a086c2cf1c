import numpy as np
import pytest
import statsmodels.api as sm
import torch
from scipy.special import expit
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss
from statsmodels.stats.proportion import proportion_confint
from torchmetrics.functional.classification import binary_calibration_error

from lsemvae.core.errors import InputError
from lsemvae.evaluation.statistics.calibration import (
    calibration_intercept,
    calibration_measures,
    calibration_slope,
    expected_calibration_error,
    log_odds,
    reliability_curve,
)
from tests.evaluation.simulated import logistic, monte_carlo_error


def simulated(n: int, *, intercept: float, slope: float, seed: int) -> tuple[np.ndarray, ...]:
    """Return labels and probabilities whose true calibration is known."""
    rng = np.random.default_rng(seed)
    predicted = rng.normal(0.3, 1.2, n)
    return logistic(intercept + slope * predicted, rng), 1 / (1 + np.exp(-predicted))


def test_slope_and_intercept_equal_statsmodels() -> None:
    label, probability = simulated(500, intercept=0.4, slope=0.7, seed=0)
    predictor = np.log(probability / (1 - probability))
    binomial = sm.families.Binomial()
    slope = sm.GLM(label, sm.add_constant(predictor), family=binomial).fit()
    shift = sm.GLM(label, np.ones(500), family=binomial, offset=predictor).fit(
        cov_type="cluster", cov_kwds={"groups": np.arange(500)}
    )
    ours = calibration_slope(label, probability)
    assert ours[:3] == pytest.approx((slope.params[1], *slope.conf_int()[1]), abs=1e-5)
    ours = calibration_intercept(label, probability)
    assert ours[:3] == pytest.approx((shift.params[0], *shift.conf_int()[0]), abs=1e-5)


def test_a_planted_miscalibration_is_found() -> None:
    # Slope 2: the probabilities are too timid, what focal loss leads to.
    label, probability = simulated(20_000, intercept=0.0, slope=2.0, seed=1)
    slope = calibration_slope(label, probability)
    assert slope.low < 2.0 < slope.high
    assert slope.low > 1.8
    label, probability = simulated(20_000, intercept=-1.0, slope=1.0, seed=2)
    intercept = calibration_intercept(label, probability)
    assert intercept.low < -1.0 < intercept.high


def test_several_records_of_a_patient_widen_the_interval() -> None:
    label, probability = simulated(300, intercept=0.0, slope=1.0, seed=3)
    once = calibration_slope(label, probability)
    patient = np.tile(np.arange(300), 3)
    naive = calibration_slope(np.tile(label, 3), np.tile(probability, 3))
    robust = calibration_slope(np.tile(label, 3), np.tile(probability, 3), patient)
    assert robust.high - robust.low == pytest.approx(once.high - once.low, rel=0.15)
    assert naive.high - naive.low < 0.6 * (once.high - once.low)
    assert robust.method.endswith("robust by patient")


def test_a_slope_that_does_not_exist_gives_its_reason() -> None:
    assert "all probabilities are equal" in calibration_slope([0, 1, 1], [0.4] * 3).method
    assert "separate" in calibration_slope([0, 0, 1], [0.1, 0.2, 0.9]).method
    assert np.isnan(calibration_slope([0, 0, 1], [0.1, 0.2, 0.9]).value)
    # The intercept needs no slope: log-odds of 2/3 against those of .4.
    expected = np.log(2) - np.log(0.4 / 0.6)
    assert calibration_intercept([0, 1, 1], [0.4] * 3).value == pytest.approx(expected)


def test_probabilities_that_float32_rounds_to_certainty_stay_finite() -> None:
    rounded = expit(np.array([20.0, -200.0], dtype=np.float32))
    assert rounded.tolist() == [1.0, 0.0]
    assert np.isfinite(log_odds(rounded.astype(np.float64))).all()
    label, probability = [1, 0, 1, 0], [1.0, 0.0, 0.0, 0.4]
    assert np.isfinite(calibration_intercept(label, probability).value)


def test_expected_error_equals_torchmetrics() -> None:
    label, probability = simulated(400, intercept=0.5, slope=0.5, seed=4)
    expected = binary_calibration_error(
        torch.from_numpy(probability), torch.from_numpy(label).long(), n_bins=10
    )
    assert expected_calibration_error(label, probability) == pytest.approx(float(expected))


def test_expected_error_by_hand() -> None:
    # Bins .9-1 (mean .95, rate .5) and 0-.1 (mean .05, rate 0): (2 * .45 + 2 * .05) / 4.
    assert expected_calibration_error([1, 0, 0, 0], [0.9, 1.0, 0.0, 0.1 - 1e-12]) == pytest.approx(
        0.25
    )


def test_expected_error_of_perfect_probabilities_is_what_the_docstring_says() -> None:
    rng = np.random.default_rng(5)
    probability = rng.beta(2, 2, size=(300, 700))
    label = rng.random((300, 700)) < probability
    errors = [expected_calibration_error(*row) for row in zip(label, probability, strict=True)]
    assert np.mean(errors) == pytest.approx(0.040, abs=0.002)  # Monte-Carlo SE .0006


def test_reliability_equals_sklearn_and_statsmodels() -> None:
    label, probability = simulated(500, intercept=0.0, slope=0.6, seed=6)
    curve = reliability_curve(label, probability)
    rate, mean = calibration_curve(label, probability, n_bins=10, strategy="quantile")
    assert curve["n"].tolist() == [50] * 10
    np.testing.assert_allclose(curve["event_rate"], rate)
    np.testing.assert_allclose(curve["mean_probability"], mean)
    low, high = proportion_confint(curve["event_rate"] * curve["n"], curve["n"], method="wilson")
    np.testing.assert_allclose(curve["low"], low, atol=1e-12)
    np.testing.assert_allclose(curve["high"], high, atol=1e-12)


def test_equal_probabilities_share_a_bin() -> None:
    curve = reliability_curve([0, 1, 1, 0], [0.5] * 4)
    assert curve["n"].tolist() == [4]
    mixed = reliability_curve([0, 1] * 10, [0.2] * 7 + [0.8] * 13)
    assert mixed["n"].tolist() == [7, 13]


def test_all_measures_are_those_of_the_functions() -> None:
    label, probability = simulated(200, intercept=0.0, slope=0.6, seed=7)
    measures = calibration_measures(label, probability)
    assert measures.slope == calibration_slope(label, probability)
    assert measures.intercept == calibration_intercept(label, probability)
    assert measures.brier == pytest.approx(brier_score_loss(label, probability))
    assert measures.reliability["n"].sum() == 200


def test_scores_that_are_no_probabilities_are_refused() -> None:
    with pytest.raises(InputError, match=r"not in 0..1"):
        calibration_slope([0, 1], [-1.0, 2.0])


def test_intercept_interval_covers_where_the_slope_is_not_one() -> None:
    # the true shift makes the expected number of positives right: from 400,000 records
    large, probability = simulated(400_000, intercept=0.2, slope=0.4, seed=10)
    truth = calibration_intercept(large, probability).value
    covered = 0
    for seed in range(400):
        label, probability = simulated(300, intercept=0.2, slope=0.4, seed=seed)
        shift = calibration_intercept(label, probability)
        covered += shift.low <= truth <= shift.high
    assert abs(covered / 400 - 0.95) < 3 * monte_carlo_error(0.95, 400)


def test_slope_interval_covers() -> None:
    n, covered = 500, np.zeros(2)
    for seed in range(n):
        label, probability = simulated(300, intercept=0.2, slope=0.8, seed=seed)
        slope = calibration_slope(label, probability)
        label, probability = simulated(300, intercept=0.2, slope=1.0, seed=seed)
        shift = calibration_intercept(label, probability)
        covered += slope.low <= 0.8 <= slope.high, shift.low <= 0.2 <= shift.high
    assert (np.abs(covered / n - 0.95) < 3 * monte_carlo_error(0.95, n)).all()
