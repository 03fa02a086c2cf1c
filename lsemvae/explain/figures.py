"""Draw what a cohort's attributions and the model's own gate say about leads and waves."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

BAR, PALE, DARK = "#0b5394", "#9dbad5", "#222222"
CLASS_COLOURS = ("#8a8a8a", "#b45f06")
CLASS_MARKERS = ("o", "s")


def ranking_figure(ranking: pd.DataFrame, title: str) -> Figure:
    """Draw the leads by their mean share, with 95 % intervals.

    Args:
        ranking: from `lsemvae.explain.ranking.rank_leads`.
        title: names task, method and data.
    """
    figure = Figure(figsize=(6.4, 1.6 + 0.3 * len(ranking)), layout="constrained")
    axes = figure.subplots()
    place = np.arange(len(ranking))[::-1]
    axes.barh(place, ranking["share"], color=[BAR, *[PALE] * (len(ranking) - 1)], height=0.7)
    middle, half = _intervals(ranking)
    axes.errorbar(middle, place, xerr=half, fmt="none", ecolor=DARK, capsize=2.5)
    room = 0.02 * float(ranking["high"].max())
    for at, (_, row) in zip(place, ranking.iterrows(), strict=True):
        text = f"{row['share']:.1%}   first in {row['first']:.0%} of resamples"
        axes.text(row["high"] + room, at, text, va="center", fontsize=7.5)
    names = [f"{lead} ★" if n == 0 else lead for n, lead in enumerate(ranking["lead"])]
    axes.set_yticks(place, names)
    axes.axvline(1 / len(ranking), color="#777777", linewidth=0.9, linestyle=":")
    axes.set(
        xlim=(0, 1.75 * float(ranking["high"].max())), title=title,
        xlabel="mean share of |attribution|, 95 % interval by patient (dotted: equal shares)",
    )  # fmt: skip
    _tidy(axes, "x")
    return figure


def waves_figure(summary: pd.DataFrame, by_lead: pd.DataFrame, title: str) -> Figure:
    """Draw the shares of the waves, and how lead and wave share them.

    Args:
        summary: from `lsemvae.explain.ranking.summarise_waves`.
        by_lead: mean share by lead (rows) and wave (columns); sums to one.
        title: names task, method and data.
    """
    figure = Figure(figsize=(8.4, 1.9 + 0.24 * len(by_lead)), layout="constrained")
    bars, table = figure.subplots(1, 2, width_ratios=(1.0, 1.15))
    place = np.arange(len(summary))
    bars.bar(place, summary["share"], color=PALE, width=0.65, label="attribution")
    middle, half = _intervals(summary)
    bars.errorbar(place, middle, half, fmt="none", ecolor=DARK, capsize=3)
    bars.plot(place, summary["time_share"], "D", color="#b45f06", label="duration")
    bars.set_xticks(place, summary["wave"])
    bars.set(ylabel="share (95 % interval by patient)", ylim=(0, None))
    bars.legend(fontsize=8, frameon=False)
    _tidy(bars, "y")
    _share_table(table, by_lead)
    figure.suptitle(title, fontsize=10)
    return figure


def _share_table(axes: Axes, by_lead: pd.DataFrame) -> None:
    values = by_lead.to_numpy()
    axes.imshow(values, cmap="Blues", vmin=0.0, aspect="auto")
    for (row, column), value in np.ndenumerate(values):
        colour = "white" if value > 0.6 * values.max() else DARK
        axes.text(column, row, f"{value:.1%}", ha="center", va="center", color=colour, fontsize=7.5)
    axes.set_xticks(range(len(by_lead.columns)), by_lead.columns)
    axes.set_yticks(range(len(by_lead)), by_lead.index)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_title("share by lead and wave (all cells: 100 %)", fontsize=9)


def gate_figure(gate: pd.DataFrame, class_names: Sequence[str], title: str) -> Figure:
    """Draw the weights that the network's gate gives its experts.

    Args:
        gate: columns lead_set, expert, label, mean, sd; the experts in their order.
        class_names: names of the labels 0 and 1.
        title: names method and data.
    """
    sets = {name: gate[gate["lead_set"] == name] for name in pd.unique(gate["lead_set"])}
    top = 1.1 * float((gate["mean"] + gate["sd"].fillna(0.0)).max())
    figure = Figure(figsize=(7.4, 0.6 + 2.3 * len(sets)), layout="constrained")
    for axes, (name, part) in zip(
        np.atleast_1d(figure.subplots(len(sets), 1, sharey=True)), sets.items(), strict=True
    ):
        experts = list(pd.unique(part["expert"]))
        axes.axhline(1 / len(experts), color="#777777", linewidth=0.9, linestyle=":")
        for number in (0, 1):
            own = part[part["label"] == number]
            at = np.array([experts.index(expert) for expert in own["expert"]])
            axes.errorbar(
                at + (number - 0.5) * 0.24, own["mean"], own["sd"], fmt=CLASS_MARKERS[number],
                color=CLASS_COLOURS[number], markersize=4.5, capsize=2.5, linewidth=1.1,
                label=class_names[number],
            )  # fmt: skip
        axes.set_xticks(range(len(experts)), experts)
        axes.set(ylabel="gate weight", ylim=(0, top))
        axes.set_title(f"{name} (mean ± SD over records; dotted: equal weights)", fontsize=9)
        _tidy(axes, "y")
    figure.axes[0].legend(fontsize=8, frameon=False, ncol=2, loc="upper left")
    figure.suptitle(title, fontsize=10)
    return figure


def _intervals(table: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """Return middles and half widths: an interval of resamples need not hold the value itself."""
    return (table["low"] + table["high"]) / 2, (table["high"] - table["low"]) / 2


def _tidy(axes: Axes, grid: str) -> None:
    axes.grid(axis=grid, color="#e6e6e6", linewidth=0.6)  # type: ignore[arg-type]
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.title.set_fontsize(9.5)
