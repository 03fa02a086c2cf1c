"""Choose thresholds on inner predictions and apply them to the held-out fold."""

import math
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.metrics import roc_curve

from lsemvae.evaluation.statistics.binary_arrays import Labels, Scores, check_binary
from lsemvae.evaluation.statistics.inner_predictions import inner_by_fold

Rule = Callable[[Labels, Scores], float]


class OperatingPoint(NamedTuple):
    """Calls of the held-out records.

    Attributes:
        thresholds: by outer fold, from inner predictions only.
        called: (N,) bool, in the order of the predictions.
    """

    thresholds: dict[int, float]
    called: npt.NDArray[np.bool_]


def sensitivity_threshold(label: Labels, score: Scores, target: float) -> float:
    """Return the highest threshold at which at least `target` of the positives are called."""
    descending = np.sort(score[label])[::-1]
    return float(descending[_needed(target, len(descending)) - 1])


def specificity_threshold(label: Labels, score: Scores, target: float) -> float:
    """Return the lowest threshold at which at least `target` of the negatives are not called."""
    ascending = np.sort(score[~label])
    return float(np.nextafter(ascending[_needed(target, len(ascending)) - 1], np.inf))


def youden_threshold(label: Labels, score: Scores) -> float:
    """Return the highest score at which sensitivity + specificity is largest."""
    # The first point calls nobody; its threshold is infinite.
    false_positive, true_positive, thresholds = (
        curve[1:] for curve in roc_curve(label, score, drop_intermediate=False)
    )
    # Rounded, so that equal sums of different shares tie.
    gain = np.round(true_positive - false_positive, 12)
    return float(thresholds[np.argmax(gain)])


RULES: dict[str, Rule] = {
    "sensitivity_90": partial(sensitivity_threshold, target=0.9),
    "specificity_90": partial(specificity_threshold, target=0.9),
    "youden": youden_threshold,
}


def apply_rule(predictions: pd.DataFrame, inner: pd.DataFrame, rule: Rule) -> OperatingPoint:
    """Choose a threshold per fold on inner predictions and call the held-out records with it.

    Args:
        predictions: out of fold, columns record, patient_id, fold, label, probability.
        inner: the same columns, see `inner_by_fold`.
        rule: one of `RULES`.

    Raises:
        InputError: see `inner_by_fold`.
    """
    thresholds = {
        fold: rule(*check_binary(part["label"], part["probability"]))
        for fold, part in inner_by_fold(predictions, inner).items()
    }
    cut = predictions["fold"].map(thresholds).to_numpy()
    return OperatingPoint(thresholds, predictions["probability"].to_numpy() >= cut)


def _needed(target: float, total: int) -> int:
    # 1e-9: the product of a share and a count may lie a rounding error above a whole number.
    return max(1, math.ceil(target * total - 1e-9))
