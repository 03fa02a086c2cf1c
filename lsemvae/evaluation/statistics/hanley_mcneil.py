"""Compute AUROC's variance from its value and the sample size: planning, perfect separation."""

import math

from scipy.optimize import brentq

from lsemvae.core.errors import InputError
from lsemvae.evaluation.statistics.estimate import Estimate, Z, wald


def hanley_mcneil_variance(auroc: float, n_positive: float, n_negative: float) -> float:
    """Return the variance of an AUROC.

    Source: Hanley & McNeil 1982, equation 2 with the negative-exponential Q1 and Q2,
    doi:10.1148/radiology.143.1.7063747.

    Raises:
        InputError: AUROC outside 0..1 or a class without a record.
    """
    if not 0 <= auroc <= 1 or min(n_positive, n_negative) < 1:
        raise InputError(
            f"got AUROC {auroc}, {n_positive} positives and {n_negative} negatives; "
            "expected 0..1 and at least one of each"
        )
    both_above = auroc / (2 - auroc)
    both_below = 2 * auroc**2 / (1 + auroc)
    spread = (
        auroc * (1 - auroc)
        + (n_positive - 1) * (both_above - auroc**2)
        + (n_negative - 1) * (both_below - auroc**2)
    )
    return spread / (n_positive * n_negative)


def planned_auroc(auroc: float, n_records: int, prevalence: float) -> Estimate:
    """Return the interval to expect of a study, before it is made.

    Args:
        auroc: expected.
        n_records: one per patient.
        prevalence: share of positives, 0..1.
    """
    positive = round(n_records * prevalence)
    variance = hanley_mcneil_variance(auroc, positive, n_records - positive)
    return wald(auroc, math.sqrt(variance), "Hanley-McNeil, Wald")


def half_width(auroc: float, n_records: int, prevalence: float) -> float:
    """Return half the width of the interval of `planned_auroc`."""
    planned = planned_auroc(auroc, n_records, prevalence)
    return (planned.high - planned.low) / 2


def separation_interval(auroc: float, n_positive: int, n_negative: int) -> Estimate:
    """Return the score interval of an AUROC of exactly 0 or 1, where other variances vanish.

    The AUROCs whose Hanley-McNeil interval still reaches the observed one (Newcombe 2006,
    method 5, doi:10.1002/sim.2324).
    """

    def beyond(candidate: float) -> float:
        variance = hanley_mcneil_variance(candidate, n_positive, n_negative)
        return (1 - candidate) ** 2 - Z**2 * variance

    # At 1 both terms vanish; just below it the variance is the larger one.
    low = float(brentq(beyond, 0.0, 1 - 1e-9))
    method = "Newcombe's method 5 (complete separation)"
    return Estimate(1.0, low, 1.0, method) if auroc > 0.5 else Estimate(0.0, 0.0, 1 - low, method)
