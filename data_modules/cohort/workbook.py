"""Read the sheets of an Excel workbook as rows of text, and what its cells do not show."""

import datetime
import re
import warnings
import zipfile
from pathlib import Path
from typing import Any, NamedTuple

from data_modules.cohort.csv_cells import MOST_ROWS
from data_modules.cohort.number_formats import changes, has_changing_format
from data_modules.cohort.sheet_marks import SheetMarks, read_marks
from data_modules.reading.kinds import kind_and_step
from lsemvae.core.errors import InputError
from lsemvae.core.extras import install_extra

MOST_CELLS = 20_000_000  # empty ones between filled ones too, which the library makes up
MOST_UNPACKED = 256 << 20  # bytes of all parts; 100,000 rows of 30 columns have some 100 MB
_STYLES, _BOOK = "xl/styles.xml", "xl/workbook.xml"
_STRICT = b"http://purl.oclc.org/ooxml/"  # names that the library does not know: no sheet, no row
_ESCAPE = re.compile(r"_x([0-9A-Fa-f]{4})_")
_OLE = b"\xd0\xcf\x11\xe0"


class Looks(NamedTuple):
    """What the styles of a workbook hold, so that each cell must be looked at."""

    strike: bool
    formats: bool


class Sheet(NamedTuple):
    """One sheet of a workbook.

    Attributes:
        rows: those that have cells, as text by their number, empty columns on the right left out.
        hidden: whether the workbook does not show it.
        struck: numbers of the rows whose first cell is struck through.
        marks: what is merged, hidden or lacks a value in it.
        formatted: formats that show a number otherwise than it is stored, by row and column.
        first_day: from which the workbook counts the days of dates.
    """

    rows: dict[int, list[str]]
    hidden: bool
    struck: list[int]
    marks: SheetMarks
    formatted: dict[tuple[int, int], str]
    first_day: datetime.date


def read_workbook(path: Path, only: str | None = None) -> dict[str, Sheet | None]:
    """Read the sheets of a workbook, or the one that is named; the others are None.

    Raises:
        InputError: it is damaged, of another kind, or too large.
    """
    try:
        from openpyxl.reader.excel import ExcelReader
    except ImportError as error:
        raise InputError(
            f"{path} is an Excel workbook, which needs the package openpyxl: "
            f"{install_extra('readers')}, or save the sheet as CSV UTF-8"
        ) from error
    _check_archive(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of styles and lists of choices, which nobody reads
            reader = ExcelReader(path, read_only=True, data_only=True)
            reader.read()
        parts = {sheet.name: relation.target for sheet, relation in reader.parser.find_sheets()}
        styles = reader.archive.read(_STYLES) if _STYLES in reader.valid_files else b""
        looks = Looks(b"strike" in styles, has_changing_format(styles))
        sheets: dict[str, Sheet | None] = {one.title: None for one in reader.wb.worksheets}
        for one in reader.wb.worksheets:
            if only in (None, one.title):
                rows, struck, formatted = _rows(one, looks)
                marks = read_marks(reader.archive.read(parts[one.title]))
                sheets[one.title] = Sheet(
                    rows, one.sheet_state != "visible", struck, marks, formatted,
                    reader.wb.epoch.date(),
                )  # fmt: skip
        reader.wb.close()
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    except Exception as error:  # the library documents no exceptions; a bad file may raise any
        kind = type(error).__name__
        raise InputError(f"{path} is no sound Excel workbook ({kind}); save it again") from error
    return sheets


def _check_archive(path: Path) -> None:
    """Refuse what is no zip, and a workbook that would unpack without measure.

    Raises:
        InputError: another kind of file, or parts of more than `MOST_UNPACKED` bytes together.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(part.file_size for part in archive.infolist())
            small = unpacked <= MOST_UNPACKED and _BOOK in archive.namelist()
            strict = small and _STRICT in archive.read(_BOOK)
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        with path.open("rb") as file:
            found = _lock_of(path) or _what_it_is(file.read(1 << 14))
        raise InputError(f"{path} is no Excel workbook; {found}") from error
    if strict:
        raise InputError(
            f"{path} is saved as a Strict Open XML workbook; save it as the plain `Excel Workbook "
            "(.xlsx)`, or the sheet as CSV UTF-8"
        )
    if unpacked > MOST_UNPACKED:
        raise InputError(
            f"{path} unpacks to {unpacked:,} bytes; at most {MOST_UNPACKED:,} are read: keep only "
            "the sheet of the patients, or save it as CSV UTF-8"
        )


def _lock_of(path: Path) -> str:
    """Say whose mark a file is that Excel keeps beside a workbook while it is open."""
    if not path.name.startswith("~$"):
        return ""
    return f"it marks {path.name[2:]} as open in Excel: name that one, saved and closed"


def _what_it_is(start: bytes) -> str:
    """Say what a file is that is named as a workbook, and the next step."""
    if start.startswith(_OLE):
        return "it is an old one (.xls), or has a password: save it as .xlsx without a password"
    found = kind_and_step(start)
    if found is not None and not start.startswith(b"PK"):
        return f"it is {found[0]}: open it in a spreadsheet and save it as .xlsx"
    if b"\0" not in start and start.strip():
        return "it is text: name it .csv"
    return "it is damaged: copy it again, or save it again as .xlsx"


def _rows(
    sheet: Any, looks: Looks
) -> tuple[dict[int, list[str]], list[int], dict[tuple[int, int], str]]:
    """Return the rows that have cells by their number, rows struck out, and telling formats.

    Raises:
        InputError: it is too large.
    """
    rows: dict[int, list[str]] = {}
    struck_rows = []
    formatted: dict[tuple[int, int], str] = {}
    width = n_cells = 0
    sheet.reset_dimensions()  # programs state wrong ones, and what lies beyond would be left out
    for number, cells in enumerate(sheet.iter_rows(values_only=not any(looks)), start=1):
        texts = [_text(cell.value if any(looks) else cell) for cell in cells]
        if any(texts):
            longest = max(i for i, text in enumerate(texts, start=1) if text)
            width = width or longest
            rows[number] = texts[: max(width, longest)] + [""] * (width - len(texts))
            if looks.strike and next(c for c in cells if c.value is not None).font.strike:
                struck_rows.append(number)
            if looks.formats:
                formatted |= {
                    (number, column): cell.number_format
                    for column, cell in enumerate(cells)
                    if isinstance(cell.value, int | float) and changes(cell.number_format)
                }
        n_cells += len(cells)
        if number > MOST_ROWS or n_cells > MOST_CELLS:
            raise InputError(
                f"the sheet {sheet.title!r} has more than {MOST_ROWS:,} rows or {MOST_CELLS:,} "
                "cells; remove what lies far right or below, or save the rows as CSV UTF-8"
            )
    return rows, struck_rows, formatted


def _text(cell: Any) -> str:
    """Write a cell as the reader of CSV files expects it."""
    if cell is None:
        return ""
    if isinstance(cell, datetime.datetime):
        return cell.isoformat(sep=" ") if cell.time() != datetime.time() else f"{cell.date()}"
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    text = str(cell)
    return " ".join((_ESCAPE.sub(_sign_of, text) if "_x" in text else text).split())


def _sign_of(escape: re.Match[str]) -> str:
    """Return the sign that a workbook writes as `_x000D_`, which the library leaves as it is."""
    code = int(escape[1], 16)
    return escape[0] if 0xD800 <= code < 0xE000 else chr(code)  # half a sign is none
