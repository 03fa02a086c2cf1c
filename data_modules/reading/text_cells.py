"""Share encodings, words, lines and marks between text tables of cohorts and of signals."""

import codecs
import re
from typing import NamedTuple

MISSING = ("NA", "N/A", "n.a.", "#N/A", "#NV", "#N/D", "NaN", "NULL", "None", "k.A.", "missing",
           "unknown", ".", "-", "--", "?", "#VALUE!", "#WERT!", "#DIV/0!", "#REF!", "#BEZUG!",
           "#NUM!", "#ZAHL!", "#NAME?", "#NULL!", "-nan", "1.#QNAN", "-1.#QNAN", "1.#IND",
           "-1.#IND")  # fmt: skip
"""What R, Excel (with its failed formulas), SAS, C and hand-kept tables write for a missing value.

Case is ignored.
"""

UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
"""Marks of a text in UTF-16."""

MISSING_PATTERN = re.compile("|".join(map(re.escape, MISSING)), re.IGNORECASE)
_SEPARATOR = re.compile(r"\ufeff?\"?sep=(.)\"?[ ,;\t]*(\r\n?|\n)", re.IGNORECASE)


def split_separator(text: str) -> tuple[str, str]:
    """Return what Excel's line `sep=;` states, empty where there is none, and the text after it."""
    found = _SEPARATOR.match(text)
    return (found[1], text[found.end() :]) if found else ("", text)


def is_missing(cell: str) -> bool:
    """Tell whether a cell of a number holds nothing, or a word for nothing."""
    return not cell or MISSING_PATTERN.fullmatch(cell) is not None


class Decoded(NamedTuple):
    """A text, and the encoding that its bytes were taken for."""

    text: str
    encoding: str


def decode_text(content: bytes) -> Decoded:
    """Decode a text file as what its bytes are.

    A mark tells UTF-16. What is no valid UTF-8 is Windows-1252, of whose letters Latin-1 is a part.
    A minus sign of typesetters becomes the plain one, and the end mark of DOS is left out.
    """
    encoding = _encoding(content)
    text = content.decode(encoding, errors="replace")
    return Decoded(text.replace("\u2212", "-").rstrip("\x1a"), encoding)


def _encoding(content: bytes) -> str:
    if content.startswith(UTF16):
        return "utf-16"
    try:
        content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8-sig"
