"""Measure performance on a part of the records, or say why nothing is said about it."""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from lsemvae.core.counted import counted
from lsemvae.evaluation.statistics import metrics
from lsemvae.evaluation.statistics.binary_arrays import check_binary, patient_codes
from lsemvae.evaluation.statistics.delong import auroc_interval
from lsemvae.evaluation.statistics.estimate import Estimate, undefined
from lsemvae.evaluation.statistics.metrics import base_rate_accuracy, plain

# By measurement: at 10 + 10 and an AUROC of .80 the interval is .80 +- .20 and covers .958 (3,000
# simulated studies, Monte-Carlo standard error .004); at 5 + 5 it is +- .29 and reaches chance.
MIN_PATIENTS = 10


class Performance(NamedTuple):
    """Counts and metrics of a part of the records.

    Attributes:
        n_records: in this part.
        n_patients: in this part.
        n_positive: records.
        auroc: with DeLong's interval.
        average_precision: AUPRC; its base rate is n_positive / n_records.
        accuracy: at a probability of one half.
        base_rate_accuracy: of always naming the larger class.
        mcc: at a probability of one half.
        brier: mean squared error of the probability.
        suppressed: why no metric is given, empty where they are.
    """

    n_records: int
    n_patients: int
    n_positive: int
    auroc: Estimate
    average_precision: float
    accuracy: float
    base_rate_accuracy: float
    mcc: float
    brier: float
    suppressed: str


def performance(
    label: npt.ArrayLike,
    probability: npt.ArrayLike,
    patient_id: npt.ArrayLike | None = None,
    *,
    minimum: int = MIN_PATIENTS,
) -> Performance:
    """Return the performance on some records.

    Args:
        label: (N,), 0 or 1; N may be 0.
        probability: (N,), in 0..1.
        patient_id: (N,); None means one record per patient.
        minimum: fewest patients with a positive and with a negative record.

    Raises:
        InputError: see `check_binary`.
    """
    if not np.size(label):
        return _suppressed((0, 0, 0), "no record")
    labels, scores = check_binary(label, probability, both_classes=False, probabilities=True)
    codes = patient_codes(patient_id, len(labels))
    counts = len(labels), len(np.unique(codes)), int(labels.sum())
    positive, negative = (len(np.unique(codes[side])) for side in (labels, ~labels))
    # DeLong's variance needs two of each, whatever the caller allows.
    needed = max(minimum, 2)
    if min(positive, negative) < needed:
        return _suppressed(
            counts,
            f"{counted(positive, 'patient')} with a positive and {negative} with a negative "
            f"record; at least {needed} of each are needed",
        )
    return Performance(
        *counts,
        auroc=auroc_interval(labels, scores, codes),
        average_precision=plain(metrics.average_precision, labels, scores),
        accuracy=plain(metrics.accuracy, labels, scores),
        base_rate_accuracy=base_rate_accuracy(labels),
        mcc=plain(metrics.mcc, labels, scores),
        brier=plain(metrics.brier, labels, scores),
        suppressed="",
    )


def _suppressed(counts: tuple[int, int, int], reason: str) -> Performance:
    nothing = math.nan, math.nan, math.nan, math.nan, math.nan
    return Performance(*counts, undefined(reason), *nothing, reason)
