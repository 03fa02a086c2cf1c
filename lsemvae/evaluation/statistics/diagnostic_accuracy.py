"""Measure what a test at one threshold is worth: from the four counts to predictive values."""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from lsemvae.core.errors import InputError
from lsemvae.evaluation.statistics.binary_arrays import check_binary
from lsemvae.evaluation.statistics.estimate import Estimate, Z, undefined
from lsemvae.evaluation.statistics.proportions import proportion

PREVALENCES = (0.01, 0.03, 0.05, 0.10, 0.20)
NOBODY_POSITIVE = "nobody is called positive"
NOBODY_NEGATIVE = "nobody is called negative"


class Counts(NamedTuple):
    """Outcomes of a test: true and false positives, false and true negatives."""

    true_positive: int
    false_positive: int
    false_negative: int
    true_negative: int


def count_outcomes(label: npt.ArrayLike, called: npt.ArrayLike) -> Counts:
    """Count the outcomes of a test.

    Args:
        label: (N,), 0 or 1.
        called: (N,), 0 or 1, what the test says.

    Raises:
        InputError: see `check_binary`.
    """
    labels, calls = check_binary(label, called, both_classes=False, probabilities=True)
    outcome = np.bincount(2 * (calls >= 0.5) + labels, minlength=4)
    true_negative, false_negative, false_positive, true_positive = outcome.tolist()
    return Counts(true_positive, false_positive, false_negative, true_negative)


def diagnostic_accuracy(counts: Counts) -> dict[str, Estimate]:
    """Return sensitivity, specificity, PPV, NPV, LR+, LR- and DOR with intervals.

    Proportions have Wilson intervals. Likelihood ratios and the diagnostic odds ratio have those
    of the log method (Simel 1991, doi:10.1016/0895-4356(91)90128-V).

    Note:
        Where a count is 0 a ratio is 0 or infinite; 0.5 is added to all four counts of the ratios
        then (Haldane-Anscombe), and their method says so. A test that calls nobody positive has no
        LR+, one that calls nobody negative no LR-, and neither an odds ratio: 0.5 would be all that
        they are made of.

    Raises:
        InputError: no positive or no negative record.
    """
    tp, fp, fn, tn = counts
    if not tp + fn or not fp + tn:
        raise InputError(f"got {counts}; a test's accuracy needs positive and negative records")
    positive, negative = likelihood_ratios(counts)
    return {
        "sensitivity": proportion(tp, tp + fn),
        "specificity": proportion(tn, tn + fp),
        "ppv": proportion(tp, tp + fp),
        "npv": proportion(tn, tn + fn),
        "lr_positive": positive,
        "lr_negative": negative,
        "diagnostic_odds_ratio": _odds_ratio(counts),
    }


def at_prevalences(counts: Counts) -> dict[str, dict[str, Estimate]]:
    """Return ppv and npv at the prevalences of screening, 1 to 20 %, by prevalence."""
    table = {}
    for prevalence in PREVALENCES:
        ppv, npv = predictive_values(counts, prevalence)
        table[f"{prevalence:g}"] = {"ppv": ppv, "npv": npv}
    return table


def likelihood_ratios(counts: Counts) -> tuple[Estimate, Estimate]:
    """Return LR+ and LR- with intervals, see `diagnostic_accuracy`."""
    tp, fp, fn, tn, method = _without_zeros(counts)
    with_disease, without = tp + fn, fp + tn
    spread = -1 / with_disease - 1 / without
    positive = (tp / with_disease) / (fp / without)
    negative = (fn / with_disease) / (tn / without)
    calls_positive, calls_negative = _calls(counts)
    return (
        _log_interval(positive, math.sqrt(1 / tp + 1 / fp + spread), method)
        if calls_positive else undefined(NOBODY_POSITIVE),
        _log_interval(negative, math.sqrt(1 / fn + 1 / tn + spread), method)
        if calls_negative else undefined(NOBODY_NEGATIVE),
    )  # fmt: skip


def _odds_ratio(counts: Counts) -> Estimate:
    calls_positive, calls_negative = _calls(counts)
    if not (calls_positive and calls_negative):
        return undefined(NOBODY_NEGATIVE if calls_positive else NOBODY_POSITIVE)
    tp, fp, fn, tn, method = _without_zeros(counts)
    error = math.sqrt(1 / tp + 1 / fp + 1 / fn + 1 / tn)
    return _log_interval(tp * tn / (fp * fn), error, method)


def _calls(counts: Counts) -> tuple[bool, bool]:
    """Tell whether the test calls anybody positive, and anybody negative."""
    tp, fp, fn, tn = counts
    return tp + fp > 0, fn + tn > 0


def predictive_values(counts: Counts, prevalence: float) -> tuple[Estimate, Estimate]:
    """Return PPV and NPV at a given prevalence.

    Bayes' rule on the odds: the likelihood ratios and the ends of their intervals, carried over.
    That is the logit interval of Mercaldo, Lau & Zhou 2007 (doi:10.1002/sim.2677).

    Args:
        counts: of the test.
        prevalence: share of positives among those who will be tested, between 0 and 1.

    Raises:
        InputError: the prevalence is not between 0 and 1.
    """
    if not 0 < prevalence < 1:
        raise InputError(f"prevalence must be between 0 and 1, got {prevalence}")
    odds = prevalence / (1 - prevalence)
    positive, negative = likelihood_ratios(counts)
    method = f"Bayes at prevalence {prevalence:g}, logit; {positive.method}"
    value, low, high = (odds * ratio / (1 + odds * ratio) for ratio in positive[:3])
    ppv = Estimate(value, low, high, method)
    value, high, low = (1 / (1 + odds * ratio) for ratio in negative[:3])
    npv = Estimate(value, low, high, method)
    return (
        undefined(positive.method) if math.isnan(positive.value) else ppv,
        undefined(negative.method) if math.isnan(negative.value) else npv,
    )


def _without_zeros(counts: Counts) -> tuple[float, float, float, float, str]:
    added = 0.0 if all(counts) else 0.5
    tp, fp, fn, tn = (count + added for count in counts)
    return tp, fp, fn, tn, "log method" + (", 0.5 added to every count" if added else "")


def _log_interval(value: float, error: float, method: str) -> Estimate:
    factor = math.exp(Z * error)
    return Estimate(value, value / factor, value * factor, method)
