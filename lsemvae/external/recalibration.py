"""Show how many patients of the new place recalibration needs."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from lsemvae.core.counted import counted
from lsemvae.core.errors import InputError
from lsemvae.evaluation.report.blocks import Picture, Section, Table, Text, draw
from lsemvae.evaluation.report.curves import legend, marker, panel, styles
from lsemvae.evaluation.report.written import unavailable
from lsemvae.evaluation.statistics.json_values import to_json
from lsemvae.evaluation.statistics.local_recalibration import WAYS, learning_curve
from lsemvae.external.evidence import ExternalEvidence

HEADER = ("patients", "recalibrated", "log loss", "intercept still needed", "slope still needed",
          "draws that reverse the order")  # fmt: skip
HOW = (
    "k patients of this cohort are drawn at random; intercept, or intercept and slope, are fitted "
    "on their recordings with Firth's penalty, and the other patients are predicted. Intercept 0 "
    "and slope 1 still needed are right; a smaller log loss is better. With few patients a slope "
    "does more harm than good: take it where its log loss lies below that of the intercept."
)


def learning_section(evidence: ExternalEvidence) -> Section:
    """Return the learning curve of recalibration."""
    title = "Recalibration with patients of this cohort"
    try:
        curve = learning_curve(*evidence.columns, n_draws=evidence.n_draws)
    except InputError as error:
        return Section("recalibration", title, [unavailable("Learning curve", str(error))])
    rows = [
        [str(row["n_patients"]), row["way"],
         *(_span(row, name, digits) for name, digits in (("log_loss", 3), ("intercept", 2),
                                                         ("slope", 2))),
         f"{100 * row['reversed']:.1f} %"]
        for row in curve.to_dict("records")
    ]  # fmt: skip
    caption = (
        f"Recalibration on {evidence.name}, tested on the other patients: median and middle 95 % "
        f"of {counted(evidence.n_draws, 'draw')}."
    )
    return Section(
        "recalibration", title,
        [Text(HOW), _picture(evidence, curve), Table(caption, HEADER, rows)],
        {"learning_curve": to_json(curve)},
    )  # fmt: skip


def _span(row: Mapping[Any, Any], name: str, digits: int) -> str:
    value, low, high = (row[f"{name}{end}"] for end in ("", "_low", "_high"))
    return f"{value:.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]"


def _picture(evidence: ExternalEvidence, curve: pd.DataFrame) -> Picture:
    figure, axes = panel("patients that it is recalibrated with", "log loss of the others",
                         evidence.name, square=False)  # fmt: skip
    for number, (way, style) in enumerate(zip(WAYS, styles(len(WAYS)), strict=True)):
        part = curve[curve["way"] == way]
        axes.plot(part["n_patients"], part["log_loss"], label=way, marker=marker(number), **style)
        axes.fill_between(part["n_patients"], part["log_loss_low"], part["log_loss_high"],
                          color=style["color"], alpha=0.12, linewidth=0)  # fmt: skip
    ks = sorted(set(curve["n_patients"]))
    axes.set_xscale("log")
    axes.set_xticks(ks, [str(k) for k in ks])
    axes.minorticks_off()
    # a few wild draws of small k would squeeze everything else; the lines stay whole
    usual = curve[curve["way"] != WAYS[2]]
    low = curve["log_loss_low"].min()
    high = max(usual["log_loss_high"].max(), curve["log_loss"].max())
    axes.set_ylim(low - 0.05 * (high - low), high + 0.35 * (high - low))
    legend(axes)
    last = curve[curve["n_patients"] == ks[-1]]
    said = "; ".join(f"{row.way} {row.log_loss:.3f}" for row in last.itertuples())
    caption = (
        f"Log loss after recalibration on {evidence.name}, {evidence.counts}, median of the "
        "draws; shaded: their middle 95 %, cut where it leaves the picture."
    )
    return draw(figure, "recalibration", caption=caption,
                alt=f"Log loss by number of patients. With {ks[-1]}: {said}")  # fmt: skip
