"""Show text from files without what a terminal or a browser would act on."""

import unicodedata
from typing import TextIO

# What begins a tag; Markdown lets HTML through.
HTML = str.maketrans({"<": "&lt;"})
FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")
_KEPT = "\n\t"


def printable(text: str) -> str:
    r"""Return a text whose control and format characters are written out, such as \x1b.

    An escape in a lead's name could colour, overwrite or hide what a terminal shows; a mark for
    right-to-left text could turn a number around.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        repr(letter)[1:-1]
        if unicodedata.category(letter)[0] == "C" and letter not in _KEPT
        else letter
        for letter in text
    )


def one_line(text: str) -> str:
    """Return a text as `printable` does, in one line."""
    return printable(" ".join(text.split()))


def spreadsheet_cell(text: str) -> str:
    """Return a text, `printable`, that no spreadsheet runs as a formula when it opens our tables.

    Files and their names come from anybody.
    """
    return f"'{printable(text)}" if text.startswith(FORMULA_SIGNS) else printable(text)


def say(
    text: object = "", *, file: TextIO | None = None, end: str = "\n", flush: bool = False
) -> None:
    """Print a text as `printable` does: the one place of this program that prints.

    Args:
        text: what to print.
        file: stdout where nothing is given.
        end: what follows the text.
        flush: whether it must be seen at once.
    """
    print(printable(str(text)), file=file, end=end, flush=flush)
