"""Show what a model has to beat on the same folds: a few columns, without a network."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import pandas as pd

from lsemvae.core.errors import InputError
from lsemvae.evaluation.clinical_baseline import (
    CLINICAL_COLUMNS,
    MACHINE,
    V1_R_SHARE,
    clinical_baseline,
)
from lsemvae.evaluation.report.cohort import NO_STORE
from lsemvae.evaluation.report.evidence import CohortEvidence, Evidence, auroc_within_folds
from lsemvae.evaluation.statistics.bootstrap import bootstrap
from lsemvae.evaluation.statistics.delong import auroc_interval
from lsemvae.evaluation.statistics.json_values import to_json
from lsemvae.evaluation.statistics.summary_sections import over_folds

NAMES = {
    "age_years": "age", "sex": "sex", "heart_rate_bpm": "heart rate",
    "machine_heart_rate_bpm": "heart rate", "machine_pr_ms": "PR", "machine_qrs_ms": "QRS duration",
    "machine_qt_ms": "QT", "machine_qtc_ms": "QTc", "machine_p_axis_deg": "P axis",
    "machine_qrs_axis_deg": "QRS axis", "machine_t_axis_deg": "T axis",
    V1_R_SHARE: "R/(R+S) in V1, measured from the signals",
}  # fmt: skip
NO_MACHINE = (
    "the cohort has no column machine_...; `lsemvae link` makes them of what the recorders stored"
)


class Baseline(NamedTuple):
    """A few columns alone, on the folds of a task.

    Attributes:
        predictions: out of fold.
        title: which columns it had.
        within_folds: its mean AUROC over the folds.
        summary: pooled and folds, as in a run's summary.
        note: what the title leaves out, empty where that is nothing.
    """

    predictions: pd.DataFrame
    title: str
    within_folds: dict[str, Any]
    summary: dict[str, Any]
    note: str = ""


def clinical(evidence: Evidence, task: str) -> tuple[Baseline | None, str]:
    """Return what age, sex and heart rate alone predict, or why that is not known."""
    found, title = clinical_predictions(evidence, task)
    if found is None:
        return None, title
    return _summarised(evidence, found)._replace(title=title), ""


def clinical_predictions(evidence: Evidence, task: str) -> tuple[pd.DataFrame | None, str]:
    """Return what age, sex and heart rate alone predict out of fold, and which of them there are.

    Args:
        evidence: of the report.
        task: with a yes or no.

    Returns:
        Predictions and a title; or None and why they are not known.
    """
    if evidence.cohort is None:
        return None, NO_STORE
    if task in CLINICAL_COLUMNS:
        return None, f"the task is the column {task} itself"
    found, why = _out_of_fold(evidence, task, evidence.cohort.table, CLINICAL_COLUMNS)
    if found is None:
        return None, why
    used = ", ".join(NAMES[name] for name in found.attrs["columns"])
    return found, f"logistic regression on {used}"


def machine(evidence: Evidence, task: str) -> tuple[Baseline | None, str]:
    """Return what age, sex and the recorder's measurements predict, or why that is not known."""
    cohort = evidence.cohort
    if cohort is None:
        return None, NO_STORE
    columns = [str(name) for name in cohort.machine.columns.drop("record") if name != task]
    if not columns:
        return None, NO_MACHINE
    people = [name for name in ("age_years", "sex") if name != task]
    found, why = _out_of_fold(evidence, task, _joined(cohort, people), [*people, *columns])
    if found is None:
        return None, why
    used = found.attrs["columns"]
    whose = [NAMES[name] for name in people if name in used]
    measured = [NAMES.get(name, name.removeprefix(MACHINE)) for name in used if name not in people]
    title = f"logistic regression on {', '.join([*whose, 'machine measurements'])}"
    note = (
        f"Machine measurements ({task}): {'; '.join(measured)}. Axes enter as sine and cosine; a "
        "missing number is the median of the training folds."
    )
    return _summarised(evidence, found)._replace(title=title, note=note), ""


def _joined(cohort: CohortEvidence, people: Sequence[str]) -> pd.DataFrame:
    known = [name for name in people if name in cohort.table]
    return cohort.machine.merge(cohort.table[["record", *known]], on="record")


def _out_of_fold(
    evidence: Evidence, task: str, table: pd.DataFrame, columns: Sequence[str]
) -> tuple[pd.DataFrame | None, str]:
    """Return what the columns alone predict, or why that is not known."""
    first = evidence.of_task(task)[0].run.predictions
    try:
        return clinical_baseline(first, table, columns), ""
    except InputError as error:
        return None, str(error)


def _summarised(evidence: Evidence, found: pd.DataFrame) -> Baseline:
    """Return the statistics of predictions, without a title."""
    values = found["label"], found["probability"], found["patient_id"]
    summary = {
        "pooled": {
            "auroc_delong": auroc_interval(*values),
            "bootstrap": bootstrap(*values, n_resamples=evidence.n_resamples),
        },
        "folds": over_folds(found),
    }
    return Baseline(found, "", auroc_within_folds(found), to_json(summary))
