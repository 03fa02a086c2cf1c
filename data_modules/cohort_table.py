"""Read cohort tables and report everything that is wrong with them at once."""

import csv
import io
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from lsemvae.errors import InputError

REQUIRED = ("record", "patient_id")
# Ranges that a living patient can reach; outside is a typing error or another unit.
NUMBER_RANGES = {
    "mpap_mmhg": (0.0, 150.0),
    "pawp_mmhg": (0.0, 80.0),
    "spap_mmhg": (0.0, 250.0),
    "dpap_mmhg": (0.0, 150.0),
    "age_years": (0.0, 120.0),
    "bsa_m2": (0.1, 4.0),
    "heart_rate_bpm": (10.0, 400.0),
}
DATES = ("ecg_date", "rhc_date")
# (smaller, larger): a wedge above the mean pressure, say, is possible only by measurement error.
ORDERED = (
    ("pawp_mmhg", "mpap_mmhg"),
    ("dpap_mmhg", "mpap_mmhg"),
    ("mpap_mmhg", "spap_mmhg"),
)
RESERVED = ("signal_sha256",)
MAX_LISTED = 20

_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_CODE = r"[-+]?0\d.*|.*\d{16,}.*"  # "007" and 16 digits are identifiers, no quantities


class CohortTable(NamedTuple):
    """A checked table.

    Attributes:
        table: one row for each record: `record` and `patient_id` (text) first, known quantities
            as float64 (NaN where empty), other columns as numbers where every cell is one.
        warnings: what is implausible but was kept, one line each.
    """

    table: pd.DataFrame
    warnings: list[str]


def read_cohort_table(
    path: str | Path, columns: Mapping[str, str] | None = None, *, text: Sequence[str] = ()
) -> CohortTable:
    """Read a CSV file with one row for each recording.

    Args:
        path: UTF-8 text, separated by commas, semicolons or tabs, with a header line.
        columns: for each of our column names, the file's name for it, where they differ. One
            column of the file may serve two names; a mapped name wins over a column of that name.
        text: further columns to keep as text, such as identifiers.

    Raises:
        InputError: the file cannot be read, or the list of everything that is wrong in it.
    """
    table, problems = inspect_cohort_table(path, columns, text=text)
    _raise_all(problems, path=path)
    return CohortTable(table.reset_index(drop=True), _implausible(table))


def inspect_cohort_table(
    path: str | Path, columns: Mapping[str, str] | None = None, *, text: Sequence[str] = ()
) -> tuple[pd.DataFrame, list[str]]:
    """Read a table as far as it can be read.

    Args:
        path: as for `read_cohort_table`.
        columns: as for `read_cohort_table`.
        text: as for `read_cohort_table`.

    Returns:
        The table as `read_cohort_table` returns it, but with the spreadsheet's row numbers as
        index and NaN where a known quantity is no number; and one line for each problem.

    Raises:
        InputError: the file cannot be read, or lacks a column that is needed.
    """
    cells = read_cells(path)
    table = _rename(cells, dict(columns or {}), path=path)
    problems = _check_identity(table)
    for name, limits in NUMBER_RANGES.items():
        if name in table:
            problems += _check_numbers(table[name], limits)
    for name in DATES:
        if name in table:
            problems += _check_dates(table[name])
    for name in table.columns.difference([*REQUIRED, "sex", *DATES, *text]):
        table[name] = _as_numbers(table[name], known=name in NUMBER_RANGES)
    return table, problems


def read_cells(path: str | Path) -> pd.DataFrame:
    """Read a delimited text file as text cells, blanks around them removed.

    Returns:
        One row for each filled row of the file, with the spreadsheet's row number as index.

    Raises:
        InputError: missing file, wrong encoding, unknown delimiter, ragged or repeated columns.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"there is no table {path}; give the path of a CSV file")
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path} is not UTF-8 text (byte {error.start}); save it as `CSV UTF-8`"
        ) from error
    if "\0" in text:
        raise InputError(f"{path} holds binary data; save the table as `CSV UTF-8`")
    header_line = text.lstrip().partition("\n")[0]
    delimiter = max(",;\t", key=header_line.count)
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise InputError(f"{path} is not a CSV file: {error}") from error
    stripped = {number: [cell.strip() for cell in row] for number, row in enumerate(rows, start=1)}
    filled = {number: row for number, row in stripped.items() if any(row)}
    if len(filled) < 2:
        raise InputError(f"{path} has no rows; expected a header line and one line per recording")
    return _frame(filled, path=path)


def _frame(rows: dict[int, list[str]], *, path: Path) -> pd.DataFrame:
    header = rows.pop(min(rows))
    repeated = sorted({name for name in header if header.count(name) > 1})
    problems = [f"the column {name!r} occurs more than once" for name in repeated]
    problems += [
        f"row {number} has {len(row)} cells, the header has {len(header)}"
        for number, row in rows.items()
        if len(row) != len(header)
    ]
    _raise_all(problems, path=path)
    return pd.DataFrame(list(rows.values()), index=list(rows), columns=header, dtype=str)


def _rename(cells: pd.DataFrame, columns: dict[str, str], *, path: str | Path) -> pd.DataFrame:
    """Bring the columns under our names, `record` and `patient_id` first."""
    mapped = set(columns.values()) - set(REQUIRED)
    source = {name: name for name in cells if name not in mapped} | columns
    lacking = [name for name in REQUIRED if name not in source]
    lacking += [f"{name} (as {old!r})" for name, old in columns.items() if old not in cells]
    if lacking:
        found = ", ".join(map(str, cells.columns))
        raise InputError(
            f"{path} lacks the columns {', '.join(lacking)}; it has {found[:600]}; name the "
            "file's own with columns, e.g. --columns.record=FILE_NAME"
        )
    taken = [name for name in RESERVED if name in source]
    if taken:
        raise InputError(f"{path} has a column {taken[0]}, a name that the store uses; rename it")
    order = [*REQUIRED, *(name for name in source if name not in REQUIRED)]
    return pd.DataFrame({name: cells[source[name]] for name in order})


def _check_identity(table: pd.DataFrame) -> list[str]:
    """Check record names and patient ids."""
    problems = []
    for name in REQUIRED:
        problems += [_at(i, f"{name} is empty") for i in table.index[table[name] == ""]]
        # a spreadsheet runs such a cell as a formula when it opens one of our reports
        formula = table[name].str.match(r"[=+@-]") | ~table[name].map(str.isprintable)
        problems += [
            _at(i, f"{name} {table[name][i]!r} starts with a formula sign or is unprintable")
            for i in table.index[formula]
        ]
    parts = table["record"].str.replace("\\", "/")
    outside = parts.str.match(r"/|[A-Za-z]:|\w+://") | parts.str.split("/").map(
        lambda names: ".." in names
    )
    problems += [
        _at(i, f"record {table['record'][i]!r} leaves the source folder; give a path below it")
        for i in table.index[outside]
    ]
    repeated = table["record"].duplicated() & (table["record"] != "")
    problems += [
        _at(i, f"record {table['record'][i]!r} occurs a second time") for i in table.index[repeated]
    ]
    return problems


def _check_numbers(cells: pd.Series, limits: tuple[float, float]) -> list[str]:
    """Check that the cells of a known quantity are numbers in range."""
    problems = []
    low, high = limits
    for i, cell in cells[cells != ""].items():
        if not re.fullmatch(_NUMBER, cell):
            hint = "; write a decimal point" if "," in cell else ""
            problems.append(_at(i, f"{cells.name} is {cell!r}, not a number{hint}"))
        elif not low <= float(cell) <= high:
            problems.append(_at(i, f"{cells.name} is {cell}; expected {low:g} to {high:g}"))
    return problems


def _check_dates(cells: pd.Series) -> list[str]:
    filled = cells[cells != ""]
    parsed = pd.to_datetime(filled, format="ISO8601", errors="coerce")
    return [
        _at(i, f"{cells.name} is {filled[i]!r}; expected YYYY-MM-DD, with or without a time")
        for i in filled.index[parsed.isna()]
    ]


def _as_numbers(cells: pd.Series, *, known: bool) -> pd.Series:
    """Convert a column whose every filled cell is a quantity; leave others as text."""
    filled = cells[cells != ""]
    quantity = filled.str.fullmatch(_NUMBER) & ~filled.str.fullmatch(_CODE)
    if known or (len(filled) and quantity.all()):
        return pd.to_numeric(cells.where(cells != ""), errors="coerce").astype("float64")
    return cells


def _implausible(table: pd.DataFrame) -> list[str]:
    """Return one line for each pair of pressures in an impossible order."""
    return [
        _at(i, f"{small} {table[small][i]:g} exceeds {large} {table[large][i]:g}")
        for small, large in ORDERED
        if small in table and large in table
        for i in table.index[table[small] > table[large]]
    ]


def _at(index: object, text: str) -> str:
    """Name a row as a spreadsheet numbers it."""
    return f"row {index}: {text}"


def _raise_all(problems: list[str], *, path: str | Path) -> None:
    if problems:
        more = len(problems) - MAX_LISTED
        listed = problems[:MAX_LISTED] + ([f"and {more} more"] if more > 0 else [])
        lines = "".join(f"\n  {problem}" for problem in listed)
        raise InputError(f"{path} has {len(problems)} problem(s); correct them:{lines}")
