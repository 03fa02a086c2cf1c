"""Show whether probabilities mean what they say, before and after recalibration."""

from typing import Any

from lsemvae.evaluation.report.blocks import Block, Picture, Section, Table, Text, draw
from lsemvae.evaluation.report.curves import legend, marker, named, panel, styles
from lsemvae.evaluation.report.evidence import Evidence, RunEvidence
from lsemvae.evaluation.report.written import estimate, grouped, number, reason

WAYS = {
    "as_predicted": "as predicted",
    "logistic": "recalibrated, logistic",
    "isotonic": "recalibrated, isotonic",
}
HEADER = ("model", "probabilities", "intercept [95 %]", "slope [95 %]", "Brier score",
          "expected calibration error")  # fmt: skip
HOW = (
    "Intercept 0 and slope 1 are right. An intercept below 0 means that probabilities are too "
    "high; a slope above 1 that they are too timid, which focal loss leads to. Recalibration is "
    "fitted on inner predictions of the training folds only."
)


def calibration_section(evidence: Evidence) -> Section:
    """Return measures and reliability curves, as predicted and recalibrated."""
    blocks: list[Block] = [Text(HOW)]
    missing: dict[str, str] = {}
    recalibrated = False
    for task in evidence.tasks:
        blocks.append(_table(evidence, task, missing))
        for way in ("as_predicted", "logistic"):
            runs = [run for run in evidence.detailed(task) if not reason(_part(run, way))]
            if runs:
                blocks.append(_picture(evidence, task, way, runs))
                recalibrated |= way == "logistic"
    blocks += grouped(missing)
    facts = {run.key: run.summary["calibration"] for run in evidence.runs}
    answers = ("class_imbalance", "recalibration") if recalibrated else ("class_imbalance",)
    return Section("calibration", "Calibration", blocks, facts, answers)


def _part(run: RunEvidence, way: str) -> Any:
    whole = run.summary["calibration"]
    return whole if reason(whole) else whole[way]


def _table(evidence: Evidence, task: str, missing: dict[str, str]) -> Table:
    rows = []
    for run in evidence.of_task(task):
        for way, text in WAYS.items():
            part = _part(run, way)
            if reason(part):
                missing[f"{task}, {run.title}, {text}"] = reason(part)
                continue
            rows.append(
                [run.title, text, estimate(part["intercept"], 2), estimate(part["slope"], 2),
                 number(part["brier"]), number(part["expected_error"])]
            )  # fmt: skip
    return Table(f"Calibration of {task} on {evidence.label}.", HEADER, rows)


def _picture(evidence: Evidence, task: str, way: str, runs: list[RunEvidence]) -> Picture:
    figure, axes = panel("mean predicted probability", "share of positives",
                         f"{task}, {WAYS[way]}, {evidence.label}")  # fmt: skip
    axes.plot([0, 1], [0, 1], color="#777777", linewidth=0.8, label="perfect")
    for number_, (run, style) in enumerate(zip(runs, styles(len(runs)), strict=True)):
        bins = _part(run, way)["reliability"]
        x = [row["mean_probability"] for row in bins]
        y = [row["event_rate"] for row in bins]
        errors = [[row["event_rate"] - row["low"] for row in bins],
                  [row["high"] - row["event_rate"] for row in bins]]  # fmt: skip
        axes.errorbar(x, y, yerr=errors, label=run.title, marker=marker(number_), markersize=4,
                      capsize=2, elinewidth=0.8, **style)  # fmt: skip
    axes.set(xlim=(0, 1), ylim=(0, 1.005))
    axes.set_aspect("equal")
    legend(axes)
    titles = [run.title for run in runs]
    caption = (
        f"Reliability of {task}, probabilities {WAYS[way]}, in bins of equal count with Wilson "
        f"intervals, {evidence.label}, {evidence.counts(task)}."
        f"{evidence.left_out(task, len(evidence.detailed(task)))}"
    )
    alt = f"Share of positives against predicted probability: {named(titles)}"
    return draw(figure, f"reliability_{task}_{way}", caption=caption, alt=alt)
