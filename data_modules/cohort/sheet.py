"""Read a hospital's spreadsheet, CSV or Excel, as cells of text."""

import datetime
import zipfile
from pathlib import Path
from typing import Any

from data_modules.cohort.csv_cells import MOST_ROWS, Cells, frame_cells, read_cells
from lsemvae.core.errors import InputError

EXCEL = (".xlsx", ".xlsm")
MOST_CELLS = 20_000_000  # empty ones between filled ones too, which the library makes up
MOST_UNPACKED = 256 << 20  # bytes of all parts; 100,000 rows of 30 columns have some 100 MB


def read_sheet(path: Path, sheet: str | None = None, encoding: str | None = "utf-8") -> Cells:
    """Read a table with a header line.

    Args:
        path: `.xlsx` or `.xlsm`, or a CSV file of any delimiter.
        sheet: of the workbook; needed where several have cells.
        encoding: of a CSV file; None as for `read_cells`.

    Raises:
        InputError: it is missing or damaged, or nobody can tell which sheet is meant.
    """
    if path.suffix.lower() not in EXCEL:
        if sheet is not None:
            raise InputError(
                f"{path} is no Excel workbook and has no sheet {sheet!r}; leave it out"
            )
        return read_cells(path, encoding)
    if not path.is_file():
        raise InputError(f"there is no table {path}; give the path of a CSV or .xlsx file")
    try:
        from openpyxl import load_workbook
    except ImportError as error:
        raise InputError(
            f"{path} is an Excel workbook, which needs the package openpyxl: "
            "pip install -e '.[readers]', or save the sheet as CSV UTF-8"
        ) from error
    _check_archive(path)
    try:
        book = load_workbook(path, read_only=True, data_only=True)
        sheets = {one.title: one for one in book.worksheets}
        rows = {name: _rows(one) for name, one in sheets.items() if sheet in (None, name)}
        book.close()
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    except Exception as error:  # the library documents no exceptions; a bad file may raise any
        kind = type(error).__name__
        raise InputError(f"{path} is no sound Excel workbook ({kind}); save it again") from error
    filled = {name: found for name, found in rows.items() if found}
    listed = ", ".join(map(repr, sheets))
    if sheet is not None and sheet not in sheets:
        raise InputError(f"{path} has no sheet {sheet!r}, only {listed}; name one with --sheet")
    if len(filled) != 1:
        raise InputError(
            f"{len(filled)} of the sheets {listed} of {path} have rows; name the one with --sheet"
        )
    return frame_cells(next(iter(filled.values())), path, ",")


def _check_archive(path: Path) -> None:
    """Refuse a workbook that would unpack without measure; its library unpacks whole parts.

    Raises:
        InputError: the parts have more than `MOST_UNPACKED` bytes together.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(part.file_size for part in archive.infolist())
    except (zipfile.BadZipFile, NotImplementedError, ValueError):
        return  # what it is stands in the message of the library's own failure
    if unpacked > MOST_UNPACKED:
        raise InputError(
            f"{path} unpacks to {unpacked:,} bytes; at most {MOST_UNPACKED:,} are read: keep only "
            "the sheet of the patients, or save it as CSV UTF-8"
        )


def _rows(sheet: Any) -> dict[int, list[str]]:
    """Return the rows that have cells, by their number, empty columns on the right left out."""
    rows: dict[int, list[str]] = {}
    width = n_cells = 0
    for number, cells in enumerate(sheet.iter_rows(values_only=True), start=1):
        texts = [_text(cell) for cell in cells]
        if any(texts):
            width = width or max(i for i, text in enumerate(texts, start=1) if text)
            longest = max(i for i, text in enumerate(texts, start=1) if text)
            rows[number] = texts[: max(width, longest)] + [""] * (width - len(texts))
        n_cells += len(cells)
        if number > MOST_ROWS or n_cells > MOST_CELLS:
            raise InputError(
                f"the sheet {sheet.title!r} has more than {MOST_ROWS:,} rows or {MOST_CELLS:,} "
                "cells; remove what lies far right or below, or save the rows as CSV UTF-8"
            )
    return rows


def _text(cell: Any) -> str:
    """Write a cell as the reader of CSV files expects it."""
    if cell is None:
        return ""
    if isinstance(cell, datetime.datetime):
        return cell.isoformat(sep=" ") if cell.time() != datetime.time() else f"{cell.date()}"
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    return " ".join(str(cell).split())
