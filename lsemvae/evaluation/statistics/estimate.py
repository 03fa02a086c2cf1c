"""Hold what every statistic returns: a value with its 95 % interval and how that was made."""

import math
from typing import NamedTuple

from scipy.stats import norm

CONFIDENCE = 0.95
Z = float(norm.ppf(0.5 + CONFIDENCE / 2))  # 1.96


class Estimate(NamedTuple):
    """A value with its 95 % interval.

    Attributes:
        value: point estimate, NaN where it has no value.
        low: lower end of the interval, NaN where there is none.
        high: upper end of the interval.
        method: how the interval was made, or why there is none.
    """

    value: float
    low: float
    high: float
    method: str


class Comparison(NamedTuple):
    """A difference with its interval, and the two-sided p of no difference.

    Attributes:
        difference: first minus second.
        p: two-sided p-value.
    """

    difference: Estimate
    p: float


def undefined(reason: str, value: float = math.nan) -> Estimate:
    """Return an estimate that has no interval, with the reason in place of the method."""
    return Estimate(value, math.nan, math.nan, reason)


def wald(value: float, standard_error: float, method: str) -> Estimate:
    """Return `value` +- 1.96 standard errors."""
    return Estimate(value, value - Z * standard_error, value + Z * standard_error, method)


def compare_by_wald(difference: float, variance: float, method: str) -> Comparison:
    """Return a difference with its Wald interval and p.

    Note:
        Two predictors that order the records alike have a difference and a variance of zero:
        p is 1. A difference without any variance (one perfect, one inverted) has no p: NaN.
    """
    if variance > 0:
        error = math.sqrt(variance)
        p = 2.0 * float(norm.sf(abs(difference) / error))
        return Comparison(wald(difference, error, method), p)
    if math.isclose(difference, 0.0, abs_tol=1e-12):
        return Comparison(Estimate(difference, difference, difference, method), 1.0)
    return Comparison(undefined(f"{method}: the variance is zero", difference), math.nan)
