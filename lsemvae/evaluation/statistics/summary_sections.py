"""Compute the sections of a run's summary that take more than one call."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypedDict

import numpy as np
import numpy.typing as npt
import pandas as pd

from lsemvae.core.errors import InputError
from lsemvae.evaluation.statistics.bootstrap import bootstrap
from lsemvae.evaluation.statistics.comparison import fold_metrics
from lsemvae.evaluation.statistics.diagnostic_accuracy import (
    at_prevalences,
    count_outcomes,
    diagnostic_accuracy,
)
from lsemvae.evaluation.statistics.label_sensitivity import label_sensitivity
from lsemvae.evaluation.statistics.metrics import METRICS, THRESHOLD, base_rate_accuracy
from lsemvae.evaluation.statistics.nadeau_bengio import metric_interval
from lsemvae.evaluation.statistics.operating_points import RULES, Rule, apply_rule
from lsemvae.evaluation.statistics.recalibration import Recalibration, recalibrate
from lsemvae.evaluation.statistics.subgroups import age_bands, subgroup_performance

RECALIBRATIONS: tuple[Recalibration, ...] = ("logistic", "isotonic")


class Drawn(TypedDict):
    """How resamples are drawn, the arguments of every bootstrap."""

    n_resamples: int
    seed: int


def or_reason(section: Callable[[], Any]) -> Any:
    """Return a section, or the reason why these data or files do not allow it."""
    try:
        return section()
    except InputError as error:
        return {"unavailable": str(error)}


def record_counts(predictions: pd.DataFrame) -> dict[str, Any]:
    """Return how many records, patients and positives there are."""
    label, patients = predictions["label"], predictions["patient_id"]
    return {
        "n_records": len(predictions),
        "n_patients": patients.nunique(),
        "n_positive": int(label.sum()),
        "n_positive_patients": patients[label == 1].nunique(),
        "most_records_of_a_patient": int(patients.value_counts().max()),
        "prevalence": float(label.mean()),
        "base_rate_accuracy": base_rate_accuracy(label),
    }


def over_folds(predictions: pd.DataFrame) -> dict[str, Any]:
    """Return the metrics of Table 2 by fold, with mean (Nadeau-Bengio interval) and SD."""
    values = fold_metrics(predictions)
    ratio = 1 / max(1, len(values) - 1)
    return {
        "values": values.reset_index(),
        "mean": {
            name: metric_interval(values[name], str(name), test_to_train=ratio) for name in values
        },
        "sd": values.std(ddof=1).to_dict(),
    }


def by_recalibration(
    predictions: pd.DataFrame, inner: pd.DataFrame | None, statistic: Callable[..., Any]
) -> dict[str, Any]:
    """Return a statistic of the probabilities as predicted and after every recalibration."""

    def recalibrated(kind: Recalibration) -> Any:
        probability = recalibrate(predictions, _needed(inner), kind)
        return statistic(predictions["label"], probability, predictions["patient_id"])

    return {
        "as_predicted": statistic(
            predictions["label"], predictions["probability"], predictions["patient_id"]
        ),
        **{kind: or_reason(partial(recalibrated, kind)) for kind in RECALIBRATIONS},
    }


def _needed(inner: pd.DataFrame | None) -> pd.DataFrame:
    if inner is None:
        raise InputError(
            "the run has no inner_predictions.csv; chosen on the test records themselves "
            "thresholds and calibration would look better than they are"
        )
    return inner


def operating_points(
    predictions: pd.DataFrame, inner: pd.DataFrame | None, drawn: Drawn
) -> dict[str, Any]:
    """Return the accuracy at one half and at the thresholds of every rule."""

    def fixed() -> dict[str, Any]:
        called = predictions["probability"].to_numpy() >= THRESHOLD
        return {"threshold": THRESHOLD, **_operating_point(predictions, called, drawn)}

    def chosen(rule: Rule) -> dict[str, Any]:
        point = apply_rule(predictions, _needed(inner), rule)
        return {
            "thresholds": point.thresholds,
            **_operating_point(predictions, point.called, drawn),
        }

    return {
        "fixed": fixed(),
        **{name: or_reason(partial(chosen, rule)) for name, rule in RULES.items()},
    }


def _operating_point(
    predictions: pd.DataFrame, called: npt.NDArray[np.bool_], drawn: Drawn
) -> dict[str, Any]:
    """Return accuracies twice: Wilson's intervals take records for independent patients."""
    label = predictions["label"]
    counts = count_outcomes(label, called)
    metrics = {name: METRICS[name] for name in ("sensitivity", "specificity", "ppv", "npv")}
    return {
        "counts": counts,
        "accuracy": diagnostic_accuracy(counts),
        "accuracy_by_patient": bootstrap(
            label, called, predictions["patient_id"], metrics=metrics, **drawn
        ),
        "at_prevalence": at_prevalences(counts),
    }


def subgroup_tables(
    predictions: pd.DataFrame, cohort: pd.DataFrame | None, names: Sequence[str]
) -> dict[str, Any]:
    """Return the performance by groups of a table in the order of the predictions."""
    if cohort is None:
        raise InputError("no cohort was given")
    absent = [name for name in names if name not in cohort]
    groups = {name: cohort[name] for name in names if name in cohort}
    if "age_years" in groups:
        groups["age_years"] = age_bands(groups["age_years"])
    return {
        **{name: subgroup_performance(predictions, group) for name, group in groups.items()},
        **{name: {"unavailable": f"the cohort has no column {name}"} for name in absent},
    }


def other_labels(predictions: pd.DataFrame, labels: pd.DataFrame | None) -> dict[str, Any]:
    """Return the performance under every column of a table in the order of the predictions."""
    if labels is None:
        raise InputError("no table of label definitions was given")
    table = labels.drop(columns="record")
    return dict(label_sensitivity(predictions, {str(name): table[name] for name in table}))
