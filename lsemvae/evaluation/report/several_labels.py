"""Show several labels that one head predicts: AUROC of each and their mean, by patient."""

from typing import Any

from lsemvae.core.counted import counted
from lsemvae.core.errors import InputError
from lsemvae.evaluation.plots.figures import COLOURS
from lsemvae.evaluation.report.blocks import Block, Picture, Section, Table, Text, draw
from lsemvae.evaluation.report.curves import legend, marker, panel
from lsemvae.evaluation.report.evidence import Evidence, RunEvidence
from lsemvae.evaluation.report.written import (
    NONE,
    estimate,
    number,
    or_none,
    p_value,
    reason,
    unavailable,
)
from lsemvae.evaluation.statistics.labels_summary import compare_macro

HOW = (
    "One head predicts all labels. A label that is not known of a record has no part in training "
    "or in its AUROC; it is never taken for negative. AUROC: mean over the folds, interval by "
    "patient (DeLong); the interval of the macro AUROC sums what each patient adds to all labels, "
    "so labels that go together are not counted as independent."
)


def several_labels_section(evidence: Evidence) -> Section:
    """Return macro AUROC, AUROC by label and their figure for each set of labels."""
    blocks: list[Block] = [Text(HOW)]
    facts: dict[str, Any] = {}
    for task in evidence.label_tasks:
        runs = evidence.of_task(task)
        blocks.append(macro_table(evidence, task))
        differences, compared = _differences(evidence, task)
        blocks += [*differences, _by_label(evidence, task), _figure(evidence, task)]
        facts |= {run.key: run.summary for run in runs}
        facts.setdefault("differences", {})[task] = compared
    answers = ("performance", "measures", "interval_widths")
    return Section("several_labels", "Several labels", blocks, facts, answers)


def macro_table(evidence: Evidence, task: str) -> Table:
    """Return the macro AUROC of the runs of a set of labels."""
    runs = evidence.of_task(task)
    counts, target = runs[0].summary["records"], runs[0].run.target
    caption = (
        f"Macro AUROC of {counted(len(target.names), 'label')} ({', '.join(target.names)}) on "
        f"{evidence.label}: {counted(counts['n_records'], 'record')} of "
        f"{counted(counts['n_patients'], 'patient')}, out of fold."
    )
    rows = [[run.title, or_none(run.summary["macro"])] for run in runs]
    return Table(caption, ("model", "macro AUROC [95 %]"), rows)


def _differences(evidence: Evidence, task: str) -> tuple[list[Block], list[dict[str, Any]]]:
    """Return the first run's macro AUROC minus that of every other."""
    first, *others = evidence.of_task(task)
    if not others:
        return [], []
    try:
        found = compare_macro([run.run.predictions for run in (first, *others)], first.run.target)
    except InputError as error:
        return [unavailable(f"Differences of macro AUROC ({task})", str(error))], []
    caption = (
        f"Paired differences of macro AUROC on the same patients of {evidence.label}: "
        f"{first.title} minus the other; p not adjusted."
    )
    rows = [
        [other.title, estimate(one["difference"], signed=True), p_value(one["p"])]
        for other, one in zip(others, found, strict=True)
    ]
    named = [{"minus": other.key, **one} for other, one in zip(others, found, strict=True)]
    return [Table(caption, ("minus", "difference [95 %]", "p"), rows)], named


def _by_label(evidence: Evidence, task: str) -> Table:
    runs = evidence.detailed(task)
    first = runs[0]
    caption = (
        f"AUROC and AUPRC (all records at once) by label on {evidence.label}; the AUPRC of chance "
        f"is the share of positives.{evidence.left_out(task, len(runs))}"
    )
    header = ["label", "known", "positive"]
    for run in runs:
        header += [f"{run.title}: AUROC [95 %]", "AUPRC"]
    rows = []
    for name in first.run.target.names:
        counts = first.summary["counts"][name]
        row = [name, str(counts["n_known"]), str(counts["n_positive"])]
        for run in runs:
            row += [_auroc(run, name), number(run.summary["average_precision"][name])]
        rows.append(row)
    return Table(caption, header, rows)


def _auroc(run: RunEvidence, name: str) -> str:
    each = run.summary["each"]
    return f"{NONE}: {reason(each)}" if reason(each) else estimate(each[name])


def _figure(evidence: Evidence, task: str) -> Picture:
    """Return the AUROC of every label with its interval, the labels below one another."""
    runs = [run for run in evidence.curves(task) if not reason(run.summary["each"])]
    names = list(evidence.of_task(task)[0].run.target.names)
    figure, axes = panel("AUROC (95 % interval)", "", f"{task}, {evidence.label}", square=False)
    figure.set_size_inches(4.8, max(2.4, 1.4 + 0.3 * len(names)))
    said = []
    for place, run in enumerate(runs):
        each = [run.summary["each"][name] for name in names]
        known = [(row, one) for row, one in enumerate(each) if one["low"] is not None]
        colour, shift = COLOURS[place % len(COLOURS)], 0.6 * (place + 1) / (len(runs) + 1) - 0.3
        axes.errorbar(
            [one["value"] for _, one in known], [row + shift for row, _ in known],
            xerr=[[one["value"] - one["low"] for _, one in known],
                  [one["high"] - one["value"] for _, one in known]],
            fmt=marker(place), color=colour, markersize=4, capsize=2, label=run.title,
        )  # fmt: skip
        said.append(f"{run.title}: " + ", ".join(
            f"{name} {number(one['value'])}" for name, one in zip(names, each, strict=True)
        ))  # fmt: skip
    axes.axvline(0.5, color="#777777", linewidth=0.8)
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.5)
    if runs:
        legend(axes)
    caption = f"AUROC by label, {evidence.label}; the line is chance."
    number_of_task = evidence.label_tasks.index(task)
    return draw(figure, f"several_labels_{number_of_task}", caption=caption, alt="; ".join(said))
