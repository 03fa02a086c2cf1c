"""Share encodings, words, lines and marks between text tables of cohorts and of signals."""

import codecs
import re
from collections.abc import Iterable
from typing import NamedTuple

MISSING = ("NA", "N/A", "n.a.", "#N/A", "#NV", "#N/D", "NaN", "NULL", "None", "k.A.", "missing",
           "unknown", ".", "-", "--", "?", "#VALUE!", "#WERT!", "#DIV/0!", "#REF!", "#BEZUG!",
           "#NUM!", "#ZAHL!", "#NAME?", "#NULL!", "-nan", "1.#QNAN", "-1.#QNAN", "1.#IND",
           "-1.#IND", "<NA>", "NaT", "nil", "(blank)", "n.d.", "k. A.", "\u2013", "\u2014",
           "not done", "not measured", "not available", "\\N", "(null)", "unk")  # fmt: skip
"""What R, pandas, Excel (with its failed formulas), C, databases and people write for no value.

Case is ignored.
"""

SEX = {"f": "F", "female": "F", "w": "F", "weiblich": "F", "woman": "F", "2": "F", "frau": "F",
       "femme": "F", "feminin": "F", "f\u00e9minin": "F", "femenino": "F", "mujer": "F",
       "femmina": "F", "feminino": "F", "vrouw": "F", "kvinna": "F", "m": "M", "male": "M",
       "maennlich": "M", "m\u00e4nnlich": "M", "man": "M", "1": "M", "mann": "M", "homme": "M",
       "masculin": "M", "masculino": "M", "hombre": "M", "maschio": "M"}  # fmt: skip
"""What files and tables write for the sex, in lower case; 1 and 2 as ISO 5218 has them."""

UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
"""Marks of a text in UTF-16."""

# SAS and Stata number their reasons for a missing value: .A to .Z and ._
MISSING_PATTERN = re.compile("|".join(map(re.escape, MISSING)) + r"|\.[a-z_]", re.IGNORECASE)
_SEPARATOR = re.compile(r"\ufeff?\"?sep=(.)\"?[ ,;\t]*(\r\n?|\n)", re.IGNORECASE)


def split_separator(text: str) -> tuple[str, str]:
    """Return what Excel's line `sep=;` states, empty where there is none, and the text after it."""
    found = _SEPARATOR.match(text)
    return (found[1], text[found.end() :]) if found else ("", text)


_UNITS = re.compile(
    r"[\[(]?(mmHg|kPa|cmH2O|k?Pa|[mn\u00b5\u03bcu]?V|m?s(ec)?|h|min|1/min|/min|bpm|Hz|y(ea)?rs?|years?|Jahre|ans|"
    r"a\u00f1os|kg|g|cm|mm|m|m2|m\u00b2|kg/m2|kg/m\u00b2|m?l/min|m?l/min/m2|WU|Wood|dyn.{0,20}|%|"
    r"d(ays?)?|Tage)[\])]?",
    re.IGNORECASE,
)


def are_units(cells: Iterable[str]) -> bool:
    """Tell whether a line holds units and nothing else; empty cells do not count."""
    filled = [cell for cell in cells if not is_missing(cell)]
    return bool(filled) and all(map(_UNITS.fullmatch, filled))


def is_missing(cell: str) -> bool:
    """Tell whether a cell of a number holds nothing, or a word for nothing."""
    return not cell or MISSING_PATTERN.fullmatch(cell) is not None


class Sniffed(NamedTuple):
    """A text table before its cells are read.

    Attributes:
        text: without byte mark, line of Excel's `sep=` and end mark of DOS.
        encoding: what its bytes were taken for.
        separator: what `sep=` states, empty where there is none.
    """

    text: str
    encoding: str
    separator: str


def sniff_table(content: bytes, encoding: str | None = None) -> Sniffed:
    """Decode a text table as what its bytes are, and find out what divides its cells if it says so.

    A mark tells UTF-16. What is no valid UTF-8 is Windows-1252, of whose letters Latin-1 is a part;
    a byte that no letter has there becomes U+FFFD. A minus sign of typesetters becomes the plain
    one.

    Args:
        content: the file.
        encoding: of its text, where somebody knows it.

    Raises:
        UnicodeDecodeError: the text is not in the encoding that was given.
        LookupError: there is no such encoding.
    """
    taken = encoding or _encoding(content)
    errors = "strict" if encoding else "replace"
    text = content.decode("utf-8-sig" if taken == "utf-8" else taken, errors=errors)
    separator, text = split_separator(text.replace("\u2212", "-").rstrip("\x1a"))
    return Sniffed(text, taken, separator)


def decode_text(content: bytes) -> str:
    """Return the text of a file as what its bytes are, see `sniff_table`."""
    text = content.decode(_encoding(content), errors="replace")
    return text.removeprefix("\ufeff").rstrip("\x1a")


def _encoding(content: bytes) -> str:
    if content.startswith(UTF16):
        return "utf-16"
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"
