"""Share words, lines and marks between text tables of cohorts and of signals."""

import re

MISSING = ("NA", "N/A", "n.a.", "#N/A", "#NV", "#N/D", "NaN", "NULL", "None", "k.A.", "missing",
           "unknown", ".", "-", "--", "?", "#VALUE!", "#WERT!", "#DIV/0!", "#REF!", "#BEZUG!",
           "#NUM!", "#ZAHL!", "#NAME?", "#NULL!")  # fmt: skip
"""What R, Excel (with its failed formulas), SAS and hand-kept tables write for a missing value.

Case is ignored.
"""

MISSING_PATTERN = re.compile("|".join(map(re.escape, MISSING)), re.IGNORECASE)
_SEPARATOR = re.compile(r"\ufeff?\"?sep=(.)\"?[ ,;\t]*(\r\n?|\n)", re.IGNORECASE)


def split_separator(text: str) -> tuple[str, str]:
    """Return what Excel's line `sep=;` states, empty where there is none, and the text after it."""
    found = _SEPARATOR.match(text)
    return (found[1], text[found.end() :]) if found else ("", text)


def is_missing(cell: str) -> bool:
    """Tell whether a cell of a number holds nothing, or a word for nothing."""
    return not cell or MISSING_PATTERN.fullmatch(cell) is not None
