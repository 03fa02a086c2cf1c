"""Write the card of a locked model, from what its study measured."""

from collections.abc import Mapping
from typing import Any

from lsemvae.core.counted import counted
from lsemvae.core.leads import LEADS
from lsemvae.core.tasks import find_task
from lsemvae.deployment.settled import Settled
from lsemvae.evaluation.leakage_statement import leakage_statement
from lsemvae.evaluation.model_card import model_card
from lsemvae.evaluation.runs import CvRun
from lsemvae.evaluation.statistics.prediction_interval import NOMINAL
from lsemvae.model_file.description import Task
from lsemvae.model_file.targets import OperatingPoint

TITLES = {"auroc": "AUROC", "accuracy": "accuracy", "mcc": "MCC", "macro_auroc": "macro AUROC",
          "mae": "MAE", "rmse": "RMSE", "r2": "R²", "bias": "bias"}  # fmt: skip
LIMITS = (
    "Research software, not a medical device.",
    "Measured in cross-validation on one cohort; this model itself has met no other patients yet.",
    "Recalibration and thresholds come from models trained on parts of the data; on all of it, or "
    "averaged over folds, a model may be a little more certain.",
)


def locked_card(run: CvRun, task: Task, kind: str, settled: Settled, input_text: str) -> str:
    """Return the card in Markdown.

    Args:
        run: the study.
        task: what the model tells.
        kind: ensemble or refit.
        settled: from inner predictions.
        input_text: rate, length, band and normalisation.
    """
    metrics = run.metrics
    leaks = leakage_statement(metrics)
    facts: dict[str, Any] = {
        "name": f"{metrics['method']}, {metrics['task']}, {run.leads}, {kind}",
        "synthetic": metrics["synthetic"],
        "method": metrics["method"],
        "input": input_text,
        "leads": ", ".join(metrics["leads"]),
        "leads_cut": len(metrics["leads"]) < len(LEADS),
        "output": _output(run, task, settled),
        "version": str((metrics.get("provenance") or {}).get("git_commit", "")),
        "checkpoint": f"{kind}; encoder SHA-256 {metrics['encoder_sha256'] or 'none'}",
        "data": run.data_label,
        "outcome": task.positive,
        "n_patients": metrics["n_patients"],
        "n_positive": _positive_patients(run),
        "evaluation": f"{len(metrics['folds'])} folds by patient, "
        f"{counted(metrics['epochs'], 'epoch')}",
        "leakage": leaks.text,
        "leakage_clean": leaks.clean,
        "spread": "SD over the folds",
        "performance": [
            {"measure": f"{title}, mean over the folds",
             "value": f"{metrics['mean'][key]:.3f}", "interval": f"{metrics['sd'][key]:.3f}"}
            for key, title in _titles(run).items()
        ],
        "calibration": _calibration(run, settled),
        "limits": list(LIMITS),
        "provenance": {name: str(metrics[name] or "none")
                       for name in ("cohort_sha256", "splits_sha256", "encoder_sha256")},
    }  # fmt: skip
    if run.target.kind == "binary":
        facts |= {"base_rate": _base_rate(metrics), "intended_use": find_task(metrics["task"]).use}
    return model_card(facts)


def _base_rate(metrics: Mapping[str, Any]) -> str:
    return (
        f"Accuracy of always naming the larger class: {metrics['base_rate_accuracy']:.3f}; share "
        f"of positive recordings {metrics['n_positive'] / metrics['n_records']:.3f}."
    )


def _positive_patients(run: CvRun) -> int | str:
    """Count patients with a positive recording: `n_positive` of metrics.json counts recordings."""
    if run.target.kind != "binary":
        return "not one yes or no"
    return int(run.predictions.loc[run.predictions["label"] == 1, "patient_id"].nunique())


def _titles(run: CvRun) -> dict[str, str]:
    """Return what the card shows of the measures of a run, by their names."""
    unit = f" ({run.target.number.unit})" if run.target.kind == "number" else ""
    of_labels = {f"auroc:{name}": f"AUROC of {name}" for name in run.target.names}
    return {
        name: f"{title}{'' if name == 'r2' else unit}"
        for name, title in {**TITLES, **of_labels}.items()
        if name in run.metrics["mean"]
    }


def _output(run: CvRun, task: Task, settled: Settled) -> str:
    if run.target.kind == "number":
        unit, half = run.target.number.unit, settled.half_width
        ends = "without an interval: too few inner patients" if half is None else (
            f"with a {NOMINAL:.0%} interval of ± {half:.2f} {unit}, from inner predictions"
        )  # fmt: skip
        return f"{task.positive}, {ends}"
    if settled.labels:
        each = ". ".join(f"{one.name}: {_points(one.points)}" for one in settled.labels)
        return f"recalibrated probability of each label; thresholds: {each}"
    return f"recalibrated probability of {task.positive}; thresholds: {_points(settled.points)}"


def _points(points: Mapping[str, OperatingPoint]) -> str:
    return "; ".join(
        f"{name}: {point.threshold:.3f} (inner sensitivity {point.sensitivity:.3f}, specificity "
        f"{point.specificity:.3f})"
        for name, point in points.items()
    )


def _calibration(run: CvRun, settled: Settled) -> str:
    if run.target.kind == "number":
        return "Estimates are not recalibrated."
    lines = {f"{one.name} ": one.recalibration for one in settled.labels}
    each = "; ".join(
        f"{name}by expit({line.intercept:.3f} + {line.slope:.3f} logit)"
        for name, line in (lines or {"": settled.recalibration}).items()
    )
    return f"Recalibrated {each}, fitted on inner predictions."
