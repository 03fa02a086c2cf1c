"""Compute all statistics of one run that predicts several labels, as plain dictionaries."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from lsemvae.core.targets import Target
from lsemvae.evaluation.statistics.json_values import to_json
from lsemvae.evaluation.statistics.macro_auroc import (
    LabelAurocs,
    Values,
    label_aurocs,
    paired_macro,
)
from lsemvae.evaluation.statistics.metrics import auroc, average_precision, plain
from lsemvae.evaluation.statistics.summary_sections import or_reason

MACRO = "macro_auroc"


def labels_metrics(predictions: pd.DataFrame, target: Target) -> dict[str, float]:
    """Return `auroc:NAME` of every label and their mean, `macro_auroc`.

    NaN where a label has one class only, and for the mean then.
    """
    label, score = _arrays(predictions, target)
    found = {}
    for k, name in enumerate(target.names):
        known = ~np.isnan(label[:, k])
        found[f"auroc:{name}"] = plain(auroc, label[known, k] == 1, score[known, k])
    return {MACRO: float(np.mean(list(found.values()))), **found}


def label_counts(predictions: pd.DataFrame, target: Target) -> dict[str, dict[str, int]]:
    """Return how many records have each label, and how many of them positive."""
    label, _ = _arrays(predictions, target)
    return {
        name: {"n_known": int((~np.isnan(one)).sum()), "n_positive": int(np.nansum(one))}
        for name, one in zip(target.names, label.T, strict=True)
    }


def aurocs_within_folds(predictions: pd.DataFrame, target: Target) -> LabelAurocs:
    """Return the mean AUROCs over the folds; scores of different models are never ranked together.

    Raises:
        InputError: see `label_aurocs`.
    """
    return label_aurocs(
        *_arrays(predictions, target), predictions["patient_id"], names=target.names,
        fold=predictions["fold"],
    )  # fmt: skip


def summarise_labels(predictions: pd.DataFrame, target: Target) -> dict[str, Any]:
    """Return every statistic of a run, ready for `json.dumps`.

    Returns:
        records; macro and each (AUROC by label): means over the folds with intervals by patient;
        average_precision by label, of all records at once; counts by label; folds. A section that
        the data do not allow is `{"unavailable": reason}`.
    """
    found = or_reason(lambda: aurocs_within_folds(predictions, target))
    computed = isinstance(found, LabelAurocs)
    summary = {
        "records": {
            "n_records": len(predictions),
            "n_patients": int(predictions["patient_id"].nunique()),
        },
        "macro": found.macro if computed else found,
        "each": dict(zip(target.names, found.each, strict=True)) if computed else found,
        "average_precision": _average_precision(predictions, target),
        "counts": label_counts(predictions, target),
        "folds": [
            {"fold": fold, **labels_metrics(part, target)}
            for fold, part in predictions.groupby("fold", sort=True)
        ],
    }
    return {name: to_json(value) for name, value in summary.items()}


def compare_macro(runs: Sequence[pd.DataFrame], target: Target) -> list[dict[str, Any]]:
    """Return the first macro AUROC minus every other, on the same records and folds."""
    ordered = [run.sort_values("record", ignore_index=True) for run in runs]
    found = [aurocs_within_folds(run, target) for run in ordered]
    return [to_json(paired_macro(found[0], other)) for other in found[1:]]


def _average_precision(predictions: pd.DataFrame, target: Target) -> dict[str, float]:
    label, score = _arrays(predictions, target)
    known = ~np.isnan(label)
    return {
        name: plain(average_precision, label[known[:, k], k] == 1, score[known[:, k], k])
        for k, name in enumerate(target.names)
    }


def _arrays(predictions: pd.DataFrame, target: Target) -> tuple[Values, Values]:
    """Return labels and scores, each (N, K)."""
    return (
        predictions[target.truth].to_numpy(np.float64),
        predictions[target.predicted].to_numpy(np.float64),
    )
