"""Show what acting on predictions is worth: net benefit, operating points, predictive values."""

from typing import Any

from lsemvae.evaluation.report.blocks import Block, Picture, Section, Table, Text, draw
from lsemvae.evaluation.report.calibration import WAYS
from lsemvae.evaluation.report.curves import below_the_picture, legend, named, panel, styles
from lsemvae.evaluation.report.evidence import Evidence, RunEvidence
from lsemvae.evaluation.report.written import estimate, grouped, percent, reason

RULES = {
    "fixed": "probability of one half",
    "sensitivity_90": "90 % sensitivity",
    "specificity_90": "90 % specificity",
    "youden": "Youden",
}
POINT_HEADER = ("model", "threshold for", "sensitivity [95 %]", "specificity [95 %]", "PPV [95 %]",
                "NPV [95 %]", "LR+ [95 %]", "LR- [95 %]", "odds ratio [95 %]")  # fmt: skip
MEASURES = ("sensitivity", "specificity", "ppv", "npv", "lr_positive", "lr_negative",
            "diagnostic_odds_ratio")  # fmt: skip
HOW = (
    "Net benefit: true positives per patient, less the false ones at the exchange rate of the "
    "threshold. A model is of use where its curve lies above acting on everybody and on nobody."
)


def decision_section(evidence: Evidence) -> Section:
    """Return decision curves, as predicted and recalibrated."""
    blocks: list[Block] = [Text(HOW)]
    missing: dict[str, str] = {}
    for task in evidence.tasks:
        for way in ("as_predicted", "logistic"):
            runs = []
            for run in evidence.detailed(task):
                why = reason(_curve(run, way))
                if why:
                    missing[f"{task}, {run.title}, {WAYS[way]}"] = why
                else:
                    runs.append(run)
            if runs:
                blocks.append(_picture(evidence, task, way, runs))
    facts = {run.key: run.summary["decision_curve"] for run in evidence.runs}
    return Section("decisions", "Decision curves", [*blocks, *grouped(missing)], facts,
                   ("measures",))  # fmt: skip


def _curve(run: RunEvidence, way: str) -> Any:
    whole = run.summary["decision_curve"]
    return whole if reason(whole) else whole[way]


def _picture(evidence: Evidence, task: str, way: str, runs: list[RunEvidence]) -> Picture:
    figure, axes = panel("threshold probability", "net benefit",
                         f"{task}, {WAYS[way]}, {evidence.label}", square=False)  # fmt: skip
    first = _curve(runs[0], way)
    thresholds = [row["threshold"] for row in first]
    axes.plot(thresholds, [row["treat_all"] for row in first], color="#555555", linewidth=1,
              linestyle=(0, (1, 1)), label="act on everybody")  # fmt: skip
    axes.axhline(0, color="#555555", linewidth=1, label="act on nobody")
    for run, style in zip(runs, styles(len(runs)), strict=True):
        axes.plot(thresholds, [row["net_benefit"] for row in _curve(run, way)], label=run.title,
                  **style)  # fmt: skip
    axes.fill_between(thresholds, [row["low"] for row in first], [row["high"] for row in first],
                      color="#0b5394", alpha=0.15, linewidth=0)  # fmt: skip
    share = runs[0].summary["records"]["prevalence"]
    axes.set(xlim=(0, 1), ylim=(-0.15 * share - 0.02, 1.1 * share))
    legend(axes)
    titles = [run.title for run in runs]
    caption = (
        f"Decision curve of {task}, probabilities {WAYS[way]}, {evidence.label}, "
        f"{evidence.counts(task)}; shaded: 95 % interval of {titles[0]}."
        f"{below_the_picture(axes, titles)}"
        f"{evidence.left_out(task, len(evidence.detailed(task)))}"
    )
    alt = f"Net benefit against threshold: {named(titles)}"
    return draw(figure, f"decision_{task}_{way}", caption=caption, alt=alt)


def operating_section(evidence: Evidence) -> Section:
    """Return accuracies at thresholds chosen on inner predictions, and predictive values."""
    blocks: list[Block] = []
    missing: dict[str, str] = {}
    for task in evidence.tasks:
        runs = evidence.detailed(task)
        rows = [
            [run.title, RULES[rule],
             *(estimate(point["accuracy"][name], 2) for name in MEASURES)]
            for run in runs for rule, point in _points(run, missing).items()
        ]  # fmt: skip
        left_out = evidence.left_out(task, len(runs))
        blocks.append(
            Table(
                f"Operating points of {task} on {evidence.label}. All thresholds but one half are "
                "chosen in each fold on its inner predictions, never on the test records. Wilson "
                "and log intervals take records for independent patients; ratios have 0.5 added to "
                f"every count where one is 0.{left_out}",
                POINT_HEADER, rows,
            )
        )  # fmt: skip
        if runs[0].summary["records"]["most_records_of_a_patient"] > 1:
            blocks.append(_by_patient(evidence, task))
        blocks.append(_prevalences(evidence, task))
    facts = {run.key: run.summary["operating_points"] for run in evidence.runs}
    chosen = any(
        not reason(point) for run in evidence.runs
        for rule, point in run.summary["operating_points"].items() if rule != "fixed"
    )  # fmt: skip
    answers = ("output", "operating_points") if chosen else ("output",)
    return Section("operating", "Operating points", [*blocks, *grouped(missing)], facts, answers)


def _points(run: RunEvidence, missing: dict[str, str] | None = None) -> dict[str, Any]:
    """Return the points of a run, noting what it lacks."""
    points = {}
    for rule, point in run.summary["operating_points"].items():
        if not reason(point):
            points[rule] = point
        elif missing is not None:
            missing[f"{run.task}, {run.title}, {RULES[rule]}"] = reason(point)
    return points


def _by_patient(evidence: Evidence, task: str) -> Table:
    names = ("sensitivity", "specificity", "ppv", "npv")
    rows = [
        [run.title, RULES[rule],
         *(estimate(point["accuracy_by_patient"][name], 2) for name in names)]
        for run in evidence.detailed(task) for rule, point in _points(run).items()
    ]  # fmt: skip
    return Table(
        f"The same with intervals by patient (bootstrap), {task}, {evidence.label}: patients have "
        "several records here.", POINT_HEADER[:6], rows,
    )  # fmt: skip


def _prevalences(evidence: Evidence, task: str) -> Table:
    """Return PPV and NPV at the prevalences of screening."""
    runs = evidence.detailed(task)
    levels = list(next(iter(_points(runs[0]).values()))["at_prevalence"])
    header = ["model", "threshold for", "value", *(percent(float(level), 0) for level in levels)]
    rows = [
        [run.title, RULES[rule], name.upper(),
         *(estimate(point["at_prevalence"][level][name]) for level in levels)]
        for run in runs for rule, point in _points(run).items() for name in ("ppv", "npv")
    ]  # fmt: skip
    return Table(
        f"Predictive values of {task} at other prevalences, from the sensitivity and specificity "
        f"on {evidence.label} (Bayes; 0.5 is added to every count where one is 0); they hold "
        "where patients are like these but for the prevalence.", header, rows,
    )  # fmt: skip
