"""Read delimited text files as cells of text, whatever spreadsheet wrote them."""

import csv
import datetime
import io
import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from data_modules.cohort.other_tables import refuse_drawn, refuse_other_kinds
from data_modules.cohort.table_top import (
    cut_empty_ends,
    drop_row_names,
    plain_texts,
    refuse_lost_letters,
    refuse_text_above,
    refuse_two_headers,
    refuse_units,
)
from data_modules.cohort.written_dates import FIRST_DAY
from data_modules.reading.text_cells import UTF16, Sniffed, sniff_table
from lsemvae.core.counted import counted
from lsemvae.core.errors import InputError
from lsemvae.core.instead import found_instead

DELIMITERS = ",;\t"
MOST_BYTES = 128 << 20  # of a table: a million recordings with 130 signs each
MOST_COLUMNS = 10_000
MOST_ROWS = 1_000_000


class Cells(NamedTuple):
    """The cells of a file as far as they can be read.

    Attributes:
        table: text, blanks around it removed; the spreadsheet's row numbers as index. Rows of the
            wrong length and repeated columns are left out.
        problems: one line for each thing that was left out.
        delimiter: between the cells.
        notes: one line for each thing that was left out on purpose.
        first_day: from which a workbook counts the days of dates.
    """

    table: pd.DataFrame
    problems: list[str]
    delimiter: str
    notes: list[str]
    first_day: datetime.date = FIRST_DAY


def read_cells(path: str | Path, encoding: str | None = None) -> Cells:
    """Read a CSV file with a header line.

    Args:
        path: of the file.
        encoding: of its text, where somebody knows it; else UTF-8, UTF-16 by its mark, or
            Windows-1252, with a note.

    Raises:
        InputError: missing file, another encoding, an unclear delimiter, or no rows.
    """
    path = Path(path)
    if not path.is_file():
        instead = found_instead(path, ".csv", ".xlsx")
        raise InputError(f"there is no table {path}{instead}; give the path of a CSV file")
    found = _sniff(path, encoding)
    text, stated = found.text, found.separator
    refuse_drawn(text, path)
    delimiter = stated if stated in tuple(DELIMITERS) else _delimiter(text, path)
    rows = csv.reader(
        io.StringIO(text, newline=""), delimiter=delimiter, quotechar=_quote(text), strict=True
    )
    try:
        filled = _filled(rows, path)
    except csv.Error as error:
        raise InputError(
            f"{path} is not a CSV file: line {rows.line_num}: {error}; look for a cell that begins "
            "with a quote and lacks the other, or for a quote within a cell, which is written twice"
        ) from error
    cells = frame_cells(filled, path, delimiter)
    return cells if encoding else cells._replace(notes=[*_encoding_notes(found), *cells.notes])


def _quote(text: str) -> str:
    """Return the sign around the cells: a single quote where every name of a column has it."""
    header = re.split(r"\r\n?|\n", text.lstrip(), maxsplit=1)[0].strip()
    return "'" if re.fullmatch(r"'[^'\"]*'(?:[,;\t]'[^'\"]*')+", header) else '"'


def _filled(rows: Iterable[list[str]], path: Path) -> dict[int, list[str]]:
    """Return the rows that have cells, blanks around them removed, by their number.

    Raises:
        InputError: there are too many.
    """
    filled: dict[int, list[str]] = {}
    for number, row in enumerate(rows, start=1):
        cells = [cell.strip() for cell in row]
        if any(cells):
            filled[number] = cells
        if number > 2 * MOST_ROWS or len(filled) > MOST_ROWS:
            raise InputError(
                f"{path} has more than {MOST_ROWS:,} rows; look whether it is one row for each "
                "recording, or divide it"
            )
    return filled


def frame_cells(filled: dict[int, list[str]], path: str | Path, delimiter: str) -> Cells:
    """Return the cells of the rows that have any; the first of them is the header.

    Args:
        filled: rows of text by their number in the spreadsheet.
        path: of the file, for messages.
        delimiter: between its cells.

    Raises:
        InputError: there are no rows.
    """
    widest = max(map(len, filled.values()), default=0)
    if widest > MOST_COLUMNS:
        raise InputError(
            f"{path} has a row of {counted(widest, 'cell')}; at most {MOST_COLUMNS:,} columns are "
            "read: look whether a line break is missing"
        )
    if len(filled) < 2:
        raise InputError(f"{path} has no rows; expected a header line and one line per recording")
    cut_empty_ends(filled, path)
    notes = drop_row_names(filled) + plain_texts(filled)
    refuse_lost_letters(filled, path)
    refuse_text_above(filled, path)
    refuse_two_headers(filled, path)
    refuse_units(filled, path)
    table, problems = _frame(filled)
    return Cells(table, problems, delimiter, notes)


def _sniff(path: Path, encoding: str | None) -> Sniffed:
    size = path.stat().st_size
    if size > MOST_BYTES:
        raise InputError(
            f"{path} has {size:,} bytes; a table of at most {MOST_BYTES:,} is read: leave out the "
            "columns that nobody needs"
        )
    raw = path.read_bytes()
    refuse_other_kinds(raw, path)
    try:
        found = sniff_table(raw, encoding)
    except LookupError as error:
        raise InputError(f"there is no encoding {encoding!r}; such as windows-1252") from error
    except UnicodeDecodeError as error:
        told, likely = encoding or "", "utf-16" if raw.startswith(UTF16) else "windows-1252"
        raise InputError(
            f"{path} is not {told.upper()} text (byte {error.start}); say what it is with "
            f"--encoding, such as --encoding {likely}, or save it as `CSV UTF-8`"
        ) from error
    if "\0" in found.text:
        raise InputError(
            f"{path} holds binary data, or UTF-16 without its mark; save the table as `CSV UTF-8`"
        )
    if "\ufffd" in found.text and encoding is None:
        raise InputError(_lost_letters(path, found))
    return found


def _lost_letters(path: Path, found: Sniffed) -> str:
    """Say why a text holds the sign that stands for a letter which could not be read."""
    if found.encoding == "cp1252":
        return (
            f"{path} is not UTF-8 text, and some of its bytes are no letters of Windows-1252; save "
            "it as `CSV UTF-8`"
        )
    line = found.text.count("\n", 0, found.text.index("\ufffd")) + 1
    return (
        f"{path}: line {line} holds U+FFFD, the sign for a letter that an earlier program could "
        "not read and replaced; write the letter again, or export the table again as `CSV UTF-8`"
    )


def _encoding_notes(found: Sniffed) -> list[str]:
    """Say which encoding was taken where the file is not UTF-8, with the letters that it gave."""
    if found.encoding == "utf-8":
        return []
    name = {"cp1252": "Windows-1252", "utf-16": "UTF-16"}[found.encoding]
    signs = "".join(sorted({sign for sign in found.text if sign > "\x7f"}))[:20]
    shown = f" (with {' '.join(signs)})" if signs else ""
    return [
        f"the file is not UTF-8; it was read as {name}{shown}; if that is wrong, save it as "
        "`CSV UTF-8`"
    ]


def _delimiter(text: str, path: Path) -> str:
    """Return what stands most often in the header line, outside quotes."""
    header = re.sub(r'"[^"]*"', "", re.split(r"\r\n?|\n", text.lstrip(), maxsplit=1)[0])
    counts = {delimiter: header.count(delimiter) for delimiter in DELIMITERS}
    best = max(counts, key=lambda delimiter: counts[delimiter])
    if counts[best] and list(counts.values()).count(counts[best]) > 1:
        raise InputError(
            f"{path} mixes delimiters in its header line {header.strip()[:80]!r}; separate the "
            "columns by commas, semicolons or tabs alone"
        )
    return best


def _frame(rows: dict[int, list[str]]) -> tuple[pd.DataFrame, list[str]]:
    header = rows.pop(min(rows))
    repeated = sorted({name for name in header if name and header.count(name) > 1})
    problems = [f"the column {name!r} occurs more than once" for name in repeated]
    for number, row in rows.items():
        if len(row) != len(header):
            text = f"row {number}: it has {counted(len(row), 'cell')}, the header has {len(header)}"
            problems.append(text + _only_text(row))
        elif row == header:
            problems.append(f"row {number}: it holds the names of the columns again; remove it")
    sound = {
        number: row for number, row in rows.items() if len(row) == len(header) and row != header
    }
    table = pd.DataFrame(list(sound.values()), index=list(sound), columns=header, dtype=str)
    for position, name in enumerate(header):
        if not name and any(row[position] for row in sound.values()):
            problems.append(f"column {position + 1} has cells but no name")
    return table.loc[:, ~(table.columns.duplicated() | (table.columns == ""))], problems


def _only_text(row: list[str]) -> str:
    """Show the one cell of a row that is a remark; empty for others."""
    filled = [cell for cell in row if cell]
    remark = len(filled) == 1 and re.match(r"[#*]|.*\s", filled[0])
    return f" ({filled[0][:40]!r}; remove a remark)" if remark else ""


def decimal_commas(cells: pd.Series) -> "pd.Series[bool]":
    """Say which cells of a column hold a number with a decimal comma; none where it is unclear.

    A column is unclear that also holds decimal points, or whose numbers all have three digits
    after the comma, as commas between thousands have.
    """
    commas = cells.str.fullmatch(r"[-+]?[0-9]+,[0-9]+")
    thousands = cells[commas].str.fullmatch(r"[-+]?[1-9]\d{0,2},\d{3}")
    points = cells.str.contains(".", regex=False)
    return commas & (not points.any()) & (not thousands.all())


def thousands_points(cells: pd.Series) -> "pd.Series[bool]":
    """Say which cells hold a point that may stand between thousands, as in 1.234; none if clear.

    A column is clear that holds a decimal point with fewer or more than three digits after it.
    """
    points = cells.str.fullmatch(r"[-+]?[0-9]*\.[0-9]+")
    thousands = cells.str.fullmatch(r"[-+]?[1-9]\d{0,2}(?:\.\d{3})+")
    return thousands & (not (points & ~thousands).any())
