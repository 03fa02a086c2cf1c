"""Tabulate runs that predict several labels: the macro AUROC and that of every label."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from lsemvae.evaluation.runs import CvRun
from lsemvae.evaluation.statistics.labels_summary import summarise_labels
from lsemvae.evaluation.tables.number_table import shown


def labels_rows(runs: Sequence[CvRun]) -> list[dict[str, Any]]:
    """Return task, method, title, leads, data and the statistics of runs of several labels."""
    return [
        {
            "task": run.metrics["task"],
            "method": run.metrics["method"],
            "title": run.method_title,
            "leads": run.leads,
            "data": run.data_label,
            "names": run.target.names,
            "summary": summarise_labels(run.predictions, run.target),
        }
        for run in runs
    ]


def long_labels_table(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Return one row per run and label, and one for `macro`, which is the mean over the labels."""
    lines = []
    for row in rows:
        summary = row["summary"]
        each = {} if "unavailable" in summary["each"] else summary["each"]
        about = {name: row[name] for name in ("data", "task", "method", "leads")}
        lines.append({**about, "label": "macro", **_figures(summary["macro"])})
        lines += [
            {**about, "label": name, **_figures(each.get(name, {})),
             "average_precision": summary["average_precision"][name], **summary["counts"][name]}
            for name in row["names"]
        ]  # fmt: skip
    return pd.DataFrame(lines)


def _figures(found: Mapping[str, Any]) -> dict[str, Any]:
    return {f"auroc{end}": found.get(name) for end, name in
            (("", "value"), ("_low", "low"), ("_high", "high"))}  # fmt: skip


def labels_table(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Return the table of one set of labels, a row for each method and lead set, for people."""
    return pd.DataFrame([_cells(row) for row in rows])


def _cells(row: Mapping[str, Any]) -> dict[str, str]:
    summary = row["summary"]
    each = {} if "unavailable" in summary["each"] else summary["each"]
    cells = {"method": row["title"], "leads": row["leads"],
             "macro AUROC [95 %]": shown(summary["macro"])}  # fmt: skip
    return cells | {f"{name} AUROC [95 %]": shown(each.get(name)) for name in row["names"]}
