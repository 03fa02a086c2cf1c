"""Check labels and scores at the border of the statistics, all faults in one message."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from lsemvae.core.counted import counted
from lsemvae.core.errors import InputError

Labels = npt.NDArray[np.bool_]
Scores = npt.NDArray[np.float64]


def check_binary(
    label: npt.ArrayLike,
    score: npt.ArrayLike,
    *,
    both_classes: bool = True,
    probabilities: bool = False,
) -> tuple[Labels, Scores]:
    """Return labels as bool and scores as float64.

    Args:
        label: (N,), 0 or 1.
        score: (N,), higher means more probably positive.
        both_classes: whether the statistic needs a positive and a negative record.
        probabilities: whether scores must lie in 0..1.

    Raises:
        InputError: shapes differ, no record, a value missing, a label other than 0 and 1, one
            class where two are needed, or a score that is no probability; names all of them.
    """
    labels, scores = (np.asarray(values, dtype=np.float64) for values in (label, score))
    if labels.ndim != 1 or labels.shape != scores.shape:
        raise InputError(
            f"got labels {labels.shape} and scores {scores.shape}; give one of each per record"
        )
    if not len(labels):
        raise InputError("got no record; a statistic needs at least one")
    faults = _label_faults(labels, both_classes) + _score_faults(scores, probabilities)
    if faults:
        raise InputError("; ".join(faults) + "; correct the predictions")
    return labels == 1, scores


def _label_faults(labels: Scores, both_classes: bool) -> list[str]:
    faults = []
    strange = ~np.isin(labels, (0, 1))
    if strange.any():
        faults.append(
            f"{counted(strange.sum(), 'label is', 'labels are')} not 0 or 1, as "
            f"{labels[strange][0]}"
        )
    elif both_classes and len(np.unique(labels)) < 2:
        faults.append(
            f"all {counted(len(labels), 'label')} are {labels[0]:.0f}, expected both classes"
        )
    return faults


def _score_faults(scores: Scores, probabilities: bool) -> list[str]:
    faults = []
    missing = np.isnan(scores).sum()
    if missing:
        faults.append(f"NaN: {missing} of {counted(len(scores), 'score')}")
    outside = (scores < 0) | (scores > 1) if probabilities else np.isinf(scores)
    if outside.any():
        expected = "in 0..1" if probabilities else "finite"
        faults.append(
            f"{counted(outside.sum(), 'score is', 'scores are')} not {expected}, as "
            f"{scores[outside][0]}"
        )
    return faults


def patient_codes(patient_id: npt.ArrayLike | None, n_records: int) -> npt.NDArray[np.int64]:
    """Return the number of each record's patient, 0 to P - 1; None means a patient per record.

    Args:
        patient_id: (N,) identifiers of any type.
        n_records: N.

    Raises:
        InputError: not one identifier per record, or one is missing.
    """
    if patient_id is None:
        return np.arange(n_records, dtype=np.int64)
    identifiers = np.asarray(patient_id)
    if identifiers.shape != (n_records,):
        raise InputError(
            f"got patient identifiers {identifiers.shape} for {counted(n_records, 'record')}; give "
            "one per record"
        )
    missing = pd.isna(identifiers)
    if missing.any():
        raise InputError(
            f"{counted(missing.sum(), 'record has', 'records have')} no patient identifier; give "
            "one per record"
        )
    return np.unique(identifiers.astype(str), return_inverse=True)[1].astype(np.int64)
