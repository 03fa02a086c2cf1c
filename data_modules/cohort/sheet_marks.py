"""Find what a workbook's sheet holds beside its values: merged cells, hidden rows, lost values."""

import re
from typing import NamedTuple

# Every pattern is bounded, so that no part costs more than its length.
_PREFIX = rb"(?:\w{1,20}:)?"  # some programs write <x:row>
_MERGED = re.compile(
    rb"<%bmergeCell\b[^<>]{0,400}\bref=\"([A-Z]{1,3}\d+:[A-Z]{1,3}(\d+))\"" % _PREFIX
)
_ROW = re.compile(rb"<%brow\b[^<>]{0,400}>" % _PREFIX)
_COLUMNS = re.compile(rb"<%bcol\b[^<>]{0,400}>" % _PREFIX)
_HIDDEN = re.compile(rb"\bhidden=\"(?:1|true)\"")
_NO_WIDTH = re.compile(rb"\bwidth=\"0(?:\.0{1,20})?\"")
_SPAN = (re.compile(rb"\bmin=\"(\d{1,5})\""), re.compile(rb"\bmax=\"(\d{1,5})\""))
_FORMULA = re.compile(rb"<%bf\b" % _PREFIX)
_NUMBER = re.compile(rb"\br=\"(\d+)\"")
# a formula and no result behind it; an empty text is a result, and states its type
_UNVALUED = re.compile(
    rb"<%bc\b(?![^<>]{0,400}\bt=\"str\")[^<>]{0,400}\br=\"([A-Z]{1,3})(\d+)\"[^<>]{0,400}>\s{0,20}"
    rb"<%bf\b(?:[^<>]{0,400}/>|[^<>]{0,400}>[^<]*</%bf>)"
    rb"\s{0,20}(?:<%bv\s{0,20}/>|<%bv>\s{0,20}</%bv>)?\s{0,20}</%bc>" % ((_PREFIX,) * 7)
)


class SheetMarks(NamedTuple):
    """What the rows of a sheet as text do not show.

    Attributes:
        merged: ranges that are one cell, such as `B2:B4`, with their last row.
        hidden_rows: numbers of the rows that a filter or the user hides.
        hidden_columns: first and last number, from 1, of columns that are hidden or have no width.
        unvalued: cells such as `C4` whose formula was never computed, with their row.
    """

    merged: list[tuple[str, int]]
    hidden_rows: list[int]
    hidden_columns: list[tuple[int, int]]
    unvalued: list[tuple[str, int]]


def read_marks(part: bytes) -> SheetMarks:
    """Read the marks of a sheet from its part of the workbook, which is XML."""
    merged = [(cells.decode(), int(row)) for cells, row in _MERGED.findall(part)]
    rows = (found[0] for found in _ROW.finditer(part) if _HIDDEN.search(found[0]))
    numbers = (_NUMBER.search(row) for row in rows)
    hidden = [int(found[1]) for found in numbers if found]
    columns = (found[0] for found in _COLUMNS.finditer(part)
               if _HIDDEN.search(found[0]) or _NO_WIDTH.search(found[0]))  # fmt: skip
    spans = ([end.search(column) for end in _SPAN] for column in columns)
    hidden_columns = [(int(low[1]), int(high[1])) for low, high in spans if low and high]
    cells = _UNVALUED.findall(part) if _FORMULA.search(part) else []
    unvalued = [(f"{column.decode()}{row.decode()}", int(row)) for column, row in cells]
    return SheetMarks(merged, hidden, hidden_columns, unvalued)
