"""Draw what shifts of the device do to a model: one row for each shift and dose."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from lsemvae.evaluation.plots.figures import COLOURS

PANELS = {
    "auroc": "AUROC",
    "slope": "calibration slope",
    "withheld": "share withheld",
    "mean_absolute_change": "mean |change|\nof the probability",
}


def stress_figure(table: pd.DataFrame, title: str) -> Figure:
    """Draw four panels side by side; dotted lines stand at the recordings as they are.

    Args:
        table: columns shift, dose, unit, auroc, slope, withheld, mean_absolute_change, and ends of
            intervals; the first row is of the recordings as they are.
        title: names the data.
    """
    names = [row_name(row) for row in table.to_dict("records")]
    groups = list(dict.fromkeys(table["shift"]))
    colour = [COLOURS[groups.index(shift) % len(COLOURS)] for shift in table["shift"]]
    figure = Figure(figsize=(9.6, 1.6 + 0.2 * len(table)), layout="constrained")
    panels = figure.subplots(1, len(PANELS), sharey=True)
    place = list(range(len(table)))[::-1]
    for axes, (name, text) in zip(panels, PANELS.items(), strict=True):
        if f"{name}_low" in table:
            axes.hlines(
                place, table[f"{name}_low"], table[f"{name}_high"], color=colour, linewidth=1
            )
        axes.scatter(table[name], place, color=colour, s=14, zorder=3)
        axes.axvline(table[name].iloc[0], color="#777777", linewidth=0.8, linestyle=":")
        axes.set_xlabel(text, fontsize=8)
        axes.tick_params(labelsize=7)
        axes.grid(color="#e6e6e6", linewidth=0.6)
        axes.set_axisbelow(True)
    panels[0].set_yticks(place, names, fontsize=7)
    panels[0].set_ylim(-0.8, len(table) - 0.2)
    for axes, name in zip(panels[2:], ("withheld", "mean_absolute_change"), strict=True):
        axes.set_xlim(0, max(0.05, 1.1 * table[name].max()))
        axes.margins(x=0)
    figure.suptitle(title, fontsize=9)
    return figure


def row_name(row: Mapping[Any, Any]) -> str:
    """Return shift and dose as words."""
    dose = row["dose"]
    return f"{row['shift']}, {dose:g} {row['unit']}" if dose else str(row["shift"])
