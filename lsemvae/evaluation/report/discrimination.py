"""Show ROC and precision-recall curves."""

from typing import Any

from sklearn.metrics import precision_recall_curve, roc_curve

from lsemvae.evaluation.report.blocks import Block, Picture, Section, draw
from lsemvae.evaluation.report.curves import legend, named, panel, styles
from lsemvae.evaluation.report.evidence import Evidence, RunEvidence
from lsemvae.evaluation.report.written import number, reason


def discrimination_section(evidence: Evidence) -> Section:
    """Return a ROC and a precision-recall figure for each task."""
    pictures: list[Block] = []
    for task in evidence.tasks:
        pictures += [_roc(evidence, task), _precision_recall(evidence, task)]
    facts = {run.key: _facts(run) for task in evidence.tasks for run in evidence.curves(task)}
    return Section("curves", "ROC and precision-recall", pictures, facts, ("performance",))


def _facts(run: RunEvidence) -> dict[str, Any]:
    pooled = run.summary["pooled"]
    if reason(pooled):
        return dict(pooled)
    return {
        "auroc": pooled["auroc_delong"]["value"],
        "average_precision": pooled["bootstrap"]["average_precision"]["value"],
        "prevalence": run.summary["records"]["prevalence"],
    }


def _legends(evidence: Evidence, task: str, name: str, short: str) -> list[str]:
    return [
        f"{run.title} ({short} {number(_facts(run).get(name))})" for run in evidence.curves(task)
    ]


def _roc(evidence: Evidence, task: str) -> Picture:
    runs, legends = evidence.curves(task), _legends(evidence, task, "auroc", "AUROC")
    figure, axes = panel("1 - specificity", "sensitivity", f"{task}, {evidence.label}")
    axes.plot([0, 1], [0, 1], color="#777777", linewidth=0.8, label="chance")
    for run, text, style in zip(runs, legends, styles(len(runs)), strict=True):
        table = run.run.predictions
        false_positive, true_positive, _ = roc_curve(table["label"], table["probability"])
        axes.plot(false_positive, true_positive, label=text, **style)
    axes.set(xlim=(0, 1), ylim=(0, 1.005))
    axes.set_aspect("equal")
    legend(axes)
    caption = (
        f"ROC of {task}, pooled out-of-fold predictions, {evidence.label}, "
        f"{evidence.counts(task)}.{evidence.left_out(task, len(runs))}"
    )
    return draw(figure, f"roc_{task}", caption=caption, alt=f"ROC curves: {named(legends)}")


def _precision_recall(evidence: Evidence, task: str) -> Picture:
    runs = evidence.curves(task)
    legends = _legends(evidence, task, "average_precision", "AUPRC")
    share = runs[0].summary["records"]["prevalence"]
    figure, axes = panel("sensitivity (recall)", "positive predictive value (precision)",
                         f"{task}, {evidence.label}")  # fmt: skip
    axes.axhline(share, color="#777777", linewidth=0.8, label=f"chance ({share:.3f})")
    for run, text, style in zip(runs, legends, styles(len(runs)), strict=True):
        table = run.run.predictions
        precision, recall, _ = precision_recall_curve(table["label"], table["probability"])
        axes.step(recall, precision, where="post", label=text, **style)
    axes.set(xlim=(0, 1), ylim=(0, 1.005))
    axes.set_aspect("equal")
    legend(axes)
    caption = (
        f"Precision and recall of {task}, pooled out-of-fold predictions, {evidence.label}, "
        f"{evidence.counts(task)}. The level of chance is the share of positives."
        f"{evidence.left_out(task, len(runs))}"
    )
    alt = f"Precision-recall curves: {named(legends)}; chance {share:.3f}"
    return draw(figure, f"precision_recall_{task}", caption=caption, alt=alt)
