"""Draw estimates against measurements, and what prediction intervals hold."""

from collections.abc import Sequence

import numpy as np

from lsemvae.evaluation.report.blocks import Picture, draw
from lsemvae.evaluation.report.curves import legend, marker, panel, styles
from lsemvae.evaluation.report.evidence import Evidence, RunEvidence
from lsemvae.evaluation.report.written import estimate, reason


def agreement_figure(evidence: Evidence, task: str) -> Picture:
    """Return the Bland-Altman figure of the first run of a number."""
    run = evidence.of_task(task)[0]
    target, table = run.run.target.number, run.run.predictions
    measured, estimated = table["measured"].to_numpy(), table["estimated"].to_numpy()
    figure, axes = panel(f"mean of estimated and measured {target.title} ({target.unit})",
                         f"estimated minus measured ({target.unit})",
                         f"{run.title}, {evidence.label}", square=False)  # fmt: skip
    axes.scatter((estimated + measured) / 2, estimated - measured, s=12, color="#0b5394",
                 alpha=0.5, linewidths=0)  # fmt: skip
    found = run.summary["agreement"]
    if not reason(found):
        for name, dash in (("bias", "-"), ("lower", "--"), ("upper", "--")):
            one = found[name]
            axes.axhline(one["value"], color="#b45f06", linestyle=dash, linewidth=1.4)
            axes.axhspan(one["low"], one["high"], color="#b45f06", alpha=0.12, linewidth=0)
    said = "" if reason(found) else (
        f" Bias {estimate(found['bias'], 1)}, limits {estimate(found['lower'], 1)} and "
        f"{estimate(found['upper'], 1)} {target.unit}."
    )  # fmt: skip
    caption = (
        f"Bland-Altman figure of {target.title}, {run.title}, {evidence.label}: bias (line) and "
        "limits of agreement (dashed) with their 95 % intervals (bands)."
    )
    return draw(figure, f"agreement_{task}", caption=caption,
                alt=f"Differences of estimated and measured {target.title}.{said}")  # fmt: skip


def levels_figure(evidence: Evidence, task: str, runs: Sequence[RunEvidence]) -> Picture:
    """Return measured against nominal coverage of the runs of a number."""
    target = runs[0].run.target.number
    figure, axes = panel("nominal share", "measured share (95 % interval)",
                         f"{target.title}, {evidence.label}")  # fmt: skip
    axes.plot([0, 1], [0, 1], color="#777777", linewidth=0.8, label="as they say")
    said = []
    least = 0.4  # the axes begin here, or where the lowest interval does
    for number, (run, style) in enumerate(zip(runs, styles(len(runs)), strict=True)):
        rows = [row for row in run.summary["levels"] if not reason(row["coverage"])]
        nominal = np.array([row["nominal"] for row in rows])
        value, low, high = (
            np.array([row["coverage"][name] for row in rows]) for name in ("value", "low", "high")
        )
        axes.errorbar(nominal, value, [value - low, high - value], marker=marker(number),
                      markersize=4, capsize=2, label=run.title, **style)  # fmt: skip
        least = min(least, *nominal, *low)
        said.append(f"{run.title}: " + ", ".join(
            f"{one:.0%} hold {held:.1%}" for one, held in zip(nominal, value, strict=True)
        ))  # fmt: skip
    axes.set(xlim=(least, 1), ylim=(least, 1.005))
    legend(axes)
    caption = (
        f"Calibration of the prediction intervals of {target.title}, {evidence.label}: the share "
        "of measured values that they hold against the share that they are made for."
    )
    return draw(figure, f"interval_calibration_{task}", caption=caption, alt="; ".join(said))
