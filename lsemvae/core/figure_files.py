"""Write pictures in one step, the same bytes for the same figure."""

from collections.abc import Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING

from lsemvae.core.files import replacing
from lsemvae.core.printable import printable

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from matplotlib.ticker import FuncFormatter

_DATES = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}


def save_figure(
    figure: "Figure",
    path: Path,
    *,
    dpi: float | None = None,
    words: Mapping[str, str] | None = None,
) -> None:
    """Write a figure as a file in one step, see `draw_figure`.

    Args:
        figure: what is drawn.
        path: its ending names the format.
        dpi: dots per inch, None for the figure's own.
        words: what the file says of itself beside the picture.

    Raises:
        InputError: see `replacing`.
        ValueError: matplotlib knows no such format.
    """
    with replacing(path) as temporary:
        draw_figure(figure, temporary, path.suffix[1:].lower(), path.stem, dpi=dpi, words=words)


def draw_figure(
    figure: "Figure", target: Path | IO[bytes], kind: str, name: str, *,
    dpi: float | None = None, words: Mapping[str, str] | None = None,
) -> None:  # fmt: skip
    """Draw a figure without the time and without names by chance, its texts as they are written.

    Args:
        figure: what is drawn.
        target: path or open file.
        kind: `svg`, `png`, `pdf` and the like.
        name: of which the names within an SVG are made.
        dpi: dots per inch, None for the figure's own.
        words: what the file says of itself beside the picture.
    """
    from matplotlib import rc_context

    _as_written(figure)
    with rc_context({"svg.hashsalt": name}):
        metadata = {**_DATES.get(kind, {}), **(words or {})} or None
        figure.savefig(target, format=kind or None, dpi=dpi or "figure", metadata=metadata)


def _as_written(figure: "Figure") -> None:
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
