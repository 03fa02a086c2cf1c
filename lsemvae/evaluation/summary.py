"""All statistics of one run, and of several runs on the same records, as plain dictionaries."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypedDict

import numpy as np
import numpy.typing as npt
import pandas as pd

from lsemvae.errors import InputError
from lsemvae.evaluation.abstention import abstention_curve
from lsemvae.evaluation.binary_arrays import check_binary
from lsemvae.evaluation.bootstrap import N_RESAMPLES, bootstrap
from lsemvae.evaluation.calibration import calibration_measures
from lsemvae.evaluation.comparison import compare, fold_metrics
from lsemvae.evaluation.cross_validation import COLUMNS
from lsemvae.evaluation.decision_curve import decision_curve
from lsemvae.evaluation.delong import auroc_interval
from lsemvae.evaluation.diagnostic_accuracy import (
    at_prevalences,
    count_outcomes,
    diagnostic_accuracy,
)
from lsemvae.evaluation.json_values import to_json
from lsemvae.evaluation.label_sensitivity import label_sensitivity
from lsemvae.evaluation.metrics import METRICS, THRESHOLD, base_rate_accuracy
from lsemvae.evaluation.nadeau_bengio import corrected_resampled_t
from lsemvae.evaluation.operating_points import RULES, Rule, apply_rule
from lsemvae.evaluation.permutation import permutation_null
from lsemvae.evaluation.recalibration import Recalibration, recalibrate
from lsemvae.evaluation.subgroups import age_bands, subgroup_performance

SUBGROUPS = ("sex", "age_years")
RECALIBRATIONS: tuple[Recalibration, ...] = ("logistic", "isotonic")


def summarise_run(
    predictions: pd.DataFrame,
    inner: pd.DataFrame | None = None,
    *,
    cohort: pd.DataFrame | None = None,
    subgroups: Sequence[str] = SUBGROUPS,
    labels: pd.DataFrame | None = None,
    n_resamples: int = N_RESAMPLES,
    seed: int = 0,
) -> dict[str, Any]:
    """Return every statistic of one run, ready for `json.dumps`.

    Args:
        predictions: out of fold, columns `COLUMNS` and optionally `uncertainty`.
        inner: inner predictions, the columns `COLUMNS`, see `inner_by_fold`.
        cohort: column record and the columns of the subgroups; age_years is cut into bands.
        subgroups: columns of the cohort to split by.
        labels: column record and a column per further definition of the label, NaN where a record
            is outside its population.
        n_resamples: of every bootstrap.
        seed: of every resampling.

    Returns:
        records, pooled, folds, calibration, decision_curve, operating_points, subgroups,
        label_sensitivity, abstention, permutation. A section that the data or the files do not
        allow is `{"unavailable": reason}`; a number without a value is None.

    Raises:
        InputError: predictions that no statistic can use.
    """
    _check(predictions)
    columns = predictions["label"], predictions["probability"], predictions["patient_id"]
    drawn = _Drawn(n_resamples=n_resamples, seed=seed)
    sections: dict[str, Callable[[], Any]] = {
        "records": lambda: _records(predictions),
        "pooled": lambda: {
            "auroc_delong": auroc_interval(*columns),
            "bootstrap": bootstrap(*columns, **drawn),
        },
        "folds": lambda: _folds(predictions),
        "calibration": lambda: _by_recalibration(predictions, inner, calibration_measures),
        "decision_curve": lambda: _by_recalibration(
            predictions, inner, partial(decision_curve, **drawn)
        ),
        "operating_points": lambda: _operating_points(predictions, inner, drawn),
        "subgroups": lambda: _subgroups(predictions, cohort, subgroups),
        "label_sensitivity": lambda: _label_sensitivity(predictions, labels),
        "abstention": lambda: abstention_curve(predictions),
        "permutation": lambda: permutation_null(*columns, seed=seed),
    }
    return {name: to_json(_or_reason(section)) for name, section in sections.items()}


def compare_runs(
    runs: Mapping[str, pd.DataFrame],
    *,
    reference: str,
    n_resamples: int = N_RESAMPLES,
    seed: int = 0,
) -> dict[str, Any]:
    """Return the paired comparisons of a reference run with others, ready for `json.dumps`.

    Args:
        runs: predictions by method, on the same records, folds and labels.
        reference: one of the methods.
        n_resamples: of the paired bootstrap.
        seed: of the bootstrap.

    Returns:
        reference, n_records, rows (see `compare`).

    Raises:
        InputError: see `compare`.
    """
    for name, table in runs.items():
        _check(table, name)
    rows = compare(runs, reference=reference, n_resamples=n_resamples, seed=seed)
    summary = {"reference": reference, "n_records": len(runs[reference]), "rows": rows}
    return {name: to_json(value) for name, value in summary.items()}


class _Drawn(TypedDict):
    n_resamples: int
    seed: int


def _or_reason(section: Callable[[], Any]) -> Any:
    """Return a section, or the reason why these data or files do not allow it."""
    try:
        return section()
    except InputError as error:
        return {"unavailable": str(error)}


def _check(predictions: pd.DataFrame, name: str = "predictions") -> None:
    missing = [column for column in COLUMNS if column not in predictions]
    if missing:
        raise InputError(f"{name}: no column {', '.join(missing)}; expected {', '.join(COLUMNS)}")
    if predictions["fold"].isna().any():
        raise InputError(f"{name}: {predictions['fold'].isna().sum()} records have no fold")
    twice = predictions["record"][predictions["record"].duplicated()]
    if len(twice):
        raise InputError(f"{name}: {len(twice)} records are predicted twice, as {twice.iloc[0]}")
    try:
        check_binary(predictions["label"], predictions["probability"], probabilities=True)
    except InputError as error:
        raise InputError(f"{name}: {error}") from error


def _records(predictions: pd.DataFrame) -> dict[str, Any]:
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


def _folds(predictions: pd.DataFrame) -> dict[str, Any]:
    values = fold_metrics(predictions)
    ratio = 1 / max(1, len(values) - 1)
    return {
        "values": values.reset_index(),
        "mean": {
            name: corrected_resampled_t(values[name], test_to_train=ratio).difference
            for name in values
        },
        "sd": values.std(ddof=1).to_dict(),
    }


def _by_recalibration(
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
        **{kind: _or_reason(partial(recalibrated, kind)) for kind in RECALIBRATIONS},
    }


def _needed(inner: pd.DataFrame | None) -> pd.DataFrame:
    if inner is None:
        raise InputError(
            "the run has no inner_predictions.csv; chosen on the test records themselves "
            "thresholds and calibration would look better than they are"
        )
    return inner


def _operating_points(
    predictions: pd.DataFrame, inner: pd.DataFrame | None, drawn: _Drawn
) -> dict[str, Any]:
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
        **{name: _or_reason(partial(chosen, rule)) for name, rule in RULES.items()},
    }


def _operating_point(
    predictions: pd.DataFrame, called: npt.NDArray[np.bool_], drawn: _Drawn
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


def _subgroups(
    predictions: pd.DataFrame, cohort: pd.DataFrame | None, names: Sequence[str]
) -> dict[str, Any]:
    table = _beside(predictions, cohort, "cohort")
    absent = [name for name in names if name not in table]
    groups = {name: table[name] for name in names if name in table}
    if "age_years" in groups:
        groups["age_years"] = age_bands(groups["age_years"])
    return {
        **{name: subgroup_performance(predictions, group) for name, group in groups.items()},
        **{name: {"unavailable": f"the cohort has no column {name}"} for name in absent},
    }


def _label_sensitivity(predictions: pd.DataFrame, labels: pd.DataFrame | None) -> dict[str, Any]:
    table = _beside(predictions, labels, "table of label definitions").drop(columns="record")
    return dict(label_sensitivity(predictions, {str(name): table[name] for name in table}))


def _beside(predictions: pd.DataFrame, table: pd.DataFrame | None, name: str) -> pd.DataFrame:
    """Return the rows of a table in the order of the predictions."""
    if table is None:
        raise InputError(f"no {name} was given")
    if "record" not in table or table["record"].duplicated().any():
        raise InputError(f"the {name} needs a column record without duplicates")
    lacking = predictions["record"][~predictions["record"].isin(table["record"])]
    if len(lacking):
        raise InputError(f"the {name} lacks {len(lacking)} records, as {lacking.iloc[0]}")
    return table.set_index("record", drop=False).loc[predictions["record"]].reset_index(drop=True)
