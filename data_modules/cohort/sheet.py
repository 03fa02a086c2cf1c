"""Read a hospital's spreadsheet, CSV or Excel, as cells of text."""

from pathlib import Path

from data_modules.cohort.csv_cells import Cells, frame_cells, read_cells
from data_modules.cohort.number_formats import tell_formats
from data_modules.cohort.workbook import Sheet, read_workbook
from lsemvae.core.counted import counted
from lsemvae.core.errors import InputError
from lsemvae.core.instead import found_instead

EXCEL = (".xlsx", ".xlsm")
NO_DELIMITER = ""  # cells of a workbook are apart, so that a comma in one is no doubt
_MOST_NAMED = 5


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
        instead = found_instead(path, *EXCEL)
        raise InputError(f"there is no table {path}{instead}; give the path of a CSV or .xlsx file")
    sheets = read_workbook(path, sheet)
    filled = {name: one for name, one in sheets.items() if one is not None and one.rows}
    listed = ", ".join(map(repr, sheets))
    if sheet is not None and sheet not in sheets:
        raise InputError(f"{path} has no sheet {sheet!r}, only {listed}; name one with --sheet")
    if len(filled) != 1:
        raise InputError(
            f"{len(filled)} of the sheets {listed} of {path} have rows; name the one with --sheet"
        )
    name, found = next(iter(filled.items()))
    header = min(found.rows)
    # both before the header is taken from the rows below
    marked, shown = _notes(name, found), tell_formats(found.formatted, found.rows)
    cells = frame_cells(found.rows, path, NO_DELIMITER)
    problems = [*_problems(found, header), *cells.problems]
    notes = [*marked, *shown, *cells.notes]
    return cells._replace(problems=problems, notes=notes, first_day=found.first_day)


def _problems(sheet: Sheet, header: int) -> list[str]:
    """Name the cells below the names of the columns whose value the file does not hold."""
    merged = [cells for cells, last in sheet.marks.merged if last > header]
    unvalued = [cell for cell, row in sheet.marks.unvalued if row > header]
    found = []
    if merged:
        found.append(
            f"merged cells, of which only the first holds a value: {_named(merged)}; unmerge them, "
            "and fill each row"
        )
    if unvalued:
        found.append(
            f"formulas that were never computed: {_named(unvalued)}; open the workbook in a "
            "spreadsheet program, look at the values, and save it there"
        )
    return found


def _notes(name: str, sheet: Sheet) -> list[str]:
    """Say what is read although it is not shown, or struck through."""
    notes = [f"the sheet {name!r} is hidden in the workbook; it was read"] if sheet.hidden else []
    names = sheet.rows[min(sheet.rows)]
    columns = [name for low, high in sheet.marks.hidden_columns
               for name in names[low - 1 : high] if name]  # fmt: skip
    if columns:
        notes.append(
            f"{counted(len(columns), 'column is', 'columns are')} hidden in the workbook "
            f"({_named(columns)}) but read as all others; remove what shall not count"
        )
    for rows, state in ((sheet.marks.hidden_rows, "hidden"), (sheet.struck, "struck through")):
        read = [str(row) for row in rows if row in sheet.rows]
        if read:
            notes.append(
                f"{counted(len(read), 'row is', 'rows are')} {state} in the workbook (row "
                f"{_named(read)}) but read as all others; remove what shall not count"
            )
    return notes


def _named(found: list[str]) -> str:
    more = len(found) - _MOST_NAMED
    return ", ".join(found[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
