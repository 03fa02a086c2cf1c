"""Compute AUROC with DeLong's variance, and compare AUROCs on the same records in pairs.

Note:
    MLstatkit 0.1.91 has DeLong's test for two models with Wald intervals, one record per patient,
    and silently turns to an unstratified bootstrap where many scores tie; scikit-learn and scipy
    have none. So it is written here, with several records of a patient taken into account.
"""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from lsemvae.core.counted import counted
from lsemvae.core.errors import InputError
from lsemvae.evaluation.statistics.binary_arrays import Labels, Scores, check_binary, patient_codes
from lsemvae.evaluation.statistics.estimate import Comparison, Estimate, Z, compare_by_wald
from lsemvae.evaluation.statistics.hanley_mcneil import separation_interval


class Aurocs(NamedTuple):
    """AUROCs of K predictors with their covariance.

    Attributes:
        value: (K,).
        covariance: (K, K).
        n_positive: patients with a positive record.
        n_negative: patients with a negative record.
    """

    value: npt.NDArray[np.float64]
    covariance: npt.NDArray[np.float64]
    n_positive: int
    n_negative: int


def structural_components(label: Labels, score: Scores) -> npt.NDArray[np.float64]:
    """Return each record's share of the other class that it is on the right side of.

    For a positive record the share of negatives scored below it (V10), for a negative record the
    share of positives scored above it (V01), ties counting one half. Midranks give all of them in
    O(N log N) (Sun & Xu 2014, doi:10.1109/LSP.2014.2337313).

    Args:
        label: (N,).
        score: (N,).

    Returns:
        (N,).
    """
    ranks = rankdata(score)
    components = np.empty(len(score))
    n_positive = int(label.sum())
    n_negative = len(label) - n_positive
    components[label] = (ranks[label] - rankdata(score[label])) / n_negative
    components[~label] = 1 - (ranks[~label] - rankdata(score[~label])) / n_positive
    return components


def delong(
    label: npt.ArrayLike,
    *scores: npt.ArrayLike,
    patient_id: npt.ArrayLike | None = None,
    fold: npt.ArrayLike | None = None,
) -> Aurocs:
    """Return AUROCs and their covariance.

    With one record per patient this is DeLong, DeLong & Clarke-Pearson 1988
    (doi:10.2307/2531595); with several, the structural components are summed by patient
    (Obuchowski 1997, doi:10.2307/2533958), which is the same formula for clusters of any size.

    Args:
        label: (N,), 0 or 1.
        scores: (N,) of each of K predictors, on the same records.
        patient_id: (N,); None means one record per patient.
        fold: (N,); where given, the mean over folds of the AUROC within each fold, so that scores
            of models that were trained apart are never ranked against one another. Patients of
            different folds are different, so the variances of the folds add up.

    Raises:
        InputError: see `check_binary`; fewer than two patients of either class, in any fold.
    """
    if fold is not None:
        return _mean_over_folds(label, scores, patient_id, np.asarray(fold))
    checked = [check_binary(label, score) for score in scores]
    truth = checked[0][0]
    codes = patient_codes(patient_id, len(truth))
    components = np.stack([structural_components(truth, score) for _, score in checked])
    value = components[:, truth].mean(axis=1)
    residual = components - value[:, None]
    n_patients = int(codes.max()) + 1
    sums, counts = [], []
    for side in (truth, ~truth):
        share = residual[:, side] / side.sum()
        sums.append(np.stack([np.bincount(codes[side], row, n_patients) for row in share]))
        counts.append(len(np.unique(codes[side])))
    if min(counts) < 2:
        raise InputError(
            f"got {counted(counts[0], 'patient')} with a positive and {counts[1]} with a negative "
            "record; DeLong's variance needs at least two of each"
        )
    cross = sums[0] @ sums[1].T
    covariance = (
        sums[0] @ sums[0].T * counts[0] / (counts[0] - 1)
        + sums[1] @ sums[1].T * counts[1] / (counts[1] - 1)
        + (cross + cross.T) * n_patients / (n_patients - 1)
    )
    return Aurocs(value, covariance, counts[0], counts[1])


def _mean_over_folds(
    label: npt.ArrayLike,
    scores: Sequence[npt.ArrayLike],
    patient_id: npt.ArrayLike | None,
    fold: npt.NDArray[Any],
) -> Aurocs:
    truth, patients = np.asarray(label), None if patient_id is None else np.asarray(patient_id)
    parts = []
    for number in np.unique(fold):
        mine = fold == number
        try:
            parts.append(
                delong(
                    truth[mine],
                    *(np.asarray(score)[mine] for score in scores),
                    patient_id=None if patients is None else patients[mine],
                )
            )
        except InputError as error:
            raise InputError(f"fold {number}: {error}") from error
    return Aurocs(
        np.mean([part.value for part in parts], axis=0),
        np.sum([part.covariance for part in parts], axis=0) / len(parts) ** 2,
        sum(part.n_positive for part in parts),
        sum(part.n_negative for part in parts),
    )


def auroc_interval(
    label: npt.ArrayLike,
    score: npt.ArrayLike,
    patient_id: npt.ArrayLike | None = None,
    *,
    fold: npt.ArrayLike | None = None,
) -> Estimate:
    """Return the AUROC with a 95 % interval: DeLong's variance on the logit scale.

    Args:
        label: (N,), 0 or 1.
        score: (N,).
        patient_id: (N,); None means one record per patient.
        fold: (N,); where given, of the mean over folds, see `delong`.

    Note:
        The logit by measurement. Coverage in 4,000 simulated binormal studies (Monte-Carlo
        standard error .003), logit against Wald: AUROC .80 with 400 + 291 records .954, .950;
        .90 with 20 + 80 .939, .893; .95 with 50 + 50 .946, .906; .95 with 30 + 300 .917, .873;
        .90 with 10 + 10 .974, .806.
        Where all positives score above all negatives DeLong's variance is zero and would claim
        certainty; see `separation_interval` for the interval that is given instead. Scores that
        are all equal have an AUROC of one half by definition and an interval without width.
    """
    result = delong(label, score, patient_id=patient_id, fold=fold)
    value, variance = float(result.value[0]), float(result.covariance[0, 0])
    if value in (0.0, 1.0):
        return separation_interval(value, result.n_positive, result.n_negative)
    centre = math.log(value / (1 - value))
    error = math.sqrt(max(variance, 0.0)) / (value * (1 - value))
    low, high = (1 / (1 + math.exp(-end)) for end in (centre - Z * error, centre + Z * error))
    within = "" if fold is None else " within folds"
    return Estimate(value, low, high, f"DeLong{within}, logit")


def paired_delong(
    label: npt.ArrayLike,
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    *,
    patient_id: npt.ArrayLike | None = None,
    fold: npt.ArrayLike | None = None,
) -> Comparison:
    """Return the difference of two AUROCs on the same records, with interval and p.

    Args:
        label: (N,), 0 or 1.
        first: (N,) scores.
        second: (N,) scores.
        patient_id: (N,); None means one record per patient.
        fold: (N,); where given, of the means over folds, see `delong`.
    """
    value, covariance, *_ = delong(label, first, second, patient_id=patient_id, fold=fold)
    variance = float(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1])
    method = "paired DeLong" if fold is None else "paired DeLong within folds"
    return compare_by_wald(float(value[0] - value[1]), variance, method)
