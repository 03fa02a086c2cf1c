"""Pictures of the report: ROC curves and curves over epochs."""

import base64
import io
from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from sklearn.metrics import roc_curve

COLOURS = ("#0b5394", "#b45f06", "#38761d", "#741b47", "#134f5c", "#7f6000", "#990000", "#444444")
DASHES = ("-", "--", "-.", ":")


def roc_figure(predictions: Mapping[str, pd.DataFrame], title: str) -> Figure:
    """Draw the ROC curve of the pooled out-of-fold predictions of several runs.

    Args:
        predictions: by legend text, columns label and probability.
        title: names the task and the data.
    """
    figure = Figure(figsize=(4.6, 4.6), layout="constrained")
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color="#999999", linewidth=0.8)
    for number, (legend, table) in enumerate(predictions.items()):
        false_positive, true_positive, _ = roc_curve(table["label"], table["probability"])
        axes.plot(
            false_positive, true_positive, label=legend, linewidth=1.6,
            color=COLOURS[number % len(COLOURS)], linestyle=DASHES[number % len(DASHES)],
        )  # fmt: skip
    axes.set(
        xlabel="1 - specificity", ylabel="sensitivity", title=title, xlim=(0, 1), ylim=(0, 1.005)
    )
    axes.set_aspect("equal")
    axes.grid(color="#e6e6e6", linewidth=0.6)
    axes.legend(loc="lower right", fontsize=8)
    return figure


def epoch_figure(log: pd.DataFrame, columns: Mapping[str, str], ylabel: str) -> Figure:
    """Draw logged columns over epochs; columns that the log lacks are left out.

    Args:
        log: metrics.csv of a CSVLogger.
        columns: legend text by column name.
        ylabel: of the axis.
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
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    if axes.get_ylim()[0] > 0:
        axes.set_ylim(bottom=0)
    axes.grid(color="#e6e6e6", linewidth=0.6)
    axes.legend(fontsize=8)
    return figure


def embedded_png(figure: Figure, dpi: int = 130) -> str:
    """Return a figure as a data address that an HTML page can hold."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=dpi)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
