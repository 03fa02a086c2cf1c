import numpy as np
import pytest
from scipy.stats import pearsonr
from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error

from lsemvae.core.errors import InputError
from lsemvae.evaluation.statistics.number_metrics import (
    NUMBER_METRICS,
    number_intervals,
    number_metrics,
)


def pairs(n: int = 200, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    measured = rng.normal(30, 10, n)
    return measured, 5 + 0.8 * measured + rng.normal(0, 4, n)


def test_metrics_are_those_of_scikit_learn_and_scipy() -> None:
    measured, estimated = pairs()
    found = number_metrics(measured, estimated)
    assert found["mae"] == pytest.approx(mean_absolute_error(measured, estimated))
    assert found["rmse"] == pytest.approx(root_mean_squared_error(measured, estimated))
    assert found["r2"] == pytest.approx(r2_score(measured, estimated))
    assert found["pearson"] == pytest.approx(pearsonr(measured, estimated).statistic)


def test_metrics_of_four_records_by_hand() -> None:
    # differences 1, 0, 1, 0; variances 5 and 3.25 over 4, covariance 4, means 1/2 apart
    found = number_metrics([1, 3, 5, 7], [2, 3, 6, 7])
    assert found["mae"] == 0.5
    assert found["rmse"] == pytest.approx(0.5**0.5)
    assert found["bias"] == 0.5
    assert found["r2"] == pytest.approx(1 - 2 / 20)
    measured_variance, estimated_variance, covariance = 5.0, 4.25, 4.5
    assert found["ccc"] == pytest.approx(
        2 * covariance / (measured_variance + estimated_variance + 0.5**2)
    )


def test_the_metric_of_weighted_records_is_that_of_repeated_ones() -> None:
    measured, estimated = pairs(12)
    weight = np.array([0, 1, 2, 3, 0, 1, 1, 5, 2, 0, 1, 1])
    repeated = np.repeat(np.arange(12), weight)
    plain = number_metrics(measured[repeated], estimated[repeated])
    for name, metric in NUMBER_METRICS.items():
        assert metric(measured, estimated, weight[None].astype(float))[0] == pytest.approx(
            plain[name]
        )


def test_a_far_origin_costs_no_digits() -> None:
    measured, estimated = pairs()
    near, far = number_metrics(measured, estimated), number_metrics(measured + 1e7, estimated + 1e7)
    assert far == pytest.approx(near, rel=1e-6)


def test_interval_of_the_bias_covers_as_often_as_it_says_with_several_records_a_patient() -> None:
    rng, inside = np.random.default_rng(1), 0
    patient = np.repeat(np.arange(40), 3)
    for _ in range(300):
        error = np.repeat(rng.normal(0, 3, 40), 3) + rng.normal(0, 1, 120)
        truth = rng.normal(30, 8, 120)
        found = number_intervals(truth, truth + error, patient, n_resamples=200)["bias"]
        inside += found.low <= 0 <= found.high
    assert 0.90 <= inside / 300 <= 0.98  # of .95; as independent records it would be .75


def test_a_constant_estimate_has_no_correlation_and_no_skill() -> None:
    measured = pairs()[0]
    found = number_metrics(measured, np.full(200, measured.mean()))
    assert np.isnan(found["pearson"])
    assert found["r2"] == pytest.approx(0)
    assert found["ccc"] == pytest.approx(0)


def test_what_is_no_number_is_refused() -> None:
    with pytest.raises(InputError, match="1 record lacks a finite"):
        number_metrics([1, 2, np.nan], [1, 2, 3])
    with pytest.raises(InputError, match="give one of each"):
        number_metrics([1, 2, 3], [1, 2])
