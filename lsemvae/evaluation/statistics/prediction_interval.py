"""Put an interval around estimates by split conformal prediction, and count what it holds."""

import math

import numpy as np
import numpy.typing as npt

from lsemvae.core.counted import counted
from lsemvae.core.errors import InputError
from lsemvae.evaluation.statistics.binary_arrays import patient_codes
from lsemvae.evaluation.statistics.bootstrap import N_RESAMPLES, percentile
from lsemvae.evaluation.statistics.estimate import Estimate
from lsemvae.evaluation.statistics.number_metrics import resampled_patients
from lsemvae.evaluation.statistics.proportions import proportion

NOMINAL = 0.9
"""Share of measured values that an interval is made to hold."""


def conformal_half_width(
    residual: npt.ArrayLike, patient_id: npt.ArrayLike | None = None, *, nominal: float = NOMINAL
) -> float:
    """Return the half-width of intervals from the errors on records held out of training.

    The ceil((n + 1) nominal)-th smallest absolute error: an interval of that half-width holds the
    value of another patient with at least that probability, whatever the distribution, where the
    model has not seen either (Lei et al. 2018, doi:10.1080/01621459.2017.1307116). A patient's
    records share the weight of one (Dunn et al. 2022, doi:10.1080/01621459.2022.2060112, pooled
    distributions).

    Args:
        residual: (n,) estimate minus measurement.
        patient_id: (n,); None means one record per patient.
        nominal: share of values that the interval shall hold.

    Returns:
        In the unit of the residuals; infinite where there are too few patients.

    Raises:
        InputError: a share that is none, no residual, or one that is not finite.
    """
    error = np.abs(np.asarray(residual, np.float64))
    if not 0 < nominal < 1 or not len(error) or not np.isfinite(error).all():
        raise InputError(
            f"expected a share between 0 and 1 and finite errors, got {nominal} and {len(error)} "
            "errors"
        )
    codes = patient_codes(patient_id, len(error))
    n_patients = int(codes.max()) + 1
    order = np.argsort(error)
    share = np.cumsum((1 / np.bincount(codes))[codes[order]])
    needed = (n_patients + 1) * nominal
    if needed > n_patients + 1e-9:
        return math.inf
    whole = len(error) == n_patients  # a record each: the rank is a whole number
    return float(error[order][np.searchsorted(share, (math.ceil(needed - 1e-9) if whole else needed)
                                              - 1e-9)])  # fmt: skip


def coverage(
    measured: npt.ArrayLike, low: npt.ArrayLike, high: npt.ArrayLike,
    patient_id: npt.ArrayLike | None = None, *, n_resamples: int = N_RESAMPLES, seed: int = 0,
) -> Estimate:  # fmt: skip
    """Return the share of measured values within their intervals.

    Wilson's interval with one record per patient, else a percentile bootstrap by patient.

    Args:
        measured: (N,).
        low: (N,).
        high: (N,).
        patient_id: (N,); None means one record per patient.
        n_resamples: of the bootstrap.
        seed: of the bootstrap.

    Raises:
        InputError: a record has no finite interval.
    """
    truth, lower, upper = (np.asarray(values, np.float64) for values in (measured, low, high))
    lacking = int((~(np.isfinite(lower) & np.isfinite(upper))).sum())
    if lacking or not len(truth):
        raise InputError(
            f"no finite prediction interval: {lacking} of {counted(len(truth), 'record')}"
        )
    inside = ((truth >= lower) & (truth <= upper)).astype(np.float64)
    codes = patient_codes(patient_id, len(inside))
    if len(np.unique(codes)) == len(codes):
        return proportion(float(inside.sum()), len(inside))
    weights = resampled_patients(codes, n_resamples=n_resamples, seed=seed)
    drawn = np.concatenate([weight @ inside / weight.sum(axis=1) for weight in weights])
    return percentile(float(inside.mean()), drawn)
