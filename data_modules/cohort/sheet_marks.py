"""Find what a workbook's sheet holds beside its values: merged cells, hidden rows, lost values."""

import re
from typing import NamedTuple

_PREFIX = rb"(?:\w+:)?"  # some programs write <x:row>
_MERGED = re.compile(rb"<%bmergeCell\b[^>]*\bref=\"([A-Z]{1,3}\d+:[A-Z]{1,3}(\d+))\"" % _PREFIX)
_ROW = re.compile(rb"<%brow\b[^>]*>" % _PREFIX)
_HIDDEN = re.compile(rb"\bhidden=\"(?:1|true)\"")
_NUMBER = re.compile(rb"\br=\"(\d+)\"")
# a formula and no result behind it; an empty text is a result, and states its type
_UNVALUED = re.compile(
    rb"<%bc\b(?![^>]*\bt=\"str\")[^>]*\br=\"([A-Z]{1,3})(\d+)\"[^>]*>\s*"
    rb"<%bf\b(?:[^>]*/>|[^>]*>[^<]*</%bf>)\s*(?:<%bv\s*/>|<%bv>\s*</%bv>)?\s*</%bc>"
    % ((_PREFIX,) * 7)
)


class SheetMarks(NamedTuple):
    """What the rows of a sheet as text do not show.

    Attributes:
        merged: ranges that are one cell, such as `B2:B4`, with their last row.
        hidden_rows: numbers of the rows that a filter or the user hides.
        unvalued: cells such as `C4` whose formula was never computed, with their row.
    """

    merged: list[tuple[str, int]]
    hidden_rows: list[int]
    unvalued: list[tuple[str, int]]


def read_marks(part: bytes) -> SheetMarks:
    """Read the marks of a sheet from its part of the workbook, which is XML."""
    merged = [(cells.decode(), int(row)) for cells, row in _MERGED.findall(part)]
    rows = (found[0] for found in _ROW.finditer(part) if _HIDDEN.search(found[0]))
    numbers = (_NUMBER.search(row) for row in rows)
    hidden = [int(found[1]) for found in numbers if found]
    cells = _UNVALUED.findall(part)
    unvalued = [(f"{column.decode()}{row.decode()}", int(row)) for column, row in cells]
    return SheetMarks(merged, hidden, unvalued)
