import math

import pytest
from scipy.stats import norm

from lsemvae.evaluation.statistics.estimate import Estimate, compare_by_wald, undefined, wald


def test_wald_interval_and_p_belong_together() -> None:
    # The interval touches 0 exactly where p is .05.
    result = compare_by_wald(1.959963984540054, 1.0, "test")
    assert result.difference.low == pytest.approx(0)
    assert result.p == pytest.approx(0.05)
    assert compare_by_wald(-3.0, 4.0, "test").p == pytest.approx(2 * norm.cdf(-1.5))


def test_no_difference_and_no_variance_is_certain_equality() -> None:
    assert compare_by_wald(0.0, 0.0, "test") == (Estimate(0.0, 0.0, 0.0, "test"), 1.0)


def test_a_difference_without_variance_has_no_p() -> None:
    result = compare_by_wald(0.5, 0.0, "test")
    assert math.isnan(result.p)
    assert math.isnan(result.difference.high)
    assert result.difference.value == 0.5


def test_an_undefined_estimate_keeps_the_reason() -> None:
    result = undefined("too few")
    assert all(math.isnan(number) for number in result[:3])
    assert result.method == "too few"
    assert wald(1.0, 0.0, "w")[:3] == (1.0, 1.0, 1.0)
