import math

import numpy as np
import pytest
from scipy.stats import norm, ttest_1samp

from lsemvae.core.errors import InputError
from lsemvae.evaluation.statistics.nadeau_bengio import corrected_resampled_t, metric_interval
from tests.evaluation.simulated import monte_carlo_error


def test_interval_and_p_by_hand() -> None:
    # Mean .2, variance .01, J = 3, ratio 1/2: error sqrt((1/3 + 1/2) * .01) = .0912871, t = 2.19089
    # with 2 degrees of freedom, whose two-sided p is 1 - t / sqrt(2 + t^2); t(.975) = 4.302653.
    result = corrected_resampled_t([0.1, 0.2, 0.3], test_to_train=0.5)
    half = 4.302653 * 0.0912871
    assert result.difference[:3] == pytest.approx((0.2, 0.2 - half, 0.2 + half), abs=1e-6)
    assert result.p == pytest.approx(1 - 2.19089 / math.sqrt(2 + 2.19089**2), abs=1e-6)


def test_an_interval_of_a_metric_does_not_leave_what_the_metric_can_be() -> None:
    """By hand: mean .8, variance .04, J = 2, ratio 1: error sqrt(1.5 * .04), t(.975, 1) = 12.7."""
    values = [0.8 - 0.02**0.5, 0.8 + 0.02**0.5]
    assert metric_interval(values, "auroc", test_to_train=1)[:3] == pytest.approx((0.8, 0.0, 1.0))
    assert metric_interval(values, "mcc", test_to_train=1)[:3] == pytest.approx((0.8, -1.0, 1.0))
    alike = metric_interval([0.80, 0.81], "auroc", test_to_train=1)
    plain = corrected_resampled_t([0.80, 0.81], test_to_train=1).difference
    assert alike == plain


def test_without_the_correction_it_is_students_test() -> None:
    values = np.random.default_rng(0).normal(0.1, 1, 8)
    result = corrected_resampled_t(values, test_to_train=1e-12)
    expected = ttest_1samp(values, 0)
    assert result.p == pytest.approx(expected.pvalue)
    assert result.difference[1:3] == pytest.approx(tuple(expected.confidence_interval()))


def test_folds_that_all_agree_leave_no_doubt() -> None:
    assert corrected_resampled_t([0.0, 0.0], test_to_train=1).p == 1.0
    agreed = corrected_resampled_t([0.5, 0.5], test_to_train=1)
    assert (agreed.p, agreed.difference.low) == (0.0, 0.5)


@pytest.mark.parametrize(
    ("values", "ratio"), [([0.1], 0.25), ([0.1, np.nan], 0.25), ([0.1, 0.2], 0.0)]
)
def test_unusable_input_is_refused(values: list[float], ratio: float) -> None:
    with pytest.raises(InputError, match="at least two folds and a positive ratio"):
        corrected_resampled_t(values, test_to_train=ratio)


def auroc(label: np.ndarray, score: np.ndarray) -> float:
    """Return the Mann-Whitney statistic of scores without ties."""
    rank = score.argsort().argsort()
    n = label.sum()
    return float((rank[label].sum() - n * (n - 1) / 2) / (n * (len(label) - n)))


@pytest.mark.slow
def test_interval_covers_where_a_naive_one_does_not() -> None:
    # Five folds of 691 records; the learner is the difference of the class means of 30 variables,
    # whose true AUROC is known for any direction: Phi(w . delta / (|w| sqrt 2)).
    rng, n, n_records, size = np.random.default_rng(1), 500, 691, 30
    delta = np.full(size, 0.9 / math.sqrt(size))
    found, truth = np.zeros((n, 5)), np.zeros((n, 5))
    for study in range(n):
        label = rng.random(n_records) < 0.55
        x = rng.normal(size=(n_records, size)) + label[:, None] * delta
        fold = np.arange(n_records) % 5
        for k in range(5):
            train, test = fold != k, fold == k
            direction = x[train & label].mean(axis=0) - x[train & ~label].mean(axis=0)
            found[study, k] = auroc(label[test], x[test] @ direction)
            truth[study, k] = norm.cdf(direction @ delta / np.linalg.norm(direction) / math.sqrt(2))
    covered = np.zeros(2)
    for values in found:
        for place, ratio in enumerate((0.25, 1e-12)):
            interval = corrected_resampled_t(values, test_to_train=ratio).difference
            covered[place] += interval.low <= truth.mean() <= interval.high
    corrected, naive = covered / n
    assert corrected > 0.95 - 3 * monte_carlo_error(0.95, n)
    assert corrected > naive
