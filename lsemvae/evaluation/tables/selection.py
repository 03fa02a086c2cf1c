"""Choose between settings on inner validation parts, and report what that choice is worth.

Every training part has an inner validation part (`fold_K/inner`). Choosing by it, fold by fold, and
scoring the chosen setting on the fold that was held out is nested cross-validation: no reported
record has a say in the choice that is reported for it (Varma and Simon 2006,
doi:10.1186/1471-2105-7-91).
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from lsemvae.evaluation.runs import CvRun


class Selection(NamedTuple):
    """Settings compared on inner parts, and nested cross-validation between them.

    Attributes:
        inner: a row per method: mean inner AUROC over tasks, lead sets and folds, and its paired
            difference from the reference with its standard error.
        nested: a row per task and lead set: AUROC on the held-out folds of the reference and of the
            method chosen in every fold, mean over the folds, and how often each was chosen.
    """

    inner: pd.DataFrame
    nested: pd.DataFrame


def select_on_inner_parts(runs: Sequence[CvRun], reference: str) -> Selection | None:
    """Compare methods on the inner validation parts of the same folds.

    Args:
        runs: of any tasks and lead sets; those without inner predictions are left out.
        reference: the method that the others are compared with.

    Returns:
        Of the methods that have inner predictions for every task and lead set; None where the
        reference or all others lack some.
    """
    scores = pd.DataFrame(
        [
            {
                "task": run.metrics["task"],
                "leads": run.leads,
                "method": run.metrics["method"],
                "fold": fold,
                "inner": inner["auroc"],
                "outer": outer["auroc"],
            }
            for run in runs
            if "inner" in run.metrics
            for fold, (inner, outer) in enumerate(
                zip(run.metrics["inner"]["folds"], run.metrics["folds"], strict=True)
            )
        ]
    )
    if scores.empty or reference not in set(scores["method"]) or scores["method"].nunique() < 2:
        return None
    by_fold = scores.set_index(["task", "leads", "fold", "method"])
    inner, outer = (by_fold[part].unstack("method").dropna(axis=1) for part in ("inner", "outer"))
    if reference not in inner or len(inner.columns) < 2:
        return None
    return Selection(_inner_table(inner, reference), _nested_table(inner, outer, reference))


def _inner_table(inner: pd.DataFrame, reference: str) -> pd.DataFrame:
    """Return the means; the standard error is over tasks, and NaN for one task."""
    by_task = inner.sub(inner[reference], axis="index").groupby("task").mean()
    table = pd.DataFrame(
        {
            "inner_auroc": inner.mean(),
            "difference": by_task.mean(),
            "standard_error": by_task.std(ddof=1) / math.sqrt(len(by_task)),
        }
    )
    return table.sort_values("inner_auroc", ascending=False).reset_index()


def _nested_table(inner: pd.DataFrame, outer: pd.DataFrame, reference: str) -> pd.DataFrame:
    place = outer.columns.get_indexer(pd.Index(inner.idxmax(axis=1)))
    folds = pd.DataFrame(
        {
            "method": outer.columns[place],
            "reference": outer[reference],
            "chosen": outer.to_numpy()[np.arange(len(outer)), place],
        },
        index=outer.index,
    )
    groups = folds.groupby(level=["task", "leads"], sort=False)
    table = groups[["reference", "chosen"]].mean()
    table["choices"] = groups["method"].agg(_counted)
    return table.reset_index()


def _counted(names: pd.Series) -> str:
    return ", ".join(f"{name} {n}" for name, n in names.value_counts().items())
