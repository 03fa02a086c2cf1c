"""Write the card of a locked model, from what its study measured."""

from typing import Any

from lsemvae.core.leads import LEADS
from lsemvae.deployment.inner_choices import InnerChoices
from lsemvae.evaluation.leakage_statement import leakage_statement
from lsemvae.evaluation.model_card import model_card
from lsemvae.evaluation.runs import CvRun
from lsemvae.model_file.description import Task

TITLES = {"auroc": "AUROC", "accuracy": "accuracy", "mcc": "MCC"}
LIMITS = (
    "Research software, not a medical device.",
    "Measured in cross-validation on one cohort; this model itself has met no other patients yet.",
    "Recalibration and thresholds come from models trained on parts of the data; on all of it, or "
    "averaged over folds, a model may be a little more certain.",
)


def locked_card(run: CvRun, task: Task, kind: str, choices: InnerChoices, input_text: str) -> str:
    """Return the card in Markdown.

    Args:
        run: the study.
        task: what the model tells.
        kind: ensemble or refit.
        choices: from inner predictions.
        input_text: rate, length, band and normalisation.
    """
    metrics = run.metrics
    leaks = leakage_statement(metrics)
    line = choices.recalibration
    points = "; ".join(
        f"{name}: {point.threshold:.3f} (inner sensitivity {point.sensitivity:.3f}, specificity "
        f"{point.specificity:.3f})"
        for name, point in choices.points.items()
    )
    facts: dict[str, Any] = {
        "name": f"{metrics['method']}, {metrics['task']}, {run.leads}, {kind}",
        "synthetic": metrics["synthetic"],
        "method": metrics["method"],
        "input": input_text,
        "leads": ", ".join(metrics["leads"]),
        "leads_cut": len(metrics["leads"]) < len(LEADS),
        "output": f"recalibrated probability of {task.positive}; thresholds: {points}",
        "version": str((metrics.get("provenance") or {}).get("git_commit", "")),
        "checkpoint": f"{kind}; encoder SHA-256 {metrics['encoder_sha256'] or 'none'}",
        "data": run.data_label,
        "outcome": task.positive,
        "n_patients": metrics["n_patients"],
        "n_positive": metrics["n_positive"],
        "evaluation": f"{len(metrics['folds'])} folds by patient, {metrics['epochs']} epochs",
        "leakage": leaks.text,
        "leakage_clean": leaks.clean,
        "performance": [
            {"measure": f"{title}, mean and SD over the folds",
             "value": f"{metrics['mean'][key]:.3f}", "interval": f"SD {metrics['sd'][key]:.3f}"}
            for key, title in TITLES.items()
        ],
        "calibration": f"Recalibrated by expit({line.intercept:.3f} + {line.slope:.3f} logit), "
        "fitted on inner predictions.",
        "limits": list(LIMITS),
        "provenance": {name: str(metrics[name] or "none")
                       for name in ("cohort_sha256", "splits_sha256", "encoder_sha256")},
    }  # fmt: skip
    return model_card(facts)
