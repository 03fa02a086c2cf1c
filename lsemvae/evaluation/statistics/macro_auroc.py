"""Average the AUROC of several labels, with an interval that knows they share their patients."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from lsemvae.core.counted import counted
from lsemvae.core.errors import InputError
from lsemvae.evaluation.statistics.binary_arrays import Labels, patient_codes
from lsemvae.evaluation.statistics.delong import structural_components
from lsemvae.evaluation.statistics.estimate import (
    Comparison,
    Estimate,
    Z,
    compare_by_wald,
    undefined,
)

Values = npt.NDArray[np.float64]
METHOD = "DeLong by patient over the labels, logit"


class LabelAurocs(NamedTuple):
    """AUROCs of K labels, and what every patient adds to them.

    Attributes:
        value: (K,), means over the folds where there are some.
        influence: (K, P): their sum of squares over the patients is the variance of an AUROC.
    """

    value: Values
    influence: Values

    @property
    def each(self) -> list[Estimate]:
        """The AUROC of every label with its interval."""
        variance = (self.influence**2).sum(axis=1)
        return [_estimate(float(v), float(s)) for v, s in zip(self.value, variance, strict=True)]

    @property
    def macro(self) -> Estimate:
        """The mean of the AUROCs with its interval."""
        variance = float((self.influence.mean(axis=0) ** 2).sum())
        return _estimate(float(self.value.mean()), variance)


def label_aurocs(
    label: npt.ArrayLike, score: npt.ArrayLike, patient_id: npt.ArrayLike | None = None, *,
    names: Sequence[str], fold: npt.ArrayLike | None = None,
) -> LabelAurocs:  # fmt: skip
    """Return the AUROC of every label.

    The structural components of DeLong et al. 1988 (doi:10.2307/2531595) are summed by patient,
    over labels and folds, before they are squared: labels that the same patients have are not taken
    for independent. A record whose label is not known (NaN) is left out of that label alone.

    Args:
        label: (N, K), 0, 1 or NaN.
        score: (N, K).
        patient_id: (N,); None means one record per patient.
        names: of the K labels.
        fold: (N,); where given, means over folds of the AUROC within each.

    Raises:
        InputError: shapes differ, a score is not finite, or a label has fewer than two patients of
            a class, in any fold.
    """
    truth, scores = np.asarray(label, np.float64), np.asarray(score, np.float64)
    if truth.shape != scores.shape or truth.ndim != 2 or truth.shape[1] != len(names):
        raise InputError(
            f"got labels {truth.shape} and scores {scores.shape} of "
            f"{counted(len(names), 'label')}; give one of each per record and label"
        )
    if not np.isfinite(scores).all():
        raise InputError(
            f"{counted(int((~np.isfinite(scores)).sum()), 'score is', 'scores are')} not finite"
        )
    codes = patient_codes(patient_id, len(truth))
    parts = np.zeros(len(truth)) if fold is None else np.asarray(fold)
    numbers = np.unique(parts)
    value = np.zeros(len(names))
    influence = np.zeros((len(names), int(codes.max()) + 1))
    for k, name in enumerate(names):
        for number in numbers:
            rows = np.flatnonzero((parts == number) & ~np.isnan(truth[:, k]))
            where = f"label {name}" if fold is None else f"label {name}, fold {number}"
            one, added = _one(truth[rows, k] == 1, scores[rows, k], codes[rows], where)
            value[k] += one / len(numbers)
            influence[k] += np.bincount(codes[rows], added, influence.shape[1]) / len(numbers)
    return LabelAurocs(value, influence)


def paired_macro(first: LabelAurocs, second: LabelAurocs) -> Comparison:
    """Return the difference of two macro AUROCs on the same records, with interval and p."""
    change = first.influence.mean(axis=0) - second.influence.mean(axis=0)
    difference = float(first.value.mean() - second.value.mean())
    return compare_by_wald(difference, float((change**2).sum()), "paired DeLong over the labels")


def _one(
    positive: Labels, score: Values, codes: npt.NDArray[np.int64], where: str
) -> tuple[float, Values]:
    """Return the AUROC of a label, and what each record adds to it."""
    counts = [len(np.unique(codes[side])) for side in (positive, ~positive)]
    if min(counts) < 2:
        raise InputError(
            f"{where}: {counted(counts[0], 'patient')} with a positive and {counts[1]} with a "
            "negative record; DeLong's variance needs at least two of each"
        )
    components = structural_components(positive, score)
    value = float(components[positive].mean())
    added = np.empty(len(score))
    for side, n_patients in zip((positive, ~positive), counts, strict=True):
        correction = math.sqrt(n_patients / (n_patients - 1))
        added[side] = (components[side] - value) / side.sum() * correction
    return value, added


def _estimate(value: float, variance: float) -> Estimate:
    """Return the interval on the scale of the logit, as `auroc_interval` does."""
    if value in (0.0, 1.0):
        return undefined(f"{METHOD}: all or no pairs are in order, which has no variance", value)
    centre, error = math.log(value / (1 - value)), math.sqrt(variance) / (value * (1 - value))
    low, high = (1 / (1 + math.exp(-end)) for end in (centre - Z * error, centre + Z * error))
    return Estimate(value, low, high, METHOD)
