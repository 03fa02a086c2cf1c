"""Draw curves in one manner: told apart by colour, dash and marker."""

from collections.abc import Iterator, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

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


def named(titles: Sequence[str]) -> str:
    """Return titles for an alternative text."""
    return "; ".join(titles)
