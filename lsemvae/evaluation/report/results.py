"""Table 2, everything per run, baselines on the same folds, paired comparisons."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd

from lsemvae.errors import InputError
from lsemvae.evaluation.clinical_baseline import CLINICAL, CLINICAL_COLUMNS, clinical_baseline
from lsemvae.evaluation.report.blocks import Picture, Section, Table, Text, draw
from lsemvae.evaluation.report.cohort import NO_STORE
from lsemvae.evaluation.report.comparisons import compare_task, comparison_rows
from lsemvae.evaluation.report.evidence import Evidence, RunEvidence
from lsemvae.evaluation.report.written import estimate, number, reason, unavailable
from lsemvae.evaluation.statistics.bootstrap import bootstrap
from lsemvae.evaluation.statistics.delong import auroc_interval
from lsemvae.evaluation.statistics.json_values import to_json
from lsemvae.evaluation.statistics.summary_sections import over_folds
from lsemvae.evaluation.tables.auroc_bars import auroc_bars
from lsemvae.evaluation.tables.table2 import MethodRow, long_table, table_2
from lsemvae.models.methods import METHODS

HEADER = ("model", "AUROC, pooled [95 %]", "AUPRC [95 %]", "MCC [95 %]", "accuracy [95 %]",
          "AUROC, mean over folds [95 %]", "SD over folds")  # fmt: skip
COMPARED = ("difference", "AUROC [95 %], DeLong", "p (Holm)", "AUROC [95 %], bootstrap",
            "mean over folds [95 %], Nadeau-Bengio", "p (Holm)")  # fmt: skip
NAMES = {"age_years": "age", "sex": "sex", "heart_rate_bpm": "heart rate"}


class Baseline(NamedTuple):
    """Age, sex and heart rate alone, on the folds of a task.

    Attributes:
        predictions: out of fold.
        title: which columns it had.
        summary: pooled and folds, as in a run's summary.
    """

    predictions: pd.DataFrame
    title: str
    summary: dict[str, Any]


def results_section(evidence: Evidence) -> Section:
    """Return the tables of results and the comparisons between methods."""
    long = long_table([run.run for run in evidence.runs])
    blocks: list[Text | Table | Picture] = []
    facts: dict[str, Any] = {
        name: {run.key: run.summary[name] for run in evidence.runs} for name in ("pooled", "folds")
    }
    for task in evidence.tasks:
        blocks.append(_table_2(evidence, long, task))
        baseline, why = _baseline(evidence, task)
        blocks.append(_per_run(evidence, task, baseline))
        if baseline is None:
            blocks.append(unavailable(f"Age, sex and heart rate alone ({task})", why))
        else:
            facts.setdefault(CLINICAL, {})[task] = baseline.summary
        blocks.append(_by_fold(evidence, task))
        more, compared = _comparisons(evidence, task, baseline)
        blocks += more
        facts.setdefault("comparisons", {})[task] = compared
    blocks.append(_bars(evidence, long))
    answers = ("performance", "measures", "interval_widths", "sample_sizes")
    return Section("results", "Results (Table 2)", blocks, facts, answers)


def _table_2(evidence: Evidence, long: pd.DataFrame, task: str) -> Table:
    runs = evidence.of_task(task)
    methods = [_method_row(name) for name in dict.fromkeys(run.method for run in runs)]
    leads = list(dict.fromkeys(run.run.leads for run in runs))
    cells = table_2(long[long["task"] == task], methods, leads).cells
    cells = cells[["method", *cells.columns.drop("method")]]
    caption = (
        f"{task}: mean ± SD over the folds at the last epoch, on {evidence.label}; accuracy and "
        "MCC at a probability of one half. Paper: its own patients, not comparable with other data."
    )
    return Table(caption, [str(name) for name in cells], cells.astype(str).to_numpy().tolist())


def _method_row(name: str) -> MethodRow:
    known = METHODS.get(name)
    if known is None:
        return MethodRow(name, name, "-", False)
    study = "Multimodal" if known.multimodal else "Unimodal"
    return MethodRow(name, known.title, study, known.pretrained)


def _baseline(evidence: Evidence, task: str) -> tuple[Baseline | None, str]:
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
    return Baseline(table, f"logistic regression on {used}", to_json(summary)), ""


def _per_run(evidence: Evidence, task: str, baseline: Baseline | None) -> Table:
    runs = evidence.of_task(task)
    counts = runs[0].summary["records"]
    rows = [_row(run.title, run.summary) for run in runs]
    if baseline is not None:
        rows.append(_row(baseline.title, baseline.summary))
    rows.append(["larger class alone", "0.500", number(counts["prevalence"]), "0.000",
                 number(counts["base_rate_accuracy"]), "0.500", "0.000"])  # fmt: skip
    caption = (
        f"{task}, every run and what it has to beat, on {evidence.label}: pooled out-of-fold "
        f"predictions with intervals by patient; {counts['n_records']} records of "
        f"{counts['n_patients']} patients, {counts['n_positive']} records positive (the AUPRC of "
        "chance is their share)."
    )
    return Table(caption, HEADER, rows)


def _row(title: str, summary: Mapping[str, Any]) -> list[str]:
    pooled, folds = summary["pooled"], summary["folds"]
    cells = [title]
    if reason(pooled):
        cells += [f"not available: {reason(pooled)}", "", "", ""]
    else:
        boot = pooled["bootstrap"]
        cells += [estimate(pooled["auroc_delong"])]
        cells += [estimate(boot[name]) for name in ("average_precision", "mcc", "accuracy")]
    if reason(folds):
        return [*cells, f"not available: {reason(folds)}", ""]
    return [*cells, estimate(folds["mean"]["auroc"]), number(folds["sd"]["auroc"])]


def _by_fold(evidence: Evidence, task: str) -> Table | Text:
    runs = [run for run in evidence.of_task(task) if not reason(run.summary["folds"])]
    if not runs:
        return unavailable(
            f"AUROC by fold ({task})", reason(evidence.of_task(task)[0].summary["folds"])
        )
    folds = [str(row["fold"]) for row in runs[0].summary["folds"]["values"]]
    rows = [
        [run.title, *(number(row["auroc"]) for row in run.summary["folds"]["values"])]
        for run in runs
    ]
    return Table(f"{task}: AUROC by fold, on {evidence.label}.",
                 ("model", *(f"fold {fold}" for fold in folds)), rows)  # fmt: skip


def _comparisons(
    evidence: Evidence, task: str, baseline: Baseline | None
) -> tuple[Sequence[Text | Table], Any]:
    reference = evidence.of_task(task)[0]
    try:
        compared = compare_task(
            evidence.of_task(task),
            None if baseline is None else (baseline.title, baseline.predictions),
            n_resamples=evidence.n_resamples,
        )
    except InputError as error:
        return [unavailable(f"Paired comparisons ({task})", str(error))], None
    if not compared:
        return [unavailable(f"Paired comparisons ({task})", "there is one run only")], None
    caption = (
        f"{task}: paired differences on the same patients of {evidence.label}; above zero the "
        f"first is better. p adjusted by Holm's method over this table. Reference method: "
        f"{reference.method}."
    )
    return [Table(caption, COMPARED, comparison_rows(compared))], compared


def _bars(evidence: Evidence, long: pd.DataFrame) -> Picture:
    runs: Sequence[RunEvidence] = evidence.runs
    titles = {run.method: run.title.rsplit(", ", 1)[0] for run in runs}
    leads = list(dict.fromkeys(run.run.leads for run in runs))
    figure = auroc_bars(long, titles, leads=leads, caption=evidence.label)
    rows = long[long["metric"] == "auroc"]
    said = "; ".join(
        f"{row.task}, {row.method}, {row.leads}: {row.pooled:.3f}" for row in rows.itertuples()
    )
    caption = (
        f"Pooled AUROC with its 95 % interval by patient (DeLong), {evidence.label}. Bars are told "
        "apart by hatching."
    )
    return draw(figure, "auroc", caption=caption, alt=f"Bars of AUROC. {said}", wide=True)
