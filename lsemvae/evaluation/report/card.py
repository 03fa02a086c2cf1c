"""Gather the facts of a model card from a run of the report."""

from typing import Any

from lsemvae.core.counted import counted
from lsemvae.core.tasks import find_task
from lsemvae.evaluation.leakage_statement import leakage_statement
from lsemvae.evaluation.report.evidence import Evidence, RunEvidence
from lsemvae.evaluation.report.first_screen import question
from lsemvae.evaluation.report.written import estimate, number, reason

LIMITS = (
    "Cross-validated on one cohort; no external evaluation is part of this card.",
    "What holds on this cohort need not hold at another prevalence, hospital or device.",
)


def card_facts(evidence: Evidence, run: RunEvidence) -> dict[str, Any]:
    """Return what `model_card` takes."""
    metrics, summary = run.run.metrics, run.summary
    counts = summary["records"]
    leaks = leakage_statement(metrics)
    pretrain, made = evidence.pretrain, metrics.get("provenance") or {}
    return {
        "name": f"{run.title}, {run.task}",
        "synthetic": evidence.synthetic,
        "method": run.method,
        "input": _input(evidence, metrics),
        "leads": ", ".join(metrics["leads"]),
        "leads_cut": len(metrics["leads"]) < 12,
        "output": "probability of the positive class; no threshold is part of the model, see the "
        "operating points of the report",
        "pretrained_on": pretrain.data if pretrain and metrics["encoder_sha256"] else "",
        "version": str(made.get("git_commit", "")),
        "checkpoint": f"one head per fold; encoder SHA-256 {metrics['encoder_sha256']}"
        if metrics["encoder_sha256"] else "one network per fold",
        "intended_use": find_task(run.task).use,
        "data": run.run.data_label,
        "outcome": question(evidence, run.task),
        "n_patients": counts["n_patients"],
        "n_positive": counts["n_positive_patients"],
        "evaluation": f"{len(metrics['folds'])} folds by patient, "
        f"{counted(metrics['epochs'], 'epoch')}, scored epoch: "
        f"{metrics.get('scored_epoch', 'not stated')}",
        "leakage": leaks.text,
        "leakage_clean": leaks.clean,
        "base_rate": f"Accuracy of always naming the larger class: "
        f"{number(counts['base_rate_accuracy'])}; share of positives "
        f"{number(counts['prevalence'])}.",
        "performance": _performance(summary, run.within_folds),
        "subgroups": _subgroups(summary),
        "calibration": _calibration(summary),
        "limits": list(LIMITS),
        "provenance": {name: "none" if metrics.get(name) is None else str(metrics[name])
                       for name in ("cohort_sha256", "splits_sha256", "encoder_sha256", "seed")},
    }  # fmt: skip


def _input(evidence: Evidence, metrics: dict[str, Any]) -> str:
    normalisation = f"normalised by {metrics['normalisation']}"
    if evidence.cohort is None:
        return normalisation
    store = evidence.cohort.store
    return f"{store['sampling rate (Hz)']} Hz, {store['samples per lead']} samples, {normalisation}"


def _performance(summary: dict[str, Any], within: dict[str, Any]) -> list[dict[str, str]]:
    pooled = summary["pooled"]
    if reason(pooled):
        return []
    rows = {} if reason(within) else {"AUROC, mean over folds": within}
    rows |= {"AUROC, pooled": pooled["auroc_delong"]} | {
        text: pooled["bootstrap"][name]
        for name, text in (("average_precision", "AUPRC"), ("accuracy", "accuracy"), ("mcc", "MCC"))
    }
    return [
        {"measure": name, "value": number(found["value"]),
         "interval": f"{number(found['low'])} to {number(found['high'])}"}
        for name, found in rows.items()
    ]  # fmt: skip


def _subgroups(summary: dict[str, Any]) -> list[dict[str, str]]:
    found = summary["subgroups"]
    if reason(found):
        return []
    return [
        {"group": f"{column}: {name}", "n": str(part["n_patients"]),
         "value": number(part["auroc"]["value"]),
         "interval": f"{number(part['auroc']['low'])} to {number(part['auroc']['high'])}"}
        for column, groups in found.items() if not reason(groups)
        for name, part in groups.items() if not part["suppressed"]
    ]  # fmt: skip


def _calibration(summary: dict[str, Any]) -> str:
    found = summary["calibration"]
    if reason(found):
        return f"not available: {reason(found)}"
    part = found["as_predicted"]
    return (
        f"As predicted: intercept {estimate(part['intercept'], 2)}, slope "
        f"{estimate(part['slope'], 2)}, Brier score {number(part['brier'])}."
    )
