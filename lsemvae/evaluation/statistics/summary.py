"""Compute all statistics of one run, and of several runs on the same records, as dictionaries."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import pandas as pd

from lsemvae.core.counted import counted
from lsemvae.core.errors import InputError
from lsemvae.evaluation.predictions import COLUMNS
from lsemvae.evaluation.statistics.abstention import abstention_curve
from lsemvae.evaluation.statistics.binary_arrays import check_binary
from lsemvae.evaluation.statistics.bootstrap import N_RESAMPLES, bootstrap
from lsemvae.evaluation.statistics.calibration import calibration_measures
from lsemvae.evaluation.statistics.comparison import compare
from lsemvae.evaluation.statistics.decision_curve import decision_curve
from lsemvae.evaluation.statistics.delong import auroc_interval
from lsemvae.evaluation.statistics.inner_predictions import inner_by_fold
from lsemvae.evaluation.statistics.json_values import to_json
from lsemvae.evaluation.statistics.permutation import permutation_null
from lsemvae.evaluation.statistics.summary_sections import (
    Drawn,
    by_recalibration,
    operating_points,
    or_reason,
    other_labels,
    over_folds,
    record_counts,
    subgroup_tables,
)

SUBGROUPS = ("sex", "age_years")


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
        InputError: predictions that no statistic can use, inner predictions that have seen what is
            held out, or a table that lacks a record.
    """
    _check(predictions)
    if inner is not None:
        inner_by_fold(predictions, inner)
    if cohort is not None:
        cohort = _beside(predictions, cohort, "cohort")
    if labels is not None:
        labels = _beside(predictions, labels, "table of label definitions")
    columns = predictions["label"], predictions["probability"], predictions["patient_id"]
    drawn = Drawn(n_resamples=n_resamples, seed=seed)
    sections: dict[str, Callable[[], Any]] = {
        "records": lambda: record_counts(predictions),
        "pooled": lambda: {
            "auroc_delong": auroc_interval(*columns),
            "bootstrap": bootstrap(*columns, **drawn),
        },
        "folds": lambda: over_folds(predictions),
        "calibration": lambda: by_recalibration(predictions, inner, calibration_measures),
        "decision_curve": lambda: by_recalibration(
            predictions, inner, partial(decision_curve, **drawn)
        ),
        "operating_points": lambda: operating_points(predictions, inner, drawn),
        "subgroups": lambda: subgroup_tables(predictions, cohort, subgroups),
        "label_sensitivity": lambda: other_labels(predictions, labels),
        "abstention": lambda: abstention_curve(predictions),
        "permutation": lambda: permutation_null(*columns, seed=seed),
    }
    return {name: to_json(or_reason(section)) for name, section in sections.items()}


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


def _check(predictions: pd.DataFrame, name: str = "predictions") -> None:
    missing = [column for column in COLUMNS if column not in predictions]
    if missing:
        raise InputError(f"{name}: no column {', '.join(missing)}; expected {', '.join(COLUMNS)}")
    if predictions["fold"].isna().any():
        raise InputError(
            f"{name}: {counted(predictions['fold'].isna().sum(), 'record has', 'records have')} no "
            "fold"
        )
    twice = predictions["record"][predictions["record"].duplicated()]
    if len(twice):
        raise InputError(
            f"{name}: {counted(len(twice), 'record is', 'records are')} predicted twice, as "
            f"{twice.iloc[0]}"
        )
    try:
        check_binary(predictions["label"], predictions["probability"], probabilities=True)
    except InputError as error:
        raise InputError(f"{name}: {error}") from error


def _beside(predictions: pd.DataFrame, table: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return the rows of a table in the order of the predictions."""
    if "record" not in table or table["record"].duplicated().any():
        raise InputError(f"the {name} needs a column record without duplicates")
    lacking = predictions["record"][~predictions["record"].isin(table["record"])]
    if len(lacking):
        raise InputError(
            f"the {name} lacks {counted(len(lacking), 'record')}, as {lacking.iloc[0]}"
        )
    return table.set_index("record", drop=False).loc[predictions["record"]].reset_index(drop=True)
