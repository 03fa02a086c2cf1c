"""Measure how far estimates of a number are from what was measured.

A metric takes measured values (N,), estimates (N,) in the same unit and weights (R, N), and returns
(R,): a row of ones is the plain metric, the counts of a bootstrap resample are that resample's.
"""

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from lsemvae.core.counted import counted
from lsemvae.core.errors import InputError
from lsemvae.evaluation.statistics.binary_arrays import patient_codes
from lsemvae.evaluation.statistics.bootstrap import CHUNK_WEIGHTS, N_RESAMPLES, percentile
from lsemvae.evaluation.statistics.estimate import Estimate

Values = npt.NDArray[np.float64]
NumberMetric = Callable[[Values, Values, Values], Values]
FEWEST = 3


def check_numbers(measured: npt.ArrayLike, estimated: npt.ArrayLike) -> tuple[Values, Values]:
    """Return measured and estimated values as float64.

    Raises:
        InputError: shapes differ, fewer than three records, or a value that is not finite.
    """
    truth, estimate = np.asarray(measured, np.float64), np.asarray(estimated, np.float64)
    if truth.ndim != 1 or truth.shape != estimate.shape:
        raise InputError(
            f"got measured {truth.shape} and estimated values {estimate.shape}; give one of each "
            "per record"
        )
    if len(truth) < FEWEST:
        raise InputError(
            f"got {counted(len(truth), 'record')}; a statistic of numbers needs {FEWEST}"
        )
    bad = int((~(np.isfinite(truth) & np.isfinite(estimate))).sum())
    if bad:
        raise InputError(
            f"{counted(bad, 'record lacks', 'records lack')} a finite measured or estimated value"
        )
    return truth, estimate


def mean_absolute_error(truth: Values, estimate: Values, weight: Values) -> Values:
    """Return the mean of |estimate - truth|, in the unit."""
    return _mean(np.abs(estimate - truth), weight)


def root_mean_squared_error(truth: Values, estimate: Values, weight: Values) -> Values:
    """Return the root of the mean of (estimate - truth)^2, in the unit."""
    return np.sqrt(_mean((estimate - truth) ** 2, weight))


def bias(truth: Values, estimate: Values, weight: Values) -> Values:
    """Return the mean of estimate minus truth, in the unit."""
    return _mean(estimate - truth, weight)


def r2(truth: Values, estimate: Values, weight: Values) -> Values:
    """Return 1 - squared error / squared distance from the mean; NaN where all are equal.

    Below zero the mean of these records would have been the better estimate of each.
    """
    centred = truth - truth.mean()  # so that no digits are lost to a far mean
    variance = _mean(centred**2, weight) - _mean(centred, weight) ** 2
    return 1 - _ratio(_mean((estimate - truth) ** 2, weight), variance)


def pearson(truth: Values, estimate: Values, weight: Values) -> Values:
    """Return Pearson's correlation; NaN where one side does not vary."""
    x_variance, y_variance, covariance, _ = _moments(truth, estimate, weight)
    product = np.maximum(x_variance, 0.0) * np.maximum(y_variance, 0.0)
    return _ratio(covariance, np.sqrt(product))


def concordance(truth: Values, estimate: Values, weight: Values) -> Values:
    """Return the concordance correlation (Lin 1989, doi:10.2307/2532051), moments over N."""
    x_variance, y_variance, covariance, shift = _moments(truth, estimate, weight)
    return _ratio(2 * covariance, x_variance + y_variance + shift**2)


NUMBER_METRICS: dict[str, NumberMetric] = {
    "mae": mean_absolute_error,
    "rmse": root_mean_squared_error,
    "r2": r2,
    "pearson": pearson,
    "ccc": concordance,
    "bias": bias,
}


def number_metrics(measured: npt.ArrayLike, estimated: npt.ArrayLike) -> dict[str, float]:
    """Return every metric with each record counted once.

    Raises:
        InputError: see `check_numbers`.
    """
    truth, estimate = check_numbers(measured, estimated)
    once = np.ones((1, len(truth)))
    return {name: float(one(truth, estimate, once)[0]) for name, one in NUMBER_METRICS.items()}


def number_intervals(
    measured: npt.ArrayLike, estimated: npt.ArrayLike, patient_id: npt.ArrayLike | None = None, *,
    n_resamples: int = N_RESAMPLES, seed: int = 0,
) -> dict[str, Estimate]:  # fmt: skip
    """Return every metric with its percentile interval, all records of a patient drawn together.

    Args:
        measured: (N,).
        estimated: (N,), in the same unit.
        patient_id: (N,); None means one record per patient.
        n_resamples: how many.
        seed: of the draws.

    Raises:
        InputError: see `check_numbers`.
    """
    truth, estimate = check_numbers(measured, estimated)
    codes = patient_codes(patient_id, len(truth))
    chunks = [
        np.stack([one(truth, estimate, weight) for one in NUMBER_METRICS.values()])
        for weight in resampled_patients(codes, n_resamples=n_resamples, seed=seed)
    ]
    plain = number_metrics(truth, estimate)
    drawn = dict(zip(NUMBER_METRICS, np.concatenate(chunks, axis=1), strict=True))
    return {name: percentile(plain[name], drawn[name]) for name in NUMBER_METRICS}


def resampled_patients(
    codes: npt.NDArray[np.int64], *, n_resamples: int, seed: int
) -> Iterator[Values]:
    """Yield (r, N) weights, r resamples at a time: how often each record's patient was drawn.

    Args:
        codes: (N,) patient of each record, from `patient_codes`.
        n_resamples: in all.
        seed: of the draws.
    """
    random, n_patients = np.random.default_rng(seed), int(codes.max()) + 1
    size = max(1, CHUNK_WEIGHTS // len(codes))
    for start in range(0, n_resamples, size):
        rows = min(size, n_resamples - start)
        drawn = random.multinomial(n_patients, np.full(n_patients, 1 / n_patients), size=rows)
        yield drawn[:, codes].astype(np.float64)


def _mean(values: Values, weight: Values) -> Values:
    return np.asarray(weight @ values / weight.sum(axis=1))


def _moments(
    truth: Values, estimate: Values, weight: Values
) -> tuple[Values, Values, Values, Values]:
    """Return both variances, the covariance and the distance of the means, each (R,)."""
    x, y = truth - truth.mean(), estimate - truth.mean()
    x_mean, y_mean = _mean(x, weight), _mean(y, weight)
    return (
        _mean(x * x, weight) - x_mean**2,
        _mean(y * y, weight) - y_mean**2,
        _mean(x * y, weight) - x_mean * y_mean,
        y_mean - x_mean,
    )


def _ratio(numerator: Values, denominator: Values) -> Values:
    known = denominator > 1e-12
    return np.where(known, numerator / np.where(known, denominator, 1.0), np.nan)
