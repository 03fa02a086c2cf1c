"""Compute all statistics of one run that estimates a number, as plain dictionaries."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from lsemvae.core.targets import HIGH, LOW
from lsemvae.evaluation.statistics.bland_altman import bland_altman
from lsemvae.evaluation.statistics.bootstrap import N_RESAMPLES
from lsemvae.evaluation.statistics.delong import auroc_interval
from lsemvae.evaluation.statistics.diagnostic_accuracy import count_outcomes, diagnostic_accuracy
from lsemvae.evaluation.statistics.json_values import to_json
from lsemvae.evaluation.statistics.number_metrics import number_intervals, number_metrics
from lsemvae.evaluation.statistics.prediction_interval import (
    NOMINAL,
    conformal_half_width,
    coverage,
)
from lsemvae.evaluation.statistics.summary_sections import Drawn, or_reason

LEVELS = (0.5, 0.8, NOMINAL, 0.95)
"""Shares that intervals are asked to hold, to see how they hold what they say."""


def summarise_number(
    predictions: pd.DataFrame, inner: pd.DataFrame | None, *, above: float,
    training_mean_mae: float, n_resamples: int = N_RESAMPLES, seed: int = 0,
) -> dict[str, Any]:  # fmt: skip
    """Return every statistic of a run, ready for `json.dumps`.

    Args:
        predictions: out of fold: record, patient_id, fold, measured, estimated, low and high.
        inner: of the inner parts, the same columns but low and high; None where there are none.
        above: threshold above which the number is raised.
        training_mean_mae: error of naming the mean of each training part.
        n_resamples: of every bootstrap.
        seed: of every bootstrap.

    Returns:
        records, pooled, folds, agreement, interval, levels, thresholded. A section that the data or
        the files do not allow is `{"unavailable": reason}`.
    """
    columns = predictions["measured"], predictions["estimated"], predictions["patient_id"]
    drawn = Drawn(n_resamples=n_resamples, seed=seed)
    sections: dict[str, Callable[[], Any]] = {
        "records": lambda: _records(predictions, training_mean_mae),
        "pooled": lambda: number_intervals(*columns, **drawn),
        "folds": lambda: _over_folds(predictions),
        "agreement": lambda: bland_altman(*columns, **drawn),
        "interval": lambda: _interval(predictions, inner, drawn),
        "levels": lambda: _levels(predictions, inner, drawn),
        "thresholded": lambda: _thresholded(predictions, above),
    }
    return {name: to_json(or_reason(section)) for name, section in sections.items()}


def beside_classifier(estimates: pd.DataFrame, classified: pd.DataFrame) -> dict[str, Any]:
    """Compare estimates with a classifier of the same question on the records that both have.

    Args:
        estimates: columns record, patient_id, fold, estimated.
        classified: columns record, fold, label, probability.

    Returns:
        n_records, n_positive, and the mean AUROC over the folds of both (each within the folds that
        its own models were trained in), ready for `json.dumps`.
    """
    both = classified.merge(
        estimates[["record", "estimated", "fold"]], on="record", suffixes=("", "_of_estimate")
    )

    def auroc(score: str, fold: str) -> Any:
        label, patient = both["label"], both["patient_id"]
        return or_reason(lambda: auroc_interval(label, both[score], patient, fold=both[fold]))

    found = {
        "n_records": len(both),
        "n_positive": int(both["label"].sum()),
        "estimate": auroc("estimated", "fold_of_estimate"),
        "classifier": auroc("probability", "fold"),
    }
    return {name: to_json(value) for name, value in found.items()}


def _records(predictions: pd.DataFrame, training_mean_mae: float) -> dict[str, Any]:
    measured = predictions["measured"]
    return {
        "n_records": len(predictions),
        "n_patients": int(predictions["patient_id"].nunique()),
        "most_records_of_a_patient": int(predictions["patient_id"].value_counts().max()),
        "measured_mean": float(measured.mean()),
        "measured_sd": float(measured.std(ddof=1)),
        "training_mean_mae": training_mean_mae,
    }


def _over_folds(predictions: pd.DataFrame) -> list[dict[str, Any]]:
    return [
        {"fold": fold, "n_records": len(part), "n_patients": part["patient_id"].nunique(),
         **number_metrics(part["measured"], part["estimated"])}
        for fold, part in predictions.groupby("fold", sort=True)
    ]  # fmt: skip


def _interval(predictions: pd.DataFrame, inner: pd.DataFrame | None, drawn: Drawn) -> Any:
    """Return the coverage of the intervals that predictions.csv holds, in all and by third."""
    if LOW not in predictions:
        return {"unavailable": _no_inner(inner)}
    ends = predictions[LOW], predictions[HIGH]
    third = pd.qcut(predictions["estimated"].rank(method="first"), 3, labels=False)
    return {
        "nominal": NOMINAL,
        "coverage": coverage(
            predictions["measured"], *ends, predictions["patient_id"], **drawn
        ),
        "mean_width": float((ends[1] - ends[0]).mean()),
        "by_third": [
            coverage(part["measured"], part[LOW], part[HIGH], part["patient_id"], **drawn)
            for _, part in predictions.groupby(third)
        ],
    }  # fmt: skip


def _no_inner(inner: pd.DataFrame | None) -> str:
    if inner is None:
        return "the run has no inner_predictions.csv (`lsemvae cv --inner true` makes them)"
    return "predictions.csv has no columns low and high"


def _levels(predictions: pd.DataFrame, inner: pd.DataFrame | None, drawn: Drawn) -> Any:
    """Return for every nominal share what intervals of that share hold."""
    if inner is None:
        return {"unavailable": _no_inner(inner)}
    by_fold = dict(list(inner.groupby("fold")))
    rows = []
    for nominal in LEVELS:
        half = predictions["fold"].map(
            {fold: conformal_half_width(part["estimated"] - part["measured"], part["patient_id"],
                                        nominal=nominal) for fold, part in by_fold.items()}
        )  # fmt: skip
        estimated = predictions["estimated"]
        rows.append({
            "nominal": nominal,
            "mean_width": float(2 * half.mean()),
            "coverage": _held(predictions, estimated - half, estimated + half, drawn),
        })  # fmt: skip
    return rows


def _held(predictions: pd.DataFrame, low: pd.Series, high: pd.Series, drawn: Drawn) -> Any:
    return or_reason(
        lambda: coverage(predictions["measured"], low, high, predictions["patient_id"], **drawn)
    )


def _thresholded(predictions: pd.DataFrame, above: float) -> dict[str, Any]:
    """Return how well the estimate tells raised values from others."""
    raised = (predictions["measured"] > above).to_numpy(np.float64)
    called = (predictions["estimated"] > above).to_numpy()
    patient, fold = predictions["patient_id"], predictions["fold"]
    return {
        "above": above,
        "n_raised": int(raised.sum()),
        "auroc": or_reason(
            lambda: auroc_interval(raised, predictions["estimated"], patient, fold=fold)
        ),
        "accuracy": or_reason(lambda: diagnostic_accuracy(count_outcomes(raised, called))),
    }
