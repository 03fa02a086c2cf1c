"""Print tables where a terminal shows them; files hold Markdown."""

import re
from typing import Any

import pandas as pd
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from lsemvae.core.printable import printable

_LONG_COMPOUND = re.compile(r"\b(\w{3,}-)(?=\w{5})")  # pre-capillary may be broken at its hyphen

_WORD = re.compile(r"\S+(?: ±)?")
BETWEEN = 2  # padding and divider of a column


class PlainConsole(Console):
    """A terminal on which text from files is neither markup nor a command."""

    def __init__(self) -> None:
        super().__init__(markup=False, highlight=False)

    def render_str(self, text: str, **options: Any) -> Text:
        """Return a cell or a title as `printable` writes it."""
        return super().render_str(printable(text), **options)


def print_frame(frame: pd.DataFrame, title: str, caption: str = "") -> None:
    """Print a table of text, its first column to the left and the others to the right.

    Where the terminal is too narrow for the words, columns stand below one another in parts, each
    with the first column.

    Args:
        frame: cells as they shall be read.
        title: above the table.
        caption: below it.
    """
    console = PlainConsole()
    parts = _parts(frame, console.width)
    for number, columns in enumerate(parts):
        above, below = "" if number else title, caption if columns is parts[-1] else ""
        console.print(_table(frame.iloc[:, columns], above, below, narrow=len(parts) > 1))


def _table(frame: pd.DataFrame, title: str, caption: str, *, narrow: bool) -> Table:
    table = Table(title=title or None, caption=caption or None, box=box.SIMPLE_HEAD,
                  title_justify="left", caption_justify="left", padding=(0, 1, 0, 0))  # fmt: skip
    for number, name in enumerate(frame.columns):
        table.add_column(
            _heading(name), justify="right" if number else "left", overflow="fold",
            width=_longest_word(frame, number) if narrow else None,
        )  # fmt: skip
    for row in frame.itertuples(index=False):
        table.add_row(*map(str, row))
    return table


def _heading(name: object) -> str:
    return _LONG_COMPOUND.sub(r"\1\n", str(name))


def _longest_word(frame: pd.DataFrame, number: int) -> int:
    texts = [_heading(frame.columns[number]), *map(str, frame.iloc[:, number])]
    return max((len(word) for text in texts for word in _WORD.findall(text)), default=0)


def _parts(frame: pd.DataFrame, width: int) -> list[list[int]]:
    """Return the columns of each part of a table, so that no word is broken where that can be."""
    room = [_longest_word(frame, number) + BETWEEN for number in range(frame.shape[1])]
    parts = [[0]]
    for number in range(1, len(room)):
        if sum(room[one] for one in parts[-1]) + room[number] > width - 1 and len(parts[-1]) > 1:
            parts.append([0])
        parts[-1].append(number)
    return parts
