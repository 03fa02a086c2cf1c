"""Write pictures in one step, the same bytes for the same figure."""

from pathlib import Path
from typing import TYPE_CHECKING

from lsemvae.core.files import replacing
from lsemvae.core.printable import printable

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from matplotlib.ticker import FuncFormatter

_DATES = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}


def save_figure(figure: "Figure", path: Path, *, dpi: float | None = None) -> None:
    """Write a figure without the time and without names by chance.

    Args:
        figure: what is drawn.
        path: its ending names the format.
        dpi: dots per inch, None for the figure's own.

    Raises:
        InputError: see `replacing`.
        ValueError: matplotlib knows no such format.
    """
    from matplotlib import rc_context

    as_written(figure)
    with replacing(path) as temporary, rc_context({"svg.hashsalt": path.stem}):
        metadata = _DATES.get(path.suffix.lower())
        figure.savefig(temporary, dpi=dpi or "figure", metadata=metadata)


def as_written(figure: "Figure") -> None:
    """Let a figure show texts from files as they are written, before it is drawn.

    Matplotlib sets what stands between two dollar signs as a formula, or ends with an error where
    it is none, and prints control characters to the terminal when it lacks a sign for them. Numbers
    at axes stay: matplotlib writes powers of ten so.
    """
    from matplotlib.text import Text
    from matplotlib.ticker import FuncFormatter, LogFormatter, ScalarFormatter

    numbers = set()
    for axis in (axis for axes in figure.axes for axis in (axes.xaxis, axes.yaxis)):
        formatter = axis.get_major_formatter()
        if isinstance(formatter, FuncFormatter):  # of names that were given for ticks
            axis.set_major_formatter(_printable_names(formatter))
        labels = axis.get_majorticklabels()  # makes those that drawing would make
        if isinstance(formatter, ScalarFormatter | LogFormatter):
            numbers.update(labels)
        numbers.update(axis.get_minorticklabels())
    for text in figure.findobj(Text):
        if text not in numbers and isinstance(text, Text):
            text.set_parse_math(False)
            text.set_text(printable(text.get_text()))


def _printable_names(names: "FuncFormatter") -> "FuncFormatter":
    from matplotlib.ticker import FuncFormatter

    return FuncFormatter(lambda value, position: printable(str(names(value, position))))
