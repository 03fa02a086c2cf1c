"""Show how estimates agree with a measurement: bias and limits of agreement."""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.stats import t as student

from lsemvae.evaluation.statistics.binary_arrays import patient_codes
from lsemvae.evaluation.statistics.bootstrap import N_RESAMPLES, percentile
from lsemvae.evaluation.statistics.estimate import CONFIDENCE, Estimate, Z
from lsemvae.evaluation.statistics.number_metrics import Values, check_numbers, resampled_patients


class Agreement(NamedTuple):
    """Agreement of estimates with a measurement, in its unit.

    Attributes:
        bias: mean of estimate minus measurement.
        lower: limit of agreement, bias - 1.96 SD of the differences.
        upper: limit of agreement, bias + 1.96 SD.
        sd: of the differences.
        slope: change of the difference by unit of the mean of both; 0 where the error is the same
            for small and large values.
    """

    bias: Estimate
    lower: Estimate
    upper: Estimate
    sd: float
    slope: float


def bland_altman(
    measured: npt.ArrayLike, estimated: npt.ArrayLike, patient_id: npt.ArrayLike | None = None, *,
    n_resamples: int = N_RESAMPLES, seed: int = 0,
) -> Agreement:  # fmt: skip
    """Return bias and limits of agreement with 95 % intervals.

    With one record per patient the intervals are those of Bland & Altman 1999
    (doi:10.1177/096228029900800204, section 2.1): Student's t on N - 1 degrees of freedom, the
    standard error of a limit is SD sqrt(1 / N + 1.96^2 / (2 (N - 1))). With several records of a
    patient they are a percentile bootstrap by patient.

    Args:
        measured: (N,).
        estimated: (N,), in the same unit.
        patient_id: (N,); None means one record per patient.
        n_resamples: of the bootstrap.
        seed: of the bootstrap.

    Raises:
        InputError: see `check_numbers`.
    """
    truth, estimate = check_numbers(measured, estimated)
    difference = estimate - truth
    codes = patient_codes(patient_id, len(truth))
    sd = float(difference.std(ddof=1))
    slope = _slope((estimate + truth) / 2, difference)
    if len(np.unique(codes)) == len(codes):
        return Agreement(*_by_student(difference), sd, slope)
    return Agreement(*_by_patient(difference, codes, n_resamples, seed), sd, slope)


def _by_student(difference: Values) -> tuple[Estimate, Estimate, Estimate]:
    n, centre, sd = len(difference), float(difference.mean()), float(difference.std(ddof=1))
    quantile = float(student.ppf(0.5 + CONFIDENCE / 2, n - 1))
    of_mean, of_limit = sd / math.sqrt(n), sd * math.sqrt(1 / n + Z**2 / (2 * (n - 1)))

    def estimate(value: float, error: float) -> Estimate:
        half = quantile * error
        return Estimate(value, value - half, value + half, "Bland-Altman, Student's t")

    return (
        estimate(centre, of_mean),
        estimate(centre - Z * sd, of_limit),
        estimate(centre + Z * sd, of_limit),
    )


def _by_patient(
    difference: Values, codes: npt.NDArray[np.int64], n_resamples: int, seed: int
) -> tuple[Estimate, Estimate, Estimate]:
    weights = resampled_patients(codes, n_resamples=n_resamples, seed=seed)
    drawn = np.concatenate([_limits(difference, weight) for weight in weights], axis=1)
    plain = _limits(difference, np.ones((1, len(difference))))[:, 0]
    found = [percentile(float(v), d) for v, d in zip(plain, drawn, strict=True)]
    return found[0], found[1], found[2]


def _limits(difference: Values, weight: Values) -> Values:
    """Return bias, lower and upper limit, (3, R)."""
    total = weight.sum(axis=1)
    mean = weight @ difference / total
    squares = weight @ difference**2 / total - mean**2
    half = Z * np.sqrt(np.maximum(squares, 0.0) * total / (total - 1))
    return np.stack([mean, mean - half, mean + half])


def _slope(mean: Values, difference: Values) -> float:
    centred = mean - mean.mean()
    spread = float(centred @ centred)
    return float(centred @ difference) / spread if spread > 0 else math.nan
