"""Draw curves in one manner: told apart by colour, dash and marker."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lsemvae.core.counted import counted
from lsemvae.evaluation.plots.figures import COLOURS, DASHES

LINE_INCHES = 0.16  # a line of a legend in letters of 7.5 points
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")


def panel(xlabel: str, ylabel: str, title: str, *, square: bool = True) -> tuple[Figure, Axes]:
    """Return a figure of one panel."""
    figure = Figure(figsize=(4.8, 4.9) if square else (4.8, 3.9), layout="constrained")
    axes = figure.subplots()
    axes.set(xlabel=xlabel, ylabel=ylabel)
    axes.set_title(title, fontsize=9, wrap=True)
    axes.grid(color="#e6e6e6", linewidth=0.6)
    axes.set_axisbelow(True)
    return figure, axes


def styles(n_curves: int) -> Iterator[dict[str, Any]]:
    """Return the properties of each line."""
    for number in range(n_curves):
        yield {
            "color": COLOURS[number % len(COLOURS)],
            "linestyle": DASHES[number % len(DASHES)],
            "linewidth": 1.6,
        }


def marker(number: int) -> str:
    """Return the marker of a curve."""
    return MARKERS[number % len(MARKERS)]


def legend(axes: Axes) -> None:
    """Add a legend in small letters below the axes, where it covers nothing.

    The figure grows by its lines, so that the axes keep their size.
    """
    handles, labels = axes.get_legend_handles_labels()
    figure = axes.get_figure(root=True)
    if figure is None or not handles:
        return
    figure.set_figheight(figure.get_figheight() + LINE_INCHES * (len(handles) + 1))
    figure.legend(handles, labels, loc="outside lower center", fontsize=7.5, frameon=False)


def below_the_picture(axes: Axes, titles: Sequence[str]) -> str:
    """Say which curves fall out of the picture, and how far; empty where all are whole.

    Args:
        axes: with its limits.
        titles: of the curves that matter.
    """
    bottom = axes.get_ylim()[0]
    said = []
    for line in axes.lines:
        height = np.asarray(line.get_ydata(), dtype=float)
        n_below = int((height < bottom).sum())
        if n_below and line.get_label() in titles:
            said.append(f"{line.get_label()} at {n_below} of {counted(len(height), 'threshold')}, "
                        f"down to {height.min():.2f}")  # fmt: skip
    return f" Below the picture: {'; '.join(said)}." if said else ""


def named(titles: Sequence[str]) -> str:
    """Return titles for an alternative text."""
    return "; ".join(titles)
