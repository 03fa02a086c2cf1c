"""Fit logistic lines that exist for any sample, for many samples at once."""

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from lsemvae.core.counted import counted
from lsemvae.core.errors import InputError
from lsemvae.evaluation.statistics.binary_arrays import Labels, Scores

Array = npt.NDArray[np.float64]
MOST_STEPS = 2000  # where nearly all are of one class each goes a twentieth of what is left
LONGEST_STEP = (
    2.0  # of log-odds: an undamped step of Newton's method may leave the maximum for good
)
TOLERANCE = 1e-7


def fit_lines(
    label: Labels, log_odds: Scores, weight: Array, *, slope: bool, penalised: bool = True
) -> Array:
    """Fit the label's log-odds as a line of the predicted ones, for R weightings of the records.

    With Firth's penalty, Jeffreys' prior: less biased in small samples, and finite where a sample
    has one class only or the classes are separate, where maximum likelihood has no value (Firth
    1993, doi:10.1093/biomet/80.1.27; Heinze & Schemper 2002, doi:10.1002/sim.1047).

    Args:
        label: (N,).
        log_odds: (N,), finite, not all equal where a slope is fitted.
        weight: (R, N), how often a record counts.
        slope: fit it; otherwise it is 1 and the intercept alone is fitted.
        penalised: whether to use Firth's penalty; else maximum likelihood.

    Returns:
        (R, 2) intercepts and slopes.

    Raises:
        InputError: a fit has not come to rest.
    """
    centre = float(log_odds.mean()) if slope else 0.0
    predictor = log_odds - centre
    line = np.tile([centre if slope else 0.0, 1.0], (len(weight), 1))
    how = {"slope": slope, "penalised": penalised}
    pace = np.ones(len(weight))
    height = _height(label, predictor, weight, line, **how)
    moving = np.arange(len(weight))
    for _ in range(MOST_STEPS):
        step = _step(label, predictor, weight[moving], line[moving], **how)
        longest = np.abs(step).max(1)
        still = longest >= TOLERANCE
        moving, step, longest = moving[still], step[still], longest[still]
        if not len(moving):
            return np.stack([line[:, 0] - line[:, 1] * centre, line[:, 1]], axis=1)
        ahead = line[moving] + step * np.minimum(pace[moving], LONGEST_STEP / longest)[:, None]
        there = _height(label, predictor, weight[moving], ahead, **how)
        uphill = there >= height[moving] - 1e-12 * np.abs(height[moving])
        line[moving[uphill]], height[moving[uphill]] = ahead[uphill], there[uphill]
        pace[moving] = np.where(uphill, np.minimum(1.0, 2 * pace[moving]), pace[moving] / 2)
    lines = counted(len(moving), "logistic line has", "logistic lines have")
    raise InputError(f"{lines} not come to rest, of {len(weight)}")


def _height(
    label: Labels, predictor: Scores, weight: Array, line: Array, *, slope: bool, penalised: bool
) -> Array:
    """Return the (penalised) log-likelihood (R,)."""
    odds = line[:, :1] + line[:, 1:] * predictor
    likelihood = -(weight * np.logaddexp(0, np.where(label, -odds, odds))).sum(1)
    if not penalised:
        return np.asarray(likelihood)
    share = expit(odds)
    a, b, c = _moments(weight * share * (1 - share), predictor, slope=slope)
    return np.asarray(likelihood + np.log(np.maximum(a * c - b * b, 1e-300)) / 2)


def _moments(information: Array, predictor: Scores, *, slope: bool) -> tuple[Array, Array, Array]:
    """Return the entries (R,) of the information matrix; of the intercept alone: a, 0, 1."""
    a = information.sum(1)
    if not slope:
        return a, np.zeros_like(a), np.ones_like(a)
    return a, information @ predictor, information @ predictor**2


def _step(
    label: Labels, predictor: Scores, weight: Array, line: Array, *, slope: bool, penalised: bool
) -> Array:
    """Return the scoring step (R, 2) towards a zero of the (modified) score.

    The penalised score is that of records counted 1 + h times, with h the leverage, of which h / 2
    are positive; its information is taken for the step.
    """
    share = expit(line[:, :1] + line[:, 1:] * predictor)
    variance = share * (1 - share)
    a, b, c = _moments(weight * variance, predictor, slope=slope)
    residual = label - share
    if penalised:
        form = c[:, None] * np.ones_like(predictor)
        if slope:
            form = form + a[:, None] * predictor**2 - 2 * b[:, None] * predictor
        leverage = variance * form / (a * c - b * b)[:, None]
        residual = residual + leverage * (0.5 - share)
        a, b, c = _moments(weight * variance * (1 + leverage), predictor, slope=slope)
    first = (weight * residual).sum(1)
    second = (weight * residual) @ predictor if slope else np.zeros_like(first)
    step = np.stack([c * first - b * second, a * second - b * first], axis=1)
    return np.asarray(step / (a * c - b * b)[:, None])
