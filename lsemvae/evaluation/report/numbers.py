"""Show estimates of pressures and resistance in their units: error, agreement, interval."""

from collections.abc import Mapping, Sequence
from typing import Any

from lsemvae.core.counted import counted
from lsemvae.evaluation.report.blocks import Block, Section, Table, Text
from lsemvae.evaluation.report.evidence import Evidence, RunEvidence
from lsemvae.evaluation.report.number_figures import agreement_figure, levels_figure
from lsemvae.evaluation.report.written import NONE, estimate, number, or_none, percent, reason
from lsemvae.evaluation.tables.number_table import classifier_beside

HOW = (
    "Estimates are trained by least squares on the values of each training part in standard "
    "deviations, whose mean and spread come from that part alone; everything here is in the unit "
    "again and out of fold. R², Pearson's and the concordance correlation (CCC) are of all records "
    "at once. Intervals are by patient. Estimates of a weak predictor lie near the mean: the slope "
    "of the difference is then below zero, and extremes are missed."
)
CONFORMAL = (
    "Prediction intervals are split conformal: their half-width is the quantile of the errors on "
    "the inner part of each training part, made by a model that had not seen it. The model of the "
    "fold has seen the inner part too, so that its intervals are wide rather than narrow. Coverage "
    "is what they were measured to hold."
)


def numbers_section(evidence: Evidence) -> Section:
    """Return the tables and figures of every number that was estimated."""
    blocks: list[Block] = [Text(HOW), Text(CONFORMAL)]
    facts: dict[str, Any] = {}
    for task in evidence.number_tasks:
        runs = evidence.of_task(task)
        classifiers = [run.run for run in evidence.runs]
        beside = {run.key: classifier_beside(run.run, classifiers) for run in runs}
        blocks += [errors_table(evidence, task), _agreement(evidence, runs),
                   _intervals(evidence, runs), _thresholded(evidence, runs, beside),
                   _by_fold(evidence, runs), agreement_figure(evidence, task)]  # fmt: skip
        with_levels = [run for run in runs if not reason(run.summary["levels"])]
        if with_levels:
            blocks.append(levels_figure(evidence, task, with_levels))
        facts |= {run.key: {**run.summary, "beside_classifier": beside[run.key]} for run in runs}
    answers = ("performance", "measures", "interval_widths")
    return Section("numbers", "Estimates in their units", blocks, facts, answers)


def errors_table(evidence: Evidence, task: str) -> Table:
    """Return errors and correlations of the runs of a number."""
    runs = evidence.of_task(task)
    target = runs[0].run.target.number
    counts = runs[0].summary["records"]
    header = ("model", f"MAE ({target.unit}) [95 %]", f"RMSE ({target.unit}) [95 %]", "R² [95 %]",
              "Pearson [95 %]", "CCC [95 %]", f"MAE of the mean ({target.unit})")  # fmt: skip
    caption = (
        f"Estimated {target.title}, out of fold, on {evidence.label}: "
        f"{counted(counts['n_records'], 'record')} of {counted(counts['n_patients'], 'patient')}, "
        f"measured {counts['measured_mean']:.1f} ± {counts['measured_sd']:.1f} {target.unit}. Last "
        "column: error of naming the mean of each training part. Bootstrap by patient."
    )
    rows = [[run.title, *_errors(run)] for run in runs]
    return Table(caption, header, rows)


def _errors(run: RunEvidence) -> list[str]:
    pooled = run.summary["pooled"]
    if reason(pooled):
        return [f"{NONE}: {reason(pooled)}", *[""] * 5]
    cells = [estimate(pooled[name], 2) for name in ("mae", "rmse")]
    cells += [estimate(pooled[name]) for name in ("r2", "pearson", "ccc")]
    return [*cells, number(run.summary["records"]["training_mean_mae"], 2)]


def _agreement(evidence: Evidence, runs: Sequence[RunEvidence]) -> Table:
    target = runs[0].run.target.number
    several = runs[0].summary["records"]["most_records_of_a_patient"] > 1
    how = "bootstrap by patient" if several else "Student's t"
    caption = (
        f"Agreement of estimated and measured {target.title} on {evidence.label} (Bland and "
        f"Altman): estimate minus measurement in {target.unit}, limits at 1.96 SD, intervals by "
        f"{how}. Slope: change of the difference by {target.unit} of the mean of both."
    )
    header = ("model", "bias [95 %]", "lower limit [95 %]", "upper limit [95 %]", "SD", "slope")
    rows = []
    for run in runs:
        found = run.summary["agreement"]
        rows.append([run.title, f"{NONE}: {reason(found)}", *[""] * 4] if reason(found) else [
            run.title, estimate(found["bias"], 2, signed=True),
            estimate(found["lower"], 1, signed=True), estimate(found["upper"], 1, signed=True),
            number(found["sd"], 2), number(found["slope"], 2),
        ])  # fmt: skip
    return Table(caption, header, rows)


def _intervals(evidence: Evidence, runs: Sequence[RunEvidence]) -> Table:
    target = runs[0].run.target.number
    caption = (
        f"Prediction intervals of {target.title} on {evidence.label}: what they say they hold, "
        "what they hold, and by third of the estimate."
    )
    header = ("model", "nominal", "measured coverage [95 %]", f"mean width ({target.unit})",
              "lowest third", "middle third", "highest third")  # fmt: skip
    rows = []
    for run in runs:
        found = run.summary["interval"]
        if reason(found):
            rows.append([run.title, f"{NONE}: {reason(found)}", *[""] * 5])
            continue
        thirds = [percent(one["value"]) for one in found["by_third"]]
        rows.append([run.title, percent(found["nominal"], 0), estimate(found["coverage"]),
                     number(found["mean_width"], 1), *thirds])  # fmt: skip
    return Table(caption, header, rows)


def _thresholded(
    evidence: Evidence, runs: Sequence[RunEvidence], beside: Mapping[str, dict[str, Any] | None]
) -> Table:
    target = runs[0].run.target.number
    above = runs[0].summary["thresholded"]["above"]
    caption = (
        f"{target.title} above {above:g} {target.unit} told by the estimate, on {evidence.label}; "
        "AUROC: mean over the folds (DeLong), sensitivity and specificity of an estimate above the "
        "threshold (Wilson, by record). Classifier: the run of the same method and leads that was "
        "trained on that question, both AUROCs on the records of both, each in its own folds."
    )
    header = ("model", "raised", "AUROC of the estimate [95 %]", "sensitivity [95 %]",
              "specificity [95 %]", "same records: estimate", "classifier")  # fmt: skip
    rows = []
    for run in runs:
        found, both = run.summary["thresholded"], beside[run.key]
        accuracy = found["accuracy"]
        told = [(reason(accuracy) and NONE) or estimate(accuracy[name])
                for name in ("sensitivity", "specificity")]  # fmt: skip
        compared = [NONE, "no such run"]
        if both is not None:
            compared = [or_none(both["estimate"]),
                        f"{or_none(both['classifier'])} (n = {both['n_records']})"]  # fmt: skip
        rows.append([run.title, str(found["n_raised"]), or_none(found["auroc"]), *told, *compared])
    return Table(caption, header, rows)


def _by_fold(evidence: Evidence, runs: Sequence[RunEvidence]) -> Table:
    target = runs[0].run.target.number
    caption = f"Errors of {target.title} by fold ({target.unit}), {evidence.label}."
    header = ("model", "fold", "patients", "records", "MAE", "RMSE", "R²", "bias")
    rows = [
        [run.title, str(fold["fold"]), str(fold["n_patients"]), str(fold["n_records"]),
         number(fold["mae"], 2), number(fold["rmse"], 2), number(fold["r2"]),
         number(fold["bias"], 2)]
        for run in runs if not reason(run.summary["folds"])
        for fold in run.summary["folds"]
    ]  # fmt: skip
    return Table(caption, header, rows)
