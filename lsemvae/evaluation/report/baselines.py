"""Show what a model has to beat: age, sex and heart rate alone, on the same folds."""

from typing import Any, NamedTuple

import pandas as pd

from lsemvae.core.errors import InputError
from lsemvae.evaluation.clinical_baseline import CLINICAL_COLUMNS, clinical_baseline
from lsemvae.evaluation.report.cohort import NO_STORE
from lsemvae.evaluation.report.evidence import Evidence, auroc_within_folds
from lsemvae.evaluation.statistics.bootstrap import bootstrap
from lsemvae.evaluation.statistics.delong import auroc_interval
from lsemvae.evaluation.statistics.json_values import to_json
from lsemvae.evaluation.statistics.summary_sections import over_folds

NAMES = {"age_years": "age", "sex": "sex", "heart_rate_bpm": "heart rate"}


class Baseline(NamedTuple):
    """Age, sex and heart rate alone, on the folds of a task.

    Attributes:
        predictions: out of fold.
        title: which columns it had.
        within_folds: its mean AUROC over the folds.
        summary: pooled and folds, as in a run's summary.
    """

    predictions: pd.DataFrame
    title: str
    within_folds: dict[str, Any]
    summary: dict[str, Any]


def clinical(evidence: Evidence, task: str) -> tuple[Baseline | None, str]:
    """Return what the columns alone predict, or why that is not known."""
    if evidence.cohort is None:
        return None, NO_STORE
    if task in CLINICAL_COLUMNS:
        return None, f"the task is the column {task} itself"
    first = evidence.of_task(task)[0].run.predictions
    try:
        table = clinical_baseline(first, evidence.cohort.table)
    except InputError as error:
        return None, str(error)
    columns = table["label"], table["probability"], table["patient_id"]
    summary = {
        "pooled": {
            "auroc_delong": auroc_interval(*columns),
            "bootstrap": bootstrap(*columns, n_resamples=evidence.n_resamples),
        },
        "folds": over_folds(table),
    }
    used = ", ".join(NAMES[name] for name in table.attrs["columns"])
    title = f"logistic regression on {used}"
    return Baseline(table, title, auroc_within_folds(table), to_json(summary)), ""
