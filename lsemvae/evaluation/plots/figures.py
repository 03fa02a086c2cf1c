"""Draw logged values over epochs."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

COLOURS = ("#0b5394", "#b45f06", "#38761d", "#741b47", "#134f5c", "#7f6000", "#990000", "#444444")
DASHES = ("-", "--", "-.", ":")


def epoch_figure(log: pd.DataFrame, columns: Mapping[str, str], ylabel: str, title: str) -> Figure:
    """Draw logged columns over epochs; columns that the log lacks are left out.

    Args:
        log: metrics.csv of a CSVLogger.
        columns: legend text by column name.
        ylabel: of the axis.
        title: names the data.
    """
    figure = Figure(figsize=(4.6, 3.2), layout="constrained")
    axes = figure.subplots()
    for number, (name, legend) in enumerate(columns.items()):
        if name in log:
            curve = log.dropna(subset=[name]).groupby("epoch")[name].last()
            axes.plot(
                curve.index + 1, curve, label=legend, linewidth=1.5,
                color=COLOURS[number % len(COLOURS)], linestyle=DASHES[number % len(DASHES)],
            )  # fmt: skip
    axes.set(xlabel="epoch", ylabel=ylabel)
    axes.set_title(title, fontsize=9, wrap=True)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    if axes.get_ylim()[0] > 0:
        axes.set_ylim(bottom=0)
    axes.grid(color="#e6e6e6", linewidth=0.6)
    axes.legend(fontsize=8)
    return figure
