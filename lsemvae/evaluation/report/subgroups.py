"""Show performance by subgroup; nothing is said of a group that is too small."""

from typing import Any

from lsemvae.evaluation.report.blocks import Block, Section, Table
from lsemvae.evaluation.report.evidence import Evidence
from lsemvae.evaluation.report.written import estimate, grouped, number, percent, reason

HEADER = ("model", "column", "group", "patients", "positive records", "AUROC [95 %]", "AUPRC",
          "positive share", "Brier score")  # fmt: skip
HETEROGENEITY = ("site", "hospital", "centre", "center", "device", "source")


def subgroup_section(evidence: Evidence) -> Section:
    """Return the tables of subgroups."""
    blocks: list[Block] = []
    missing: dict[str, str] = {}
    shown: set[str] = set()
    for task in evidence.tasks:
        rows = []
        for run in evidence.detailed(task):
            found = run.summary["subgroups"]
            if reason(found):
                missing[f"{task}, {run.title}"] = reason(found)
                continue
            for column, groups in found.items():
                if reason(groups):
                    missing[f"{task}, {run.title}, {column}"] = reason(groups)
                    continue
                shown.add(column)
                rows += [[run.title, column, *performance_cells(name, part)]
                         for name, part in groups.items()]  # fmt: skip
        if rows:
            left_out = evidence.left_out(task, len(evidence.detailed(task)))
            caption = f"Subgroups of {task} on {evidence.label}.{left_out}"
            blocks.append(Table(caption, HEADER, rows))
    facts = {run.key: run.summary["subgroups"] for run in evidence.runs}
    answers = ["subgroups"] if shown else []
    if shown & set(HETEROGENEITY):
        answers += ["heterogeneity_method", "heterogeneity_results"]
    return Section("subgroups", "Subgroups", [*blocks, *grouped(missing)], facts, answers)


def performance_cells(name: str, part: dict[str, Any]) -> list[str]:
    """Return group, patients, positives, AUROC, AUPRC, share and Brier score of a `Performance`."""
    counts = [name, str(part["n_patients"]), str(part["n_positive"])]
    if part["suppressed"]:
        return [*counts, f"not shown: {part['suppressed']}", "", "", ""]
    share = part["n_positive"] / part["n_records"]
    return [*counts, estimate(part["auroc"]), number(part["average_precision"]), percent(share),
            number(part["brier"])]  # fmt: skip
