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


class PlainConsole(Console):
    """A terminal on which text from files is neither markup nor a command."""

    def __init__(self) -> None:
        super().__init__(markup=False, highlight=False)

    def render_str(self, text: str, **options: Any) -> Text:
        """Return a cell or a title as `printable` writes it."""
        return super().render_str(printable(text), **options)


def print_frame(frame: pd.DataFrame, title: str, caption: str = "") -> None:
    """Print a table of text, its first column to the left and the others to the right.

    Args:
        frame: cells as they shall be read.
        title: above the table.
        caption: below it.
    """
    table = Table(title=title, caption=caption or None, box=box.SIMPLE_HEAD, title_justify="left",
                  caption_justify="left", padding=(0, 1, 0, 0))  # fmt: skip
    for number, name in enumerate(frame.columns):
        heading = _LONG_COMPOUND.sub(r"\1\n", str(name))
        table.add_column(heading, justify="right" if number else "left", overflow="fold")
    for row in frame.itertuples(index=False):
        table.add_row(*map(str, row))
    PlainConsole().print(table)
