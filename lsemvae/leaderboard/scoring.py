"""Score rows by the same functions as `cv`, `benchmark` and `report`: metrics are never taken."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd

from lsemvae.core.errors import InputError
from lsemvae.core.leads import LEADS, LIMB_LEADS
from lsemvae.core.targets import Kind
from lsemvae.evaluation.predictions import summarise
from lsemvae.evaluation.report.evidence import auroc_within_folds
from lsemvae.evaluation.report.written import reason
from lsemvae.evaluation.runs import CvRun
from lsemvae.evaluation.statistics.comparison import compare
from lsemvae.evaluation.statistics.json_values import to_json
from lsemvae.evaluation.statistics.labels_summary import compare_macro, summarise_labels
from lsemvae.evaluation.statistics.metrics import average_precision, plain
from lsemvae.evaluation.tables.number_table import number_summary
from lsemvae.leaderboard.board import Board, Question
from lsemvae.leaderboard.statement import Entry
from lsemvae.leaderboard.submission import Row

N_RESAMPLES = 1000


class Figure(NamedTuple):
    """A metric of an entry.

    Attributes:
        metric: its name.
        value: None where the data do not allow it.
        low: lower end of the 95 % interval by patient, None without one.
        high: upper end.
        sd: over the folds, None where it is no mean over them.
        why: why there is no value.
    """

    metric: str
    value: float | None
    low: float | None = None
    high: float | None = None
    sd: float | None = None
    why: str = ""


class Scored(NamedTuple):
    """An entry with its figures, the first of which the rows are ordered by.

    Attributes:
        row: that it belongs to.
        entry: of the row.
        run: the same as a run, with the frozen labels.
        figures: of it.
    """

    row: Row
    entry: Entry
    run: CvRun
    figures: Sequence[Figure]

    @property
    def order(self) -> tuple[bool, float, str]:
        """Sort by this: encoders that saw test patients last, then the best first."""
        first = self.figures[0]
        worst = float("inf") if first.value is None else first.value
        sign = 1 if first.metric.startswith("MAE") or first.value is None else -1
        return bool(self.row.saw_test_patients), sign * worst, self.row.statement.name


def score_rows(rows: Sequence[Row], board: Board) -> list[Scored]:
    """Score every entry of all rows, the best of a task and lead set first."""
    scored = [
        _scored(row, entry, table, board)
        for row in rows
        for entry, table in row.predictions.items()
    ]
    return sorted(scored, key=lambda one: one.order)


def differences(scored: Sequence[Scored]) -> dict[str, tuple[Figure, float | None]]:
    """Return by row the first row minus it, on the same patients, and p adjusted by Holm.

    Args:
        scored: of one task and lead set, the best first.
    """
    first, *others = scored
    if not others or first.run.target.kind == "number":
        return {}
    runs = {one.row.statement.name: one.run.predictions for one in scored}
    try:
        if first.run.target.kind == "labels":
            compared = compare_macro(list(runs.values()), first.run.target)
            return {
                one.row.statement.name: (_figure("difference", found["difference"]), found["p"])
                for one, found in zip(others, compared, strict=True)
            }
        found = compare(runs, reference=first.row.statement.name, n_resamples=0)
    except InputError:
        return {}
    return {
        one["method"]: (
            _figure("difference", to_json(one["delong"].difference)),
            to_json(one["delong_p_holm"]),
        )
        for one in found.to_dict("records")
    }


def _scored(row: Row, entry: Entry, table: pd.DataFrame, board: Board) -> Scored:
    question = board.questions[entry.task]
    run = _run(row, entry, table, board, question)
    return Scored(row, entry, run, _FIGURES[question.target.kind](run))


def _run(
    row: Row, entry: Entry, table: pd.DataFrame, board: Board, question: Question
) -> CvRun:  # fmt: skip
    """Join predictions and frozen labels, as a finished run has them."""
    truth = question.truth[["record", "patient_id", *question.target.truth]]
    predictions = truth.merge(table, on="record", validate="one_to_one")
    about = {
        "task": question.task, "method": row.statement.name, "title": row.statement.title,
        "data": board.data, "synthetic": board.synthetic, "derived": board.derived,
        "leads": leads_of(entry.lead_set), "target": question.target.described(),
        **question.thresholds,
    }  # fmt: skip
    measured = to_json(summarise(predictions, question.target))
    return CvRun(row.folder, {**about, **measured}, predictions)


def leads_of(lead_set: str) -> tuple[str, ...]:
    """Return the leads of a set's name, such as 12L or 2L-I-II."""
    known = {"12L": LEADS, "6L": LIMB_LEADS}
    return known.get(lead_set) or tuple(lead_set.split("-")[1:])


def _figure(metric: str, found: Mapping[str, Any], sd: float | None = None) -> Figure:
    """Return an `Estimate` or the reason why there is none."""
    why = reason(found)
    if why:
        return Figure(metric, None, why=why)
    return Figure(metric, found["value"], found["low"], found["high"], sd)


def _of_binary(run: CvRun) -> list[Figure]:
    mean, sd = run.metrics["mean"], run.metrics["sd"]
    label = run.predictions["label"].to_numpy() == 1
    score = run.predictions["probability"].to_numpy()
    return [
        _figure("AUROC", auroc_within_folds(run.predictions), sd["auroc"]),
        Figure("AUROC, pooled", run.metrics["pooled"]["auroc"]),
        Figure("AUPRC, pooled", plain(average_precision, label, score)),
        Figure("MCC", mean["mcc"], sd=sd["mcc"]),
        Figure("accuracy", mean["accuracy"], sd=sd["accuracy"]),
    ]


def _of_labels(run: CvRun) -> list[Figure]:
    found = summarise_labels(run.predictions, run.target)
    each, sd = found["each"], run.metrics["sd"]
    return [
        _figure("macro AUROC", found["macro"], sd["macro_auroc"]),
        *(
            _figure(f"AUROC of {name}", each if reason(each) else each[name], sd[f"auroc:{name}"])
            for name in run.target.names
        ),
    ]


def _of_number(run: CvRun) -> list[Figure]:
    found, sd = number_summary(run, N_RESAMPLES), run.metrics["sd"]
    unit = run.target.number.unit
    told = found["thresholded"]
    parts = [
        (f"MAE ({unit})", found["pooled"], "mae"),
        (f"RMSE ({unit})", found["pooled"], "rmse"),
        ("R²", found["pooled"], "r2"),
        (f"bias ({unit})", found["agreement"], "bias"),
        (f"lower limit of agreement ({unit})", found["agreement"], "lower"),
        (f"upper limit of agreement ({unit})", found["agreement"], "upper"),
        ("90 % interval holds", found["interval"], "coverage"),
        (f"AUROC above {told.get('above', 0):g} {unit}", told, "auroc"),
    ]
    return [
        _figure(title, part if reason(part) else part[name], sd.get(name))
        for title, part, name in parts
    ]


_FIGURES: dict[Kind, Callable[[CvRun], list[Figure]]] = {
    "binary": _of_binary,
    "number": _of_number,
    "labels": _of_labels,
}
