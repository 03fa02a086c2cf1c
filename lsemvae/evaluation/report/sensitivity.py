"""Show what results depend on: the label's definition, how sure the model is, and chance."""

from typing import Any

from lsemvae.evaluation.report.blocks import Block, Picture, Section, Table, Text, draw
from lsemvae.evaluation.report.curves import legend, marker, named, panel, styles
from lsemvae.evaluation.report.evidence import Evidence, RunEvidence
from lsemvae.evaluation.report.first_screen import permuted_verdicts
from lsemvae.evaluation.report.subgroups import performance_cells
from lsemvae.evaluation.report.written import estimate, grouped, number, p_value, percent, reason

LABEL_HEADER = ("model", "definition", "patients", "positive records", "AUROC [95 %]", "AUPRC",
                "positive share", "Brier score")  # fmt: skip


def label_section(evidence: Evidence) -> Section:
    """Return the same predictions against other thresholds of pressure and resistance."""
    blocks: list[Block] = []
    missing: dict[str, str] = {}
    for task in evidence.tasks:
        rows = []
        for run in evidence.detailed(task):
            found = run.summary["label_sensitivity"]
            if reason(found):
                missing[f"{task}, {run.title}"] = reason(found)
                continue
            rows += [[run.title, *performance_cells(name, part)] for name, part in found.items()]
        if rows:
            caption = (
                f"The predictions of {task} against other definitions of the label, on "
                f"{evidence.label}: no model was trained again."
            )
            blocks.append(Table(caption, LABEL_HEADER, rows))
    facts = {run.key: run.summary["label_sensitivity"] for run in evidence.runs}
    answers = ("outcome_definition",) if blocks else ()
    return Section(
        "labels", "Definition of the label", [*blocks, *grouped(missing)], facts, answers
    )


def abstention_section(evidence: Evidence) -> Section:
    """Return the performance when the most uncertain records are withheld."""
    blocks: list[Block] = []
    missing: dict[str, str] = {}
    for task in evidence.tasks:
        runs = []
        for run in evidence.detailed(task):
            if reason(run.summary["abstention"]):
                missing[f"{task}, {run.title}"] = reason(run.summary["abstention"])
            else:
                runs.append(run)
        if runs:
            blocks += [
                _abstention_picture(evidence, task, runs),
                _abstention_table(evidence, task, runs),
            ]
    sources: dict[str, list[str]] = {}
    for run in evidence.runs:
        sources.setdefault(run.uncertainty, []).append(run.key)
    texts = [
        Text(f"Uncertainty of {', '.join(keys)}: {source}.") for source, keys in sources.items()
    ]
    facts = {run.key: {"uncertainty": run.uncertainty, "curve": run.summary["abstention"]}
             for run in evidence.runs}  # fmt: skip
    return Section("abstention", "Abstention", [*texts, *blocks, *grouped(missing)], facts)


def _abstention_picture(evidence: Evidence, task: str, runs: list[RunEvidence]) -> Picture:
    figure, axes = panel("share of records withheld", "AUROC of the rest",
                         f"{task}, {evidence.label}", square=False)  # fmt: skip
    for position, (run, style) in enumerate(zip(runs, styles(len(runs)), strict=True)):
        points = [point for point in run.summary["abstention"] if not point["kept"]["suppressed"]]
        x = [point["withheld"] for point in points]
        y = [point["kept"]["auroc"]["value"] for point in points]
        axes.plot(x, y, marker=marker(position), markersize=4, label=run.title, **style)
        if not position:
            axes.fill_between(
                x, [point["kept"]["auroc"]["low"] for point in points],
                [point["kept"]["auroc"]["high"] for point in points],
                color="#0b5394", alpha=0.15, linewidth=0,
            )  # fmt: skip
    legend(axes)
    caption = (
        f"AUROC of {task} when the most uncertain records are withheld, {evidence.label}, "
        f"{evidence.counts(task)}; shaded: 95 % interval of {runs[0].title}. "
        "A useful uncertainty makes the curve rise."
    )
    alt = f"AUROC against the share withheld: {named([run.title for run in runs])}"
    return draw(figure, f"abstention_{task}", caption=caption, alt=alt)


def _abstention_table(evidence: Evidence, task: str, runs: list[RunEvidence]) -> Table:
    rows = [
        [run.title, percent(point["withheld"]), str(point["kept"]["n_patients"]),
         _kept(point["kept"])]
        for run in runs for point in run.summary["abstention"]
    ]  # fmt: skip
    return Table(f"The curve in numbers, {task}, {evidence.label}.",
                 ("model", "withheld", "patients left", "AUROC [95 %]"), rows)  # fmt: skip


def _kept(part: dict[str, Any]) -> str:
    return f"not shown: {part['suppressed']}" if part["suppressed"] else estimate(part["auroc"])


def permutation_section(evidence: Evidence) -> Section:
    """Return what shuffled labels give: of the predictions, and of runs trained on them."""
    rows = []
    missing: dict[str, str] = {}
    for run in evidence.runs:
        found = run.summary["permutation"]
        if reason(found):
            missing[f"{run.task}, {run.title}"] = reason(found)
            continue
        rows.append(
            [run.task, run.title, number(found["auroc"]), number(found["mean"]),
             f"{number(found['low'])} to {number(found['high'])}", p_value(found["p"])]
        )  # fmt: skip
    header = ("task", "model", "AUROC", "mean of shuffles", "95 % of shuffles", "p, one-sided")
    caption = (
        f"Pooled AUROC of the predictions and of the same predictions with shuffled labels, "
        f"{evidence.label}. It tells chance, not leakage."
    )
    verdicts = permuted_verdicts(evidence)
    texts = verdicts or [
        Text("Training on shuffled labels, which would tell leakage: not available: no run of "
             "`lsemvae cv --permute_labels SEED` was given.", "note")
    ]  # fmt: skip
    facts = {
        "of_predictions": {run.key: run.summary["permutation"] for run in evidence.runs},
        "of_training": [verdict.text for verdict in verdicts],
    }
    blocks: list[Block] = [Table(caption, header, rows), *grouped(missing), *texts]
    return Section("permutation", "Shuffled labels", blocks, facts)
