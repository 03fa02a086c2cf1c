"""Read cohort tables and report everything that is wrong with them at once."""

import posixpath
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from data_modules.cohort.csv_cells import decimal_commas, read_cells
from lsemvae.core.errors import InputError

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
NEVER_ZERO = ("mpap_mmhg", "spap_mmhg")  # and 0 is how files code a missing value
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
_FORMULA = r"[=@]|[+-].*[A-Za-z(=!|]"  # "-5", "-" and "+/- 3" are none
_CODE = r"[-+]?0\d.*|.*\d{16,}.*"  # "007" and 16 digits are identifiers, no quantities


class CohortTable(NamedTuple):
    """A checked table.

    Attributes:
        table: one row for each record: `record` and `patient_id` (text) first, known quantities
            as float64 (NaN where empty), other columns as numbers where every cell is one.
        warnings: what was read with a guess, is implausible or without a label, one line each.
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
    table, problems, notes = _inspect(path, dict(columns or {}), text)
    _raise_all(problems, path=path)
    warnings = [*notes, *_unlabelled(table), *_implausible(table)]
    return CohortTable(table.reset_index(drop=True), warnings)


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
        InputError: the file cannot be read, or the list of what is wrong in a file that lacks a
            column that is needed.
    """
    return _inspect(path, dict(columns or {}), text)[:2]


def _inspect(
    path: str | Path, columns: dict[str, str], text: Sequence[str]
) -> tuple[pd.DataFrame, list[str], list[str]]:
    """Return the table, its problems, and notes on what was read with a guess."""
    cells = read_cells(path)
    table, lacking = _rename(cells.table, columns)
    problems = [*cells.problems, *lacking]
    numeric = table.columns.difference([*REQUIRED, "sex", *DATES, *text], sort=False)
    notes = [] if cells.delimiter == "," else _read_decimal_commas(table, numeric)
    problems += _check_identity(table) + _check_formulas(table)
    for name, limits in NUMBER_RANGES.items():
        if name in table:
            problems += _check_numbers(table[name], limits)
    for name in DATES:
        if name in table:
            problems += _check_dates(table[name])
    if not set(REQUIRED) <= set(table):
        _raise_all(problems, path=path)
    for name in numeric:
        table[name] = _as_numbers(table[name], known=name in NUMBER_RANGES)
    return table, problems, notes


def _rename(cells: pd.DataFrame, columns: dict[str, str]) -> tuple[pd.DataFrame, list[str]]:
    """Bring the columns under our names, `record` and `patient_id` first; tell what is lacking."""
    mapped = set(columns.values()) - set(REQUIRED)
    source = {name: name for name in cells if name not in mapped} | columns
    lacking = [name for name in REQUIRED if name not in source]
    lacking += [f"{name} (as {old!r})" for name, old in columns.items() if old not in cells]
    problems = []
    if lacking:
        found = ", ".join(map(str, cells.columns))
        problems.append(
            f"the table lacks the columns {', '.join(lacking)}; it has {found[:600]}; name the "
            "file's own with columns, e.g. --columns.record=FILE_NAME"
        )
    problems += [
        f"the column {name} has a name that the store uses; rename it"
        for name in RESERVED
        if name in source
    ]
    order = [*REQUIRED, *(name for name in source if name not in REQUIRED)]
    known = [name for name in order if source.get(name) in cells]
    return pd.DataFrame({name: cells[source[name]] for name in known}), problems


def _read_decimal_commas(table: pd.DataFrame, names: Iterable[str]) -> list[str]:
    """Turn decimal commas into points where a column is clear; return one line for each."""
    notes = []
    for name in names:
        cells = table[name]
        commas = decimal_commas(cells)
        quantities = commas | (cells == "") | cells.str.fullmatch(r"[-+]?\d+")
        if commas.any() and (name in NUMBER_RANGES or quantities.all()):
            table[name] = cells.where(~commas, cells.str.replace(",", ".", regex=False))
            notes.append(f"{name}: {commas.sum()} decimal commas were read as decimal points")
    return notes


def _check_identity(table: pd.DataFrame) -> list[str]:
    """Check record names and patient ids."""
    problems = []
    for name in table.columns.intersection([*REQUIRED], sort=False):
        problems += [_at(i, f"{name} is empty") for i in table.index[table[name] == ""]]
    if "record" not in table:
        return problems
    parts = table["record"].str.replace("\\", "/")
    upwards = parts.str.split("/").map(lambda names: ".." in names).astype(bool)
    outside = parts.str.match(r"/|[A-Za-z]:|\w+://") | upwards
    problems += [
        _at(i, f"record {table['record'][i]!r} leaves the source folder; give a path below it")
        for i in table.index[outside]
    ]
    # a//b and a/./b are the file a/b
    repeated = parts.map(posixpath.normpath).duplicated() & (parts != "")
    problems += [
        _at(i, f"record {table['record'][i]!r} occurs a second time") for i in table.index[repeated]
    ]
    return problems


def _check_formulas(table: pd.DataFrame) -> list[str]:
    """Refuse text that a spreadsheet would run as a formula when it opens one of our reports."""
    problems = [
        f"the column name {name!r} starts with a formula sign or is unprintable"
        for name in map(str, table.columns)
        if re.match(_FORMULA, name) or not name.isprintable()
    ]
    for name in table:
        formula = table[name].str.match(_FORMULA) & ~table[name].str.fullmatch(_NUMBER)
        if name in REQUIRED:
            formula |= table[name].str.match(r"[+-]") | ~table[name].map(str.isprintable).astype(
                bool
            )
        problems += [
            _at(i, f"{name} {table[name][i]!r} starts with a formula sign or is unprintable")
            for i in table.index[formula]
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
        elif float(cell) == 0.0 and cells.name in NEVER_ZERO:
            missing = "nobody has it, and it would count as healthy; leave a missing value empty"
            problems.append(_at(i, f"{cells.name} is {cell}: {missing}"))
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


def _unlabelled(table: pd.DataFrame) -> list[str]:
    """Say how many records have no mean pressure, which both tasks of the paper need."""
    n = int(table["mpap_mmhg"].isna().sum()) if "mpap_mmhg" in table else 0
    return [f"mpap_mmhg is empty in {n} of {len(table)} rows: no label for them"] if n else []


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
