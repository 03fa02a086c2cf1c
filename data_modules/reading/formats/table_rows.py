"""Check that every line of numbers of a text table has a cell for each column."""

import csv
import re

from data_modules.reading.formats.table_start import TableStart, split_cells
from data_modules.reading.reasons import RecordError
from lsemvae.core.counted import counted

Rows = dict[int, str]
"""Lines of numbers by their number in an editor."""


def rows_of_numbers(
    lines: list[str], start: TableStart, shift: int, *, record: str
) -> tuple[Rows, TableStart]:
    """Return the lines of numbers, each with a cell per column, and the columns' names.

    A column of row numbers that the line of names leaves out, as R writes it, gets an empty name.

    Args:
        lines: all lines of the text.
        start: where the numbers begin.
        shift: lines of the file above the text.
        record: the record as the user names it.

    Raises:
        RecordError: `size_mismatch` or `file_invalid`, with the line.
    """
    rows = dict(enumerate(lines[start.first :], start=start.first + 1 + shift))
    if len(start.names) > 1:  # a column alone may miss a sample
        rows = {number: row for number, row in rows.items() if row.strip(" ")}
    if not rows:
        problem = "it has no line of numbers; export the samples, one line for each"
        raise RecordError("size_mismatch", record=record, problem=problem)
    first = next(iter(rows))
    if re.search(rf"(?:^|{re.escape(start.delimiter)})\s*'[^']*'", rows[first]):
        rows = {number: row.replace("'", '"') for number, row in rows.items()}
    n_cells = _count_cells(rows, start.delimiter, record=record)
    if set(n_cells.values()) == {len(start.names) + 1} and _are_counted(rows, start.delimiter):
        return rows, start._replace(names=("", *start.names))
    surplus = n_cells[first] == len(start.names) + 1
    trailing = surplus and rows[first].rstrip(" ").endswith(start.delimiter)
    _check_cells(n_cells, len(start.names), trailing=trailing, record=record)
    return rows, start


def _count_cells(rows: Rows, delimiter: str, *, record: str) -> dict[int, int]:
    """Count the cells of each line; delimiters within quotes part none."""
    if not any('"' in row for row in rows.values()):
        if delimiter == " ":
            return {number: len(row.split()) for number, row in rows.items()}
        return {number: row.count(delimiter) + 1 for number, row in rows.items()}
    try:
        texts = [row.strip(" ") for row in rows.values()]
        found = list(csv.reader(texts, delimiter=delimiter, skipinitialspace=True, strict=True))
    except csv.Error:
        found = []
    if len(found) != len(rows):
        problem = f"a quote in or behind line {next(iter(rows))} is not closed; export it again"
        raise RecordError("file_invalid", record=record, problem=problem)
    return {number: len(cells) for number, cells in zip(rows, found, strict=True)}


def _are_counted(rows: Rows, delimiter: str) -> bool:
    """Tell whether the first cells of the lines are 1, 2, 3 and so on, or 0, 1, 2."""
    cells = [split_cells(row, delimiter)[0] for row in rows.values()]
    return any(cells == [str(i + first) for i in range(len(cells))] for first in (0, 1))


def _check_cells(n_cells: dict[int, int], n_columns: int, *, trailing: bool, record: str) -> None:
    """Refuse the first line with another number of cells than columns."""
    first = next(iter(n_cells))
    for number, n in n_cells.items():
        if n == n_columns + trailing:
            continue
        hint = (
            "the leads seem to stand in lines: transpose the table"
            if len(n_cells) == n_columns
            else "name every column, also one that is no lead"
            if number == first
            else "remove the line if it is a remark, else export the table again"
        )
        problem = (
            f"line {number} has {counted(n, 'cell')} for {counted(n_columns, 'column')}; {hint}"
        )
        code = "size_mismatch" if number == first else "file_invalid"
        raise RecordError(code, record=record, problem=problem)
