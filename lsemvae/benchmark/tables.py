"""Write what a benchmark found: tables, comparisons, bar charts."""

import math
from collections.abc import Mapping, Set
from pathlib import Path
from typing import Any

import pandas as pd

from data_modules.store.read import EcgStore
from lsemvae.benchmark.plan import Plan, run_name
from lsemvae.core.counted import counted
from lsemvae.core.errors import InputError
from lsemvae.core.figure_files import save_figure
from lsemvae.core.files import write_text
from lsemvae.core.leads import lead_set_name, parse_leads
from lsemvae.core.printable import say
from lsemvae.core.targets import NUMBERS, task_folder
from lsemvae.evaluation.leakage_statement import near_counts
from lsemvae.evaluation.runs import CvRun, read_cv_run
from lsemvae.evaluation.tables.auroc_bars import auroc_bars
from lsemvae.evaluation.tables.labels_table import labels_rows, labels_table, long_labels_table
from lsemvae.evaluation.tables.number_table import (
    long_number_table,
    number_rows,
    number_table,
)
from lsemvae.evaluation.tables.selection import select_on_inner_parts
from lsemvae.evaluation.tables.table2 import MethodRow, comparison_table, long_table, table_2
from lsemvae.evaluation.tables.table_files import write_table
from lsemvae.evaluation.tables.terminal import print_frame
from lsemvae.models.methods import METHOD_GROUPS, METHODS, REFERENCE, find_method, method_name


def write_tables(plan: Plan, folder: Path, failed: Mapping[str, str]) -> None:
    """Write everything that the finished runs of a plan allow, and say where.

    `benchmark.csv` holds every figure of every run. The methods of Table 2, the ablations of
    Fig. 2, the authors' code and the recommended recipe each get a table per task, paired
    comparisons and a bar chart.
    Numbers that were estimated, and sets of labels, get a table each.

    Args:
        plan: what was compared.
        folder: of the benchmark.
        failed: reasons of the runs that failed, by name; left out, whatever is on the disk.

    Raises:
        InputError: no run is finished; says why.
    """
    runs = finished_runs(plan, folder, failed.keys())
    if not runs:
        raise InputError(f"no run below {folder} is finished: {reasons_of(failed)}")
    binary = [run for run in runs if run.target.kind == "binary"]
    if binary:
        _write_binary(plan, folder, binary)
    numbers = [run for run in runs if run.target.kind == "number"]
    if numbers:
        write_number_tables(folder, number_rows(numbers, binary), caption(plan, numbers))
    several = [run for run in runs if run.target.kind == "labels"]
    if several:
        write_labels_tables(folder, labels_rows(several), caption(plan, several))
    of = f"of {plan.n_runs}"
    say(f"{counted(len(runs), f'run {of} is', f'runs {of} are')} in the tables of {folder}")


def _write_binary(plan: Plan, folder: Path, runs: list[CvRun]) -> None:
    """Write the tables of the tasks with a yes or no."""
    write_text(folder / "benchmark.csv", long_table(runs).to_csv(index=False))
    for stem, group in METHOD_GROUPS.items():
        shown = {REFERENCE, *group}
        own = stem == "table2"
        methods = [name for name in plan.methods if name in shown or (own and name not in METHODS)]
        names = {method_name(name) for name in methods}
        chosen = [run for run in runs if run.metrics["method"] in names]
        if chosen and methods != [REFERENCE]:
            _write_group(plan, folder, stem, methods, chosen)


def write_number_tables(folder: Path, rows: list[dict[str, Any]], about: str) -> None:
    """Write `benchmark_numbers.csv`, and a table for every number that was estimated.

    Args:
        folder: of the benchmark.
        rows: of `number_rows`.
        about: of data, folds and budget.
    """
    long = long_number_table(rows)
    write_text(folder / "benchmark_numbers.csv", long.to_csv(index=False))
    for task in dict.fromkeys(row["task"] for row in rows):
        table = number_table([row for row in rows if row["task"] == task])
        text = (
            f"Estimated {NUMBERS[task].title}, out of fold, all records at once; bootstrap by "
            "patient, limits of agreement after Bland and Altman, conformal intervals. Last two "
            "columns: AUROC of the estimate and of the classifier with the same threshold on the "
            f"records of both. {about}"
        )
        write_table(table, folder / f"numbers_{task}", text)
        print_frame(table, str(task), text)


def write_labels_tables(folder: Path, rows: list[dict[str, Any]], about: str) -> None:
    """Write `benchmark_labels.csv`, and a table for every set of labels.

    Args:
        folder: of the benchmark.
        rows: of `labels_rows`.
        about: of data, folds and budget.
    """
    write_text(folder / "benchmark_labels.csv", long_labels_table(rows).to_csv(index=False))
    for task in dict.fromkeys(row["task"] for row in rows):
        mine = [row for row in rows if row["task"] == task]
        text = (
            f"AUROC of {counted(len(mine[0]['names']), 'label')} at once, means over the folds, "
            f"intervals by patient (DeLong; the macro's over all labels). {about}"
        )
        table = labels_table(mine)
        write_table(table, folder / f"labels_{task_folder(task)}", text)
        print_frame(table[["method", "leads", "macro AUROC [95 %]"]], str(task), text)


def _write_group(
    plan: Plan, folder: Path, stem: str, methods: list[str], runs: list[CvRun]
) -> None:
    leads = [lead_set_name(parse_leads(lead_set)) for lead_set in plan.leads]
    rows = [_row(name) for name in methods]
    titles = {row.name: row.title for row in rows}
    long, about = long_table(runs), caption(plan, runs)
    for task, part in long.groupby("task", sort=False):
        table = table_2(part, rows, leads)
        write_table(table.cells, folder / f"{stem}_{task}", f"{task}. {about}",
                    bold=table.bold, underline=table.underline)  # fmt: skip
        shown = table.cells.drop(columns=[name for name in table.cells.columns if "[95 %]" in name])
        print_frame(shown.drop(columns="study"), str(task), about)
    compared = comparison_table(runs, REFERENCE, titles)
    if len(compared):
        text = (
            "Paired differences in mean AUROC; p adjusted by Holm's method within a task and lead "
            f"set. {about}"
        )
        write_table(compared, folder / f"{stem}_comparisons", text)
    _write_selection(folder / f"{stem}_selection", runs, titles, about)
    budget = plan.budget.described(any(row.pretrained for row in rows))
    figure = auroc_bars(long, titles, leads=leads, caption=f"{runs[0].data_label}; {budget}")
    for kind in ("png", "svg"):
        save_figure(figure, folder / f"{stem}_auroc.{kind}", dpi=130)


def _write_selection(stem: Path, runs: list[CvRun], titles: dict[str, str], about: str) -> None:
    """Write which setting the inner validation parts favour, where runs have them."""
    found = select_on_inner_parts(runs, REFERENCE)
    if found is None:
        return
    inner = pd.DataFrame(
        {
            "method": found.inner["method"].map(titles),
            "AUROC, inner parts": found.inner["inner_auroc"].map("{:.4f}".format),
            "difference ± standard error": [
                _difference(*pair)
                for pair in found.inner[["difference", "standard_error"]].to_numpy(float)
            ],
        }
    )
    text = (
        "Mean over tasks, leads and folds on inner validation parts; standard error over tasks "
        "(with one task there is none), one seed of pre-training each. Inner parts of one fold are "
        f"held out in others, so only the nested table is free of the reported records. {about}"
    )
    write_table(inner, stem, text)
    nested = found.nested.assign(
        reference=found.nested["reference"].map("{:.3f}".format),
        chosen=found.nested["chosen"].map("{:.3f}".format),
    ).rename(columns={"reference": titles[REFERENCE], "chosen": "chosen on the inner part"})
    text = f"AUROC on the held-out folds, mean over the folds (nested cross-validation). {about}"
    write_table(nested, stem.with_name(f"{stem.name}_nested"), text)


def _difference(value: float, standard_error: float) -> str:
    spread = "" if math.isnan(standard_error) else f" ± {standard_error:.4f}"
    return f"{value:+.4f}{spread}"


def reasons_of(failed: Mapping[str, str]) -> str:
    """Return why runs failed, in one line."""
    return "; ".join(f"{name}: {reason}" for name, reason in failed.items())


def finished_runs(plan: Plan, folder: Path, without: Set[str]) -> list[CvRun]:
    """Read the finished runs of a plan, in its order, but those of the names in `without`."""
    runs = []
    for task, method, lead_set in plan.combinations():
        leads = lead_set_name(parse_leads(lead_set))
        run = folder / "cv" / task_folder(task) / method_name(method) / leads
        done = (run / "metrics.json").is_file()
        if done and run_name(task, method, lead_set) not in without:
            runs.append(read_cv_run(run))
    return runs


def _row(name: str) -> MethodRow:
    method = find_method(name)
    return MethodRow(method_name(name), method.title, method.study, method.pretrained)


def caption(plan: Plan, runs: list[CvRun]) -> str:
    """Say what the figures are of: data, recordings, folds, and what training was allowed."""
    store, budget = EcgStore(plan.cohort), plan.budget
    segment = str(store.settings["segment"]).replace("_", " ")
    pretrained = any(find_method(name).pretrained for name in plan.methods)
    drawn = f"of column {plan.fold_column}" if plan.fold_column else "by patient"
    parts = [
        f"{runs[0].data_label}; {segment}s at {store.sampling_rate_hz:g} Hz, "
        f"{store.n_samples} samples.",
        f"Mean ± SD over {plan.folds} folds {drawn} at the last epoch.",
        f"Budget: {budget.described(pretrained)}.",
    ]
    parts += _leakage(runs)
    return " ".join(parts)


def _leakage(runs: list[CvRun]) -> list[str]:
    """Say what pre-training and test share, or that this is not known."""
    notes = []
    if any(run.metrics["encoder_saw_these_recordings"] for run in runs):
        notes.append("The encoders were pre-trained on these recordings too, without labels.")
    elif any(run.metrics["leaks"] for run in runs):
        notes.append("LEAKAGE, allowed: pre-training and test share patients or recordings.")
    near = dict.fromkeys(near_counts(run.metrics) for run in runs)
    notes += [f"{text}." for text in near if text]
    if any(run.metrics["pretraining_compared"] is False for run in runs):
        notes.append("What encoders were pre-trained on was not compared with the test recordings.")
    return notes
