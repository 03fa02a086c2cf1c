"""Say what acting on the model is worth here: its own thresholds, and net benefit."""

from typing import Any

from lsemvae.evaluation.report.blocks import Section, Table, Text, draw
from lsemvae.evaluation.report.curves import below_the_picture, legend, panel
from lsemvae.evaluation.report.decisions import HOW
from lsemvae.evaluation.report.written import estimate
from lsemvae.evaluation.statistics.bootstrap import bootstrap
from lsemvae.evaluation.statistics.decision_curve import decision_curve
from lsemvae.evaluation.statistics.diagnostic_accuracy import count_outcomes, diagnostic_accuracy
from lsemvae.evaluation.statistics.estimate import Estimate
from lsemvae.evaluation.statistics.json_values import to_json
from lsemvae.evaluation.statistics.metrics import METRICS
from lsemvae.external.evidence import ExternalEvidence

MEASURES = ("sensitivity", "specificity", "ppv", "npv")
HEADER = ("threshold", "value", "in training", "sensitivity [95 %]", "specificity [95 %]",
          "PPV [95 %]", "NPV [95 %]", "TP, FP, FN, TN")  # fmt: skip


def threshold_section(evidence: ExternalEvidence) -> Section:
    """Return what the locked thresholds give here."""
    found = {
        name: _point(evidence, point.threshold) for name, point in evidence.model.points.items()
    }
    rows = []
    for name, point in evidence.model.points.items():
        accuracy = to_json(found[name]["accuracy"])
        rows.append(
            [name + (" (in use)" if name == evidence.model.point else ""), f"{point.threshold:.3f}",
             f"sensitivity {point.sensitivity:.2f}, specificity {point.specificity:.2f}",
             *(estimate(accuracy[measure], 2) for measure in MEASURES),
             ", ".join(map(str, found[name]["counts"]))]
        )  # fmt: skip
    how = "bootstrap by patient" if evidence.several else "Wilson"
    caption = (
        f"The model's own thresholds on {evidence.name}, {how}; predictive values at the share of "
        "positives of this cohort. In training: on inner predictions."
    )
    text = Text("Thresholds are those of the model's file; none was chosen on this cohort.")
    return Section("thresholds", "Locked thresholds", [text, Table(caption, HEADER, rows)],
                   {"points": to_json(found)})  # fmt: skip


def _point(evidence: ExternalEvidence, threshold: float) -> dict[str, Any]:
    label, probability, patient = evidence.columns
    called = probability >= threshold
    counts = count_outcomes(label, called)
    accuracy: dict[str, Estimate] = {name: one for name, one in diagnostic_accuracy(counts).items()
                                     if name in MEASURES}  # fmt: skip
    if evidence.several:
        accuracy = bootstrap(
            label, called, patient, n_resamples=evidence.n_resamples,
            metrics={name: METRICS[name] for name in MEASURES},
        )  # fmt: skip
    return {"threshold": threshold, "counts": counts, "accuracy": accuracy}


def benefit_section(evidence: ExternalEvidence) -> Section:
    """Return the decision curve."""
    curve = decision_curve(*evidence.columns, n_resamples=evidence.n_resamples)
    figure, axes = panel("threshold probability", "net benefit", evidence.name, square=False)
    at = curve["threshold"]
    axes.plot(at, curve["treat_all"], color="#555555", linewidth=1, linestyle=(0, (1, 1)),
              label="act on everybody")  # fmt: skip
    axes.axhline(0, color="#555555", linewidth=1, label="act on nobody")
    axes.plot(at, curve["net_benefit"], color="#0b5394", label="the model")
    axes.fill_between(at, curve["low"], curve["high"], color="#0b5394", alpha=0.15, linewidth=0)
    share = float(evidence.evaluated["label"].mean())
    axes.set(xlim=(0, 1), ylim=(-0.15 * share - 0.02, 1.1 * share))
    threshold = evidence.model.threshold
    axes.axvline(threshold, color="#b45f06", linewidth=1, linestyle=":", label="threshold in use")
    legend(axes)
    nearest = curve.iloc[(at - threshold).abs().argmin()]
    said = (
        f"At {nearest['threshold']:.2f}, next to the threshold in use, net benefit is "
        f"{nearest['net_benefit']:+.3f} [{nearest['low']:+.3f}, {nearest['high']:+.3f}], of acting "
        f"on everybody {nearest['treat_all']:+.3f}."
    )
    caption = (
        f"Decision curve on {evidence.name}, {evidence.counts}; shaded: 95 % interval by patient."
        f"{below_the_picture(axes, ['the model'])}"
    )
    picture = draw(figure, "decision", caption=caption, alt=f"Net benefit by threshold. {said}")
    return Section("decisions", "Decision curve", [Text(HOW), picture, Text(said)],
                   {"curve": to_json(curve)})  # fmt: skip
