"""Say who was predicted, how well, and whether the probabilities mean what they say."""

import numpy as np
from sklearn.metrics import roc_curve

from data_modules.cohort.group_words import alike_groups
from data_modules.cohort.identity import alike_ids
from data_modules.signals.near_marks import near_text
from lsemvae.core.chance import chance_text
from lsemvae.core.counted import counted
from lsemvae.evaluation.report.blocks import Block, Picture, Section, Table, Text, draw
from lsemvae.evaluation.report.curves import legend, panel
from lsemvae.evaluation.report.first_screen import RESEARCH, SYNTHETIC
from lsemvae.evaluation.report.written import estimate, percent
from lsemvae.evaluation.statistics.calibration import reliability_curve
from lsemvae.evaluation.statistics.json_values import to_json
from lsemvae.external.evidence import (
    ENOUGH_EVENTS,
    FEW_EVENTS,
    OUTCOMES,
    ExternalEvidence,
)
from lsemvae.predicting.labels import label_caution
from lsemvae.predicting.outcome import TRAINED_ON, TRAINING

TITLES = {
    "auroc": "AUROC",
    "average_precision": "AUPRC",
    "observed_expected": "observed / expected positives (1 is right)",
    "calibration_intercept": "calibration intercept, slope held at 1 (0 is right)",
    "calibration_slope": "calibration slope (1 is right)",
    "brier": "Brier score",
}
HOW = (
    "Observed / expected below 1 and an intercept below 0 mean that probabilities are too high; a "
    "slope below 1 that they are too extreme, above 1 too timid."
)


def summary_section(evidence: ExternalEvidence) -> Section:
    """Return what was validated, on whom, with which result, and what speaks against it."""
    model, table = evidence.model, evidence.evaluated
    blocks: list[Block] = []
    if evidence.synthetic or model.synthetic:
        of_what = " and ".join(
            name for name, there in (("the model's training", model.synthetic),
                                     ("this cohort", evidence.synthetic)) if there
        )  # fmt: skip
        blocks.append(Text(f"{SYNTHETIC} Synthetic: {of_what}.", "warning"))
    blocks += [Text(text, "warning") for text in cautions(evidence)]
    positive, negative = evidence.events
    blocks.append(
        Text(
            f"Question: does a model that was trained on {model.label} tell {model.task.positive} "
            f"on {evidence.cohort}, and do its probabilities hold there? Nothing of it was changed "
            "on this cohort: weights, recalibration and thresholds are those of its file."
        )
    )
    blocks.append(
        Text(
            f"{of_how_many(evidence)}; {counted(positive, 'patient has', 'patients have')} a "
            f"positive and {negative} a negative recording; "
            f"{percent(float(table['label'].mean()))} of the recordings are positive."
        )
    )
    found = to_json(evidence.measures)
    blocks.append(
        Table(f"Main results on {evidence.name}, with 95 % intervals by patient.",
              ("measure", "value [95 %]", "interval"),
              [[TITLES[name], estimate(one), one["method"]] for name, one in found.items()])
    )  # fmt: skip
    blocks += [Text(HOW), Text(RESEARCH)]
    facts = {"measures": found, "n_recordings": len(table), "data": evidence.name,
             "n_patients": int(table["patient_id"].nunique()),
             "patients_with_a_positive": positive,
             "patients_with_a_negative": negative}  # fmt: skip
    return Section("summary", "Summary", blocks, facts)


def of_how_many(evidence: ExternalEvidence) -> str:
    """Return the recordings and patients that the measures are of, of how many."""
    table = evidence.evaluated
    return (
        f"{len(table)} of {counted(len(evidence.table), 'recording has', 'recordings have')} a "
        f"result and a label, of {counted(table['patient_id'].nunique(), 'patient')}"
    )


def cautions(evidence: ExternalEvidence) -> list[str]:
    """Return what a reader has to know before believing a number."""
    few, auroc = min(evidence.events), evidence.measures["auroc"]
    said = []
    guess = chance_text(auroc.value, auroc.low, auroc.high)
    if guess:
        said.append(f"{guess} Thresholds, calibration and net benefit of a guess mean nothing.")
    if few < FEW_EVENTS:
        said.append(
            f"Only {counted(few, 'patient')} of the rarer class: no measure of this page is "
            "reliable, and its intervals rest on approximations that need more."
        )
    elif few < ENOUGH_EVENTS:
        said.append(
            f"{counted(few, 'patient')} of the rarer class: external validation wants "
            f"{ENOUGH_EVENTS} of each (Collins 2016); intervals are wide."
        )
    if not evidence.knows_patients:
        said.append(
            "The model's file has no hashes of its training: whether patients of this cohort were "
            "among them cannot be told."
        )
    known = int((evidence.table["code"] == TRAINED_ON).sum())
    if known:
        said.append(
            f"{counted(known, 'recording was', 'recordings were')} withheld: the model was trained "
            "on them, or on patients with the same ids. Where these are other persons, prepare the "
            "table again with --patient_prefix."
        )
    if evidence.near:
        said.append(near_text(evidence.near, TRAINING))
    alike = alike_ids(evidence.table["patient_id"])
    if alike.groups:
        said.append(
            f"{alike}. Every spelling counts as a patient: where it is one, mend the table."
        )
    split_by = dict.fromkeys(name for name in (evidence.site, *evidence.subgroups) if name)
    said += [
        f"{text}."
        for text in (
            alike_groups(evidence.table[name]) for name in split_by if name in evidence.table
        )
        if text
    ]
    other = label_caution(evidence.label, evidence.model.task.label)
    return [*said, other] if other else said


def outcome_section(evidence: ExternalEvidence) -> Section:
    """Return results, withheld recordings and errors by label, and the reasons."""
    table = evidence.table
    sides = {"positive": table["label"] == 1, "negative": table["label"] == 0,
             "label missing": table["label"].isna(), "all": table["label"] != -1}  # fmt: skip
    counts = {
        name: {side: int((mine & (table["outcome"] == name)).sum()) for side, mine in sides.items()}
        for name in OUTCOMES
    }
    rows = [[name, *map(str, found.values())] for name, found in counts.items()]
    rows.append(["all", *(str(int(mine.sum())) for mine in sides.values())])
    blocks: list[Block] = [
        Table(f"Recordings of {evidence.name} by outcome and label. Measures are of results with "
              "a label; a recording that is withheld counts for nothing in them.",
              ("outcome", *sides), rows)
    ]  # fmt: skip
    reasons = table.loc[table["outcome"] != "result", "code"].value_counts()
    if len(reasons):
        blocks.append(
            Table(f"Why recordings of {evidence.name} have no result.", ("reason", "recordings"),
                  [[str(code), str(n)] for code, n in reasons.items()])
        )  # fmt: skip
    facts = {"outcomes": counts, "reasons": {str(code): int(n) for code, n in reasons.items()}}
    return Section("outcomes", "Recordings and outcomes", blocks, facts)


def curve_section(evidence: ExternalEvidence) -> Section:
    """Return calibration curve, ROC curve and distribution of the probabilities."""
    label, probability, _ = evidence.columns
    bins = reliability_curve(label, probability)
    facts = {"reliability": to_json(bins)}
    pictures: list[Block] = [_calibration(evidence), _roc(evidence), _distribution(evidence)]
    return Section("curves", "Calibration and ROC curves", pictures, facts)


def _calibration(evidence: ExternalEvidence) -> Picture:
    label, probability, _ = evidence.columns
    bins = reliability_curve(label, probability)
    figure, axes = panel("mean predicted probability", "share of positives", evidence.name)
    axes.plot([0, 1], [0, 1], color="#777777", linewidth=0.8, label="perfect")
    x, y = bins["mean_probability"], bins["event_rate"]
    axes.errorbar(x, y, yerr=[y - bins["low"], bins["high"] - y], label="this cohort", marker="o",
                  markersize=4, capsize=2, elinewidth=0.8, color="#0b5394")  # fmt: skip
    top = min(1.0, 1.1 * float(max(x.max(), bins["high"].max())))
    axes.set(xlim=(0, top), ylim=(0, top * 1.005))
    axes.set_aspect("equal")
    legend(axes)
    caption = (
        f"Calibration on {evidence.name}, {evidence.counts}: share of positives against "
        "probability, in bins of equal count with Wilson intervals."
    )
    alt = "; ".join(f"predicted {a:.3f}, observed {b:.3f}" for a, b in zip(x, y, strict=True))
    return draw(figure, "calibration", caption=caption, alt=f"Calibration curve. {alt}")


def _roc(evidence: ExternalEvidence) -> Picture:
    label, probability, _ = evidence.columns
    false_positive, true_positive, _ = roc_curve(label, probability)
    value = estimate(to_json(evidence.measures["auroc"]))
    figure, axes = panel("1 - specificity", "sensitivity", evidence.name)
    axes.plot([0, 1], [0, 1], color="#777777", linewidth=0.8, label="chance")
    axes.plot(false_positive, true_positive, color="#0b5394", label=f"this cohort (AUROC {value})")
    for name, point in evidence.model.points.items():
        called = probability >= point.threshold
        place = called[label == 0].mean(), called[label == 1].mean()
        axes.plot(*place, linestyle="", marker="os^"[list(evidence.model.points).index(name) % 3],
                  color="#b45f06", label=name)  # fmt: skip
    axes.set(xlim=(0, 1), ylim=(0, 1.005))
    axes.set_aspect("equal")
    legend(axes)
    caption = f"ROC on {evidence.name}, {evidence.counts}; marks: the model's own thresholds."
    return draw(figure, "roc", caption=caption, alt=f"ROC curve, AUROC {value}")


def _distribution(evidence: ExternalEvidence) -> Picture:
    label, probability, _ = evidence.columns
    figure, axes = panel("predicted probability", "share of the recordings of a class",
                         evidence.name, square=False)  # fmt: skip
    edges = np.linspace(0, 1, 21)
    for side, colour, text, dash in (
        (0, "#0b5394", "negative", "-"),
        (1, "#b45f06", "positive", "--"),
    ):
        share = np.histogram(probability[label == side], edges)[0] / max(1, (label == side).sum())
        axes.stairs(share, edges, color=colour, label=text, linestyle=dash)
    for name, point in evidence.model.points.items():
        if name == evidence.model.point:
            axes.axvline(point.threshold, color="#555555", linewidth=1, linestyle=":",
                         label=f"threshold ({name})")  # fmt: skip
    axes.set(xlim=(0, 1))
    legend(axes)
    caption = f"Probabilities of both classes on {evidence.name}, {evidence.counts}."
    medians = ", ".join(f"{name} {np.median(probability[label == side]):.3f}"
                        for side, name in ((0, "negative"), (1, "positive")))  # fmt: skip
    return draw(figure, "probabilities", caption=caption, alt=f"Histogram. Medians: {medians}")
