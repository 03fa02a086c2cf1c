"""Show Table 2, everything per run, baselines on the same folds, paired comparisons."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from lsemvae.core.errors import InputError
from lsemvae.evaluation.clinical_baseline import CLINICAL, MACHINE_BASELINE
from lsemvae.evaluation.report.baselines import Baseline, clinical, machine
from lsemvae.evaluation.report.blocks import Block, Picture, Section, Table, Text, draw, frame_table
from lsemvae.evaluation.report.comparisons import compare_task, comparison_rows
from lsemvae.evaluation.report.evidence import Evidence, RunEvidence
from lsemvae.evaluation.report.written import (
    NONE,
    estimate,
    interval,
    number,
    or_none,
    reason,
    unavailable,
)
from lsemvae.evaluation.runs import CvRun, repeats_line
from lsemvae.evaluation.tables.auroc_bars import auroc_bars
from lsemvae.evaluation.tables.table2 import MethodRow, long_table, table_2

HEADER = ("model", "AUROC, mean over folds [95 %]", "SD", "[95 %], trained anew",
          "AUROC, pooled [95 %]", "AUPRC [95 %]", "MCC [95 %]", "accuracy [95 %]")  # fmt: skip
COMPARED = ("difference", "AUROC, mean over folds [95 %]", "p (DeLong, Holm)",
            "[95 %], trained anew", "p (Nadeau-Bengio, Holm)",
            "AUROC, pooled [95 %], bootstrap")  # fmt: skip


def results_section(evidence: Evidence) -> Section:
    """Return the tables of results and the comparisons between methods."""
    long = long_table([run.run for run in evidence.runs])
    blocks: list[Block] = []
    facts: dict[str, Any] = {
        name: {run.key: run.summary[name] for run in evidence.runs} for name in ("pooled", "folds")
    }
    facts["within_folds"] = {run.key: run.within_folds for run in evidence.runs}
    for task in evidence.tasks:
        blocks += _table_2(evidence, long[long["task"] == task], task)
        baselines, missing = _baselines(evidence, task, facts)
        blocks.append(_per_run(evidence, task, baselines))
        blocks += [Text(one.note) for one in baselines if one.note]
        blocks += _repeats(evidence, task, facts)
        blocks += missing
        blocks.append(_by_fold(evidence, task))
        more, compared = _comparisons(evidence, task, baselines)
        blocks += more
        facts.setdefault("comparisons", {})[task] = compared
    blocks.append(_bars(evidence, long))
    answers = ("performance", "measures", "interval_widths", "sample_sizes")
    return Section("results", "Results (Table 2)", blocks, facts, answers)


def _baselines(
    evidence: Evidence, task: str, facts: dict[str, Any]
) -> tuple[list[Baseline], list[Text]]:
    """Return the baselines of a task, adding their numbers to the facts; and those that lack."""
    found, missing = [], []
    for name, what, make in (
        (CLINICAL, "Age, sex and heart rate alone", clinical),
        (MACHINE_BASELINE, "Age, sex and machine measurements", machine),
    ):
        one, why = make(evidence, task)
        if one is None:
            missing.append(unavailable(f"{what} ({task})", why))
        else:
            found.append(one)
            facts.setdefault(name, {})[task] = {"within_folds": one.within_folds, **one.summary}
    return found, missing


def _table_2(evidence: Evidence, long: pd.DataFrame, task: str) -> list[Table]:
    """Return the paper's table for each set of leads: all of them side by side fit no page."""
    runs = evidence.of_task(task)
    tables = []
    for leads in dict.fromkeys(run.run.leads for run in runs):
        rows = {run.method: _method_row(run.run) for run in runs if run.run.leads == leads}
        found = table_2(long, list(rows.values()), [leads])
        order = ["method", *found.cells.columns.drop("method")]
        caption = (
            f"{task}, {leads}: mean ± SD over the folds, on {evidence.label}; accuracy and MCC at "
            "a probability of one half."
        )
        marks = {}
        if len(rows) > 1:
            caption += " Bold: best mean of a column; underlined: best unimodal method."
            marks = {"bold": found.bold[order], "underlined": found.underline[order]}
        if any(name.startswith("paper ") for name in order):
            caption += " Paper: its own patients, not comparable with other data."
        tables.append(frame_table(caption, found.cells[order], **marks))
    return tables


def _method_row(run: CvRun) -> MethodRow:
    about = run.metrics
    study, pretrained = about.get("study_type", "-"), about.get("pretrained", False)
    return MethodRow(about["method"], run.method_title, str(study), bool(pretrained))


def _per_run(evidence: Evidence, task: str, baselines: Sequence[Baseline]) -> Table:
    runs = evidence.of_task(task)
    counts = runs[0].summary["records"]
    rows = [_row(run.title, run.within_folds, run.summary) for run in runs]
    rows += [_row(one.title, one.within_folds, one.summary) for one in baselines]
    rows.append(["larger class alone", "0.500", "0.000", "", "0.500", number(counts["prevalence"]),
                 "0.000", number(counts["base_rate_accuracy"])])  # fmt: skip
    caption = (
        f"{task}, every run and what it has to beat, on {evidence.label}; intervals by patient for "
        "these models (DeLong within folds) and for models trained anew (Nadeau-Bengio); pooled: "
        f"all folds as one; {evidence.counts(task)} (the AUPRC of chance is their share)."
    )
    return Table(caption, HEADER, rows)


def _row(title: str, within: Mapping[str, Any], summary: Mapping[str, Any]) -> list[str]:
    pooled, folds = summary["pooled"], summary["folds"]
    cells = [title, or_none(within)]
    if reason(folds):
        cells += [f"{NONE}: {reason(folds)}", ""]
    else:
        cells += [number(folds["sd"]["auroc"]), interval(folds["mean"]["auroc"])]
    if reason(pooled):
        return [*cells, f"{NONE}: {reason(pooled)}", "", "", ""]
    boot = pooled["bootstrap"]
    names = ("average_precision", "mcc", "accuracy")
    return [*cells, estimate(pooled["auroc_delong"]), *(estimate(boot[name]) for name in names)]


def _repeats(evidence: Evidence, task: str, facts: dict[str, Any]) -> list[Text]:
    """Say how far the runs that were repeated spread, beside the interval of patients."""
    blocks = []
    for run in evidence.of_task(task):
        table = run.run.repeats
        if table is not None:
            facts.setdefault("repeats", {})[run.key] = table.to_dict("list")
            said = repeats_line(table, run.run.metrics)
            blocks.append(Text(f"{run.title}: {said}. Patients' intervals above."))
    return blocks


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
    evidence: Evidence, task: str, baselines: Sequence[Baseline]
) -> tuple[Sequence[Block], Any]:
    reference = evidence.of_task(task)[0]
    try:
        compared = compare_task(
            evidence.of_task(task),
            {one.title: one.predictions for one in baselines},
            n_resamples=evidence.n_resamples,
        )
    except InputError as error:
        return [unavailable(f"Paired comparisons ({task})", str(error))], None
    if not compared:
        return [unavailable(f"Paired comparisons ({task})", "there is one run only")], None
    caption = (
        f"{task}: paired differences on the same patients of {evidence.label}, for these models "
        "(DeLong within folds) and for models trained anew (Nadeau-Bengio); above zero the first "
        f"is better. p adjusted by Holm's method over this table. Reference method: "
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
        f"{row.task}, {row.method}, {row.leads}: {row.mean:.3f}" for row in rows.itertuples()
    )
    caption = (
        f"Mean AUROC over the folds with its 95 % interval by patient (DeLong within folds), "
        f"{evidence.label}. Bars are told apart by hatching."
    )
    return draw(figure, "auroc", caption=caption, alt=f"Bars of AUROC. {said}", wide=True)
