"""Read cohort tables and report everything that is wrong with them at once."""

import posixpath
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from data_modules.cohort.csv_cells import decimal_commas, read_cells
from data_modules.reading.text_cells import MISSING_PATTERN
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
    "cardiac_output_l_min": (0.5, 25.0),
    "pvr_wu": (-5.0, 60.0),  # below 0 only by measurement error
    "pvr_dyn_s_cm5": (-400.0, 4800.0),
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
OTHER_UNIT = {"pvr_wu": "; in dyn.s.cm-5 its name is pvr_dyn_s_cm5"}
RESERVED = ("signal_sha256",)
MAX_LISTED = 20

_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_FORMULA = r"[=@]|[+-].*[A-Za-z(=!|]"  # "-5", "-" and "+/- 3" are none
_COMMA_NUMBER = r"[-+]?(?:\d+[.,]?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_SIGN_AND_TEXT = r"[+-].*[A-Za-z(=!|]"
_TRUTH, _ANSWERS = {"true", "false"}, {"yes", "no"}
_AS_NUMBER = {"true": "1", "false": "0", "yes": "1", "no": "0"}
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
    notes = [*cells.notes, *_plain_records(table)]
    notes += _empty_missing_words(table, numeric)
    notes += [] if cells.delimiter == "," else _read_decimal_commas(table, numeric)
    notes += _read_truth_values(table, numeric) + _neutralise(table)
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


def _plain_records(table: pd.DataFrame) -> list[str]:
    """Write records as paths with `/` and without `.hea`; return a line for each kind of change."""
    if "record" not in table:
        return []
    notes = []
    cells = table["record"]
    slashes = cells.str.contains("\\", regex=False) & ~cells.str.match(r"[A-Za-z]:|\\\\")
    if slashes.any():
        cells = cells.where(~slashes, cells.str.replace("\\", "/", regex=False))
        notes.append(f"record: backslashes were read as / in {slashes.sum()} rows")
    header = cells.str.match(r".*[^/]\.hea$", flags=re.IGNORECASE)
    if header.any():
        cells = cells.where(~header, cells.str.slice(stop=-len(".hea")))
        notes.append(f"record: the ending .hea was left out in {header.sum()} rows")
    table["record"] = cells
    return notes


def _empty_missing_words(table: pd.DataFrame, names: Iterable[str]) -> list[str]:
    """Empty the cells of number columns that hold a word for a missing value."""
    notes = []
    for name in names:
        cells = table[name]
        words = cells.str.fullmatch(MISSING_PATTERN)
        others = cells[~words & (cells != "")]
        number = others.str.fullmatch(_COMMA_NUMBER)
        if words.any() and (name in NUMBER_RANGES or (len(others) > 0 and number.all())):
            table[name] = cells.where(~words, "")
            found = ", ".join(sorted(set(cells[words]))[:5])
            notes.append(f"{name}: {words.sum()} cells with {found} were read as empty")
    return notes


def _read_truth_values(table: pd.DataFrame, names: Iterable[str]) -> list[str]:
    """Turn columns of TRUE and FALSE, or yes and no, into 1 and 0; return one line for each."""
    notes = []
    for name in names:
        lower = table[name].str.lower()
        filled = set(lower[~lower.str.fullmatch(MISSING_PATTERN) & (lower != "")])
        if name in NUMBER_RANGES or not filled or not (filled <= _TRUTH or filled <= _ANSWERS):
            continue
        table[name] = lower.map(lambda cell: _AS_NUMBER.get(cell, ""))
        notes.append(f"{name}: {' and '.join(sorted(filled))} were read as 1 (true, yes) and 0")
    return notes


def _neutralise(table: pd.DataFrame) -> list[str]:
    """Put an apostrophe before free text that begins with a sign, so that no spreadsheet runs it.

    Cells that begin with `=` or `@` are no prose, and stay a problem.
    """
    notes = []
    for name in table.columns.difference([*REQUIRED, *NUMBER_RANGES, *DATES], sort=False):
        cells = table[name]
        signs = cells.str.match(_SIGN_AND_TEXT) & ~cells.str.fullmatch(_NUMBER)
        if signs.any():
            table[name] = cells.where(~signs, "'" + cells)
            rows = ", ".join(map(str, table.index[signs][:5]))
            notes.append(
                f"{name}: {signs.sum()} cells begin with a formula sign (row {rows}); an "
                "apostrophe was put before them"
            )
    return notes


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
        words = table.index[table[name].str.fullmatch(MISSING_PATTERN)]
        problems += [_at(i, f"{name} is {table[name][i]!r}, a word for missing") for i in words]
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
            hint = OTHER_UNIT.get(str(cells.name), "")
            text = f"{cells.name} is {cell}; expected {low:g} to {high:g}{hint}"
            problems.append(_at(i, text))
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
