"""Draw AUROC against the share of the training patients whose labels are used."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from lsemvae.evaluation.plots.figures import COLOURS, DASHES
from lsemvae.evaluation.worth import LARGER_CLASS, LINEAR, title_of


def label_curve(table: pd.DataFrame, title: str) -> Figure:
    """Draw a curve for each row of features with the linear probe; bars: spread over the draws.

    Args:
        table: from `worth_table`.
        title: names the task, the leads and the data.
    """
    figure = Figure(figsize=(5.6, 4.0), layout="constrained")
    axes = figure.subplots()
    mine = table[(table["head"] == LINEAR) & (table["row"] != LARGER_CLASS)]
    for number, (row, part) in enumerate(mine.groupby("row", sort=False)):
        axes.errorbar(
            100 * part["fraction"] * 1.02 ** (number - 2), part["auroc"],
            yerr=part["sd_draws"].astype(float).fillna(0.0), label=title_of(str(row)),
            color=COLOURS[number % len(COLOURS)], linestyle=DASHES[number % len(DASHES)],
            linewidth=1.5, capsize=2, marker="o", markersize=3,
        )  # fmt: skip
    shares = sorted({100 * share for share in mine["fraction"]})
    axes.set(xscale="log", xlabel="training patients with a label (%)")
    axes.set_ylabel("AUROC (bars: SD over the draws)")
    axes.xaxis.set_major_locator(FixedLocator(shares))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{share:g}"))
    axes.set_title(title, fontsize=9, wrap=True)
    axes.grid(color="#e6e6e6", linewidth=0.6)
    axes.legend(fontsize=7.5)
    return figure
