"""Draw curves in one manner: told apart by colour, dash and marker."""

from collections.abc import Iterator, Sequence
from typing import Any, Literal

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lsemvae.evaluation.plots.figures import COLOURS, DASHES

Place = Literal["best", "upper left", "upper right", "lower left", "lower right"]
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


def legend(axes: Axes, place: Place = "best") -> None:
    """Add a legend in small letters."""
    axes.legend(loc=place, fontsize=7.5, framealpha=0.9)


def named(titles: Sequence[str]) -> str:
    """Return titles for an alternative text."""
    return "; ".join(titles)
