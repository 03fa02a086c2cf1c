"""Compute metrics from labels and scores, for many weightings of the records at once.

A metric takes labels (N,), scores (N,) and weights (R, N) and returns (R,). A weight says how
often a record counts: a row of ones is the plain metric, the counts of a bootstrap resample are
the metric of that resample. A record is called positive where its score is at least `THRESHOLD`.

Note:
    scikit-learn computes one resample per call (about 1 ms each); all resamples at once are what
    makes 2,000 of them for ten runs a matter of seconds. Its values are the tests' reference.
"""

from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from lsemvae.evaluation.statistics.binary_arrays import Labels, Scores, check_binary

THRESHOLD = 0.5  # fixed before any data is seen

Weights = npt.NDArray[np.float64]
Values = npt.NDArray[np.float64]


class Metric(Protocol):
    """Compute a metric for R weightings of N records."""

    def __call__(self, label: Labels, score: Scores, weight: Weights, /) -> Values:
        """Return (R,) values."""
        ...


class Metrics(NamedTuple):
    """AUROC, accuracy and Matthews correlation coefficient at a probability of one half."""

    auroc: float
    accuracy: float
    mcc: float


class Confusion(NamedTuple):
    """Weighted counts, each (R,)."""

    true_positive: Values
    false_positive: Values
    false_negative: Values
    true_negative: Values


def binary_metrics(label: npt.ArrayLike, probability: npt.ArrayLike) -> Metrics:
    """Return the three metrics of Table 2.

    Args:
        label: (N,), 0 or 1, both present.
        probability: (N,), of the positive class.

    Raises:
        InputError: only one class is present, where AUROC has no value, or a value is missing.
    """
    labels, scores = check_binary(label, probability)
    return Metrics(*(plain(METRICS[name], labels, scores) for name in Metrics._fields))


def metrics_as_far_as_defined(label: npt.ArrayLike, probability: npt.ArrayLike) -> Metrics:
    """Return the same metrics where a training is to go on whatever they are.

    Args:
        label: (N,), 0 or 1.
        probability: (N,), of the positive class.

    Returns:
        The values of `binary_metrics`; AUROC is NaN where one class is absent, and all are NaN
        where a probability is.
    """
    labels, scores = np.asarray(label, dtype=np.float64) == 1, np.asarray(probability, np.float64)
    if not len(scores) or np.isnan(scores).any():
        return Metrics(np.nan, np.nan, np.nan)
    return Metrics(*(plain(METRICS[name], labels, scores) for name in Metrics._fields))


def base_rate_accuracy(label: npt.ArrayLike) -> float:
    """Return the accuracy of always naming the larger class."""
    positive = float(np.mean(np.asarray(label, dtype=np.float64)))
    return max(positive, 1.0 - positive)


def plain(metric: Metric, label: Labels, score: Scores) -> float:
    """Return a metric with every record counted once."""
    return float(metric(label, score, np.ones((1, len(label))))[0])


def auroc(label: Labels, score: Scores, weight: Weights) -> Values:
    """Return the probability that a positive scores above a negative, ties counting one half."""
    positive, negative = _weight_per_score(label, score, weight)
    below = np.cumsum(negative, axis=1) - negative / 2
    pairs = positive.sum(axis=1) * negative.sum(axis=1)
    return _ratio((positive * below).sum(axis=1), pairs)


def average_precision(label: Labels, score: Scores, weight: Weights) -> Values:
    """Return AUPRC as average precision: precision, averaged over the steps of recall.

    Note:
        No interpolation between points: a straight line through precision-recall space is too
        good (Davis & Goadrich 2006, doi:10.1145/1143844.1143874).
    """
    positive, negative = (side[:, ::-1] for side in _weight_per_score(label, score, weight))
    found = np.cumsum(positive, axis=1)
    named = found + np.cumsum(negative, axis=1)
    # A score that no weighted record has reaches 0 of 0 and adds nothing.
    precision = found / np.where(named > 0, named, 1.0)
    return _ratio((positive * precision).sum(axis=1), positive.sum(axis=1))


def brier(label: Labels, score: Scores, weight: Weights) -> Values:
    """Return the mean squared distance between probability and outcome."""
    return _ratio(weight @ np.square(score - label), weight.sum(axis=1))


def accuracy(label: Labels, score: Scores, weight: Weights) -> Values:
    """Return the share of records called rightly."""
    return _ratio(weight @ ((score >= THRESHOLD) == label), weight.sum(axis=1))


def sensitivity(label: Labels, score: Scores, weight: Weights) -> Values:
    """Return the share of positives called positive."""
    counts = confusion(label, score, weight)
    return _ratio(counts.true_positive, counts.true_positive + counts.false_negative)


def specificity(label: Labels, score: Scores, weight: Weights) -> Values:
    """Return the share of negatives called negative."""
    counts = confusion(label, score, weight)
    return _ratio(counts.true_negative, counts.true_negative + counts.false_positive)


def ppv(label: Labels, score: Scores, weight: Weights) -> Values:
    """Return the share of positives among the records called positive, NaN where none is."""
    counts = confusion(label, score, weight)
    return _ratio(counts.true_positive, counts.true_positive + counts.false_positive)


def npv(label: Labels, score: Scores, weight: Weights) -> Values:
    """Return the share of negatives among the records called negative, NaN where none is."""
    counts = confusion(label, score, weight)
    return _ratio(counts.true_negative, counts.true_negative + counts.false_negative)


def balanced_accuracy(label: Labels, score: Scores, weight: Weights) -> Values:
    """Return the mean of sensitivity and specificity."""
    return (sensitivity(label, score, weight) + specificity(label, score, weight)) / 2


def mcc(label: Labels, score: Scores, weight: Weights) -> Values:
    """Return the Matthews correlation coefficient, 0 where all records are called alike."""
    tp, fp, fn, tn = confusion(label, score, weight)
    scale = np.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn))
    return (tp * tn - fp * fn) / np.where(scale > 0, scale, 1.0)


def confusion(label: Labels, score: Scores, weight: Weights) -> Confusion:
    """Return the weighted counts of the four outcomes."""
    called = score >= THRESHOLD
    outcomes = np.stack([called & label, called & ~label, ~called & label, ~called & ~label])
    return Confusion(*(weight @ outcomes.T.astype(np.float64)).T)


def _weight_per_score(label: Labels, score: Scores, weight: Weights) -> tuple[Weights, Weights]:
    """Return the weight of positives and of negatives at each distinct score, ascending."""
    order = np.argsort(score, kind="stable")
    starts = np.flatnonzero(np.diff(score[order], prepend=-np.inf))
    ordered, positive = weight[:, order], label[order]
    sides = ordered * positive, ordered * ~positive
    if len(starts) == len(score):
        return sides
    first, second = (np.add.reduceat(side, starts, axis=1) for side in sides)
    return first, second


def _ratio(numerator: Values, denominator: Values) -> Values:
    """Divide, NaN where there is nothing to divide by."""
    known = denominator > 0
    return np.where(known, numerator / np.where(known, denominator, 1.0), np.nan)


METRICS: dict[str, Metric] = {
    "auroc": auroc,
    "average_precision": average_precision,
    "accuracy": accuracy,
    "balanced_accuracy": balanced_accuracy,
    "mcc": mcc,
    "sensitivity": sensitivity,
    "specificity": specificity,
    "ppv": ppv,
    "npv": npv,
    "brier": brier,
}
