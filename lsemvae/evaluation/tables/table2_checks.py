"""Check that a published table of results can be true of its cohort.

The table has one row for each result, cells as text with their printed digits: task, method, leads,
metric (auroc, accuracy or mcc), mean, sd (may be empty), pretrained, multimodal (yes or no).
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import pandas as pd

from lsemvae.core.findings import Finding
from lsemvae.evaluation.tables.confusion import Published, folds_can_have, mcc_range
from lsemvae.evaluation.tables.printed import half_unit, rows_of

KEYS = ["task", "method", "leads"]


class ClassSizes(NamedTuple):
    """Patients of the negative and of the positive class of a task."""

    n_negative: int
    n_positive: int

    @property
    def base_rate(self) -> float:
        """Accuracy of always naming the larger class."""
        return max(self) / sum(self)


Sizes = Mapping[str, ClassSizes]


def published(mean: str, sd: str) -> Published:
    """Return a printed mean and SD as numbers with their rounding."""
    if not sd:
        return Published(float(mean), mean_error=half_unit(mean))
    return Published(float(mean), float(sd), half_unit(mean), half_unit(sd))


def below_base_rate(table: pd.DataFrame, sizes: Sizes) -> list[Finding]:
    """Find accuracies that naming the larger class every time would beat."""
    accuracy = table[table["metric"] == "accuracy"]
    found = []
    for task, rows in accuracy.groupby("task", sort=False):
        if task not in sizes:
            continue
        mean = rows["mean"].astype(float) + rows["mean"].map(half_unit)
        below = rows[mean < sizes[str(task)].base_rate]
        if len(below):
            found.append(
                Finding(
                    "accuracy below the larger class",
                    tuple(_name(row) for row in rows_of(below)),
                    f"{len(below)} of {len(rows)} accuracies of {task} are below "
                    f"{sizes[str(task)].base_rate:.3f}, the share of the larger class",
                )
            )
    return found


def impossible_mcc(table: pd.DataFrame, sizes: Sizes, n_folds: int = 5) -> list[Finding]:
    """Find MCCs that cannot stand beside their accuracy in a cohort of these class sizes.

    The strong finding holds for any folds that are stratified by class; the weak one for a single
    confusion matrix at the mean accuracy, which a mean over unequal folds need not obey.
    """
    found = []
    for row in rows_of(results(table).dropna(subset=["accuracy", "mcc"])):
        if row.task not in sizes:
            continue
        n_negative, n_positive = sizes[row.task]
        low, high = mcc_range(row.accuracy, n_positive, n_negative)
        error = row.mcc.mean_error
        one_matrix = low - error <= row.mcc.mean <= high + error
        folds = folds_can_have(row.accuracy, row.mcc, n_positive, n_negative, n_folds)
        if one_matrix and folds:
            continue
        claim = (
            f"accuracy {row.accuracy.mean:.3f} with {n_positive} of {n_positive + n_negative} "
            f"positive allows an MCC of {low:.3f} to {high:.3f} in one confusion matrix, printed "
            f"is {row.mcc.mean:.3f}"
        )
        proof = (
            "folds that differ could still give it"
            if folds
            else f"no {n_folds} stratified folds give these means and SDs"
        )
        check = "unlikely MCC" if folds else "impossible MCC"
        found.append(Finding(check, (_name(row),), f"{claim}; {proof}"))
    return found


def results(table: pd.DataFrame) -> pd.DataFrame:
    """Return one row for each task, method and leads, one column of `Published` per metric."""
    cells = [published(row.mean, row.sd) for row in rows_of(table)]
    wide = table.assign(cell=pd.Series(cells, index=table.index, dtype=object))
    wide = wide.pivot(index=KEYS, columns="metric", values="cell")
    return wide.reindex(columns=["auroc", "accuracy", "mcc"]).reset_index()


def contradicting_gains(table: pd.DataFrame, gains: pd.DataFrame) -> list[Finding]:
    """Find gains that a text quotes and the table does not show.

    Args:
        table: the results.
        gains: task, leads, metric, method, than_method, than_leads, gain as text; than_method may
            be best_unimodal or worst_unimodal.
    """
    found = []
    for claim in rows_of(gains):
        same = table[(table["task"] == claim.task) & (table["metric"] == claim.metric)]
        ours = _mean_of(same, claim.method, claim.leads)
        theirs = _mean_of(same, claim.than_method, claim.than_leads)
        if ours is None or theirs is None:
            continue
        gain, error = ours[0] - theirs[0], ours[1] + theirs[1] + half_unit(claim.gain) + 1e-9
        if abs(gain - float(claim.gain)) <= error:
            continue
        found.append(
            Finding(
                "gain in the text",
                (f"{claim.task} {claim.metric}, {claim.method} {claim.leads}L against "
                 f"{claim.than_method} {claim.than_leads}L",),
                f"the text says {claim.gain}, the table {gain:.3f}",
            )
        )  # fmt: skip
    return found


def _mean_of(table: pd.DataFrame, method: str, leads: str) -> tuple[float, float] | None:
    """Return a method's mean and half a unit of its last digit, None where the table has none."""
    rows = table[table["leads"] == leads]
    which = {"best_unimodal": max, "worst_unimodal": min}.get(method)
    named = rows["multimodal"] == "no" if which else rows["method"] == method
    cells = rows[named]["mean"].tolist()
    if not cells:
        return None
    cell = (which or max)(cells, key=float)
    return float(cell), half_unit(cell)


def _name(row: Any) -> str:
    return f"{row.task}/{row.method}/{row.leads}L"
