"""Read cohort tables and report everything that is wrong with them at once."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from data_modules.cohort.cell_checks import (
    at_row,
    check_dates,
    check_formulas,
    check_identity,
    check_numbers,
)
from data_modules.cohort.cell_spellings import (
    empty_missing_words,
    mixed_truths,
    neutralise,
    plain_records,
    read_decimal_commas,
    read_truth_values,
    tell_thousands,
)
from data_modules.cohort.column_names import rename_columns, unmapped_columns
from data_modules.cohort.columns import DATES, NUMBER, NUMBER_RANGES, ORDERED, REQUIRED
from data_modules.cohort.contradictions import contradictions
from data_modules.cohort.identity import dates_for_ids
from data_modules.cohort.number_words import leave_out_units
from data_modules.cohort.quantity_checks import (
    MEAN_PRESSURE_TOLERANCE_MMHG,
    disagreeing_values,
    doubtful_values,
    exchanged_columns,
)
from data_modules.cohort.sheet import read_sheet
from data_modules.cohort.written_dates import plain_dates, tell_first_days
from lsemvae.core.counted import counted
from lsemvae.core.errors import InputError
from lsemvae.core.tasks import Thresholds

MAX_LISTED = 20
N_ROWS = 3  # of a warning
# bounds, percents and numbers with marks, but no dates
_NUMBER_LIKE = (
    r"(?!\d+[./]\d+[./]\d{2,4}$)[<>=~\u2264\u2265]* ?[-+]?\d+"
    r"(?:[.,'\u2019 \u00a0\u202f]\d+)*(?: ?%)?"
)
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
    path: str | Path,
    columns: Mapping[str, str] | None = None,
    *,
    text: Sequence[str] = (),
    sheet: str | None = None,
) -> CohortTable:
    """Read a CSV file or an Excel sheet with one row for each recording.

    Args:
        path: UTF-8 text, separated by commas, semicolons or tabs, with a header line; or `.xlsx`.
        columns: for each of our column names, the file's name for it, where they differ. One
            column of the file may serve two names; a mapped name wins over a column of that name.
        text: further columns to keep as text, such as identifiers.
        sheet: of an Excel workbook; needed where several have rows.

    Raises:
        InputError: the file cannot be read, or the list of everything that is wrong in it.
    """
    table, problems, notes = _inspect(path, dict(columns or {}), text, sheet)
    _raise_all(problems, path=path)
    dates = dates_for_ids(table["patient_id"])
    warnings = [*notes, *([dates] if dates else []), *_unlabelled(table)]
    named = table.rename(index="row {}".format)
    warnings += [
        f"{one.message} ({', '.join(one.where[:N_ROWS])})"
        for one in [
            *doubtful_values(named),
            *disagreeing_values(named, Thresholds(), MEAN_PRESSURE_TOLERANCE_MMHG),
            *contradictions(named, Thresholds()),
        ]
    ]
    warnings += [*_implausible(table), *mixed_truths(table).values()]
    return CohortTable(table.reset_index(drop=True), warnings)


def inspect_cohort_table(
    path: str | Path,
    columns: Mapping[str, str] | None = None,
    *,
    text: Sequence[str] = (),
    sheet: str | None = None,
) -> tuple[pd.DataFrame, list[str], list[str]]:
    """Read a table as far as it can be read.

    Args:
        path: as for `read_cohort_table`.
        columns: as for `read_cohort_table`.
        text: as for `read_cohort_table`.
        sheet: as for `read_cohort_table`.

    Returns:
        The table as `read_cohort_table` returns it, but with the spreadsheet's row numbers as
        index and NaN where a known quantity is no number; one line for each problem; and one for
        everything that was read with a guess.

    Raises:
        InputError: the file cannot be read, or the list of what is wrong in a file that lacks a
            column that is needed.
    """
    return _inspect(path, dict(columns or {}), text, sheet)


def _inspect(
    path: str | Path, columns: dict[str, str], text: Sequence[str], sheet: str | None
) -> tuple[pd.DataFrame, list[str], list[str]]:
    """Return the table, its problems, and notes on what was read with a guess."""
    cells = read_sheet(Path(path), sheet, None)
    table, lacking = rename_columns(cells.table, columns)
    problems = [*cells.problems, *lacking]
    numeric = table.columns.difference([*REQUIRED, "sex", *DATES, *text], sort=False)
    notes = [*cells.notes, *plain_records(table), *unmapped_columns(table)]
    maybe_empty = table.columns.difference([*REQUIRED, *text], sort=False)
    notes += empty_missing_words(table, maybe_empty) + _plain_spellings(table)
    if cells.delimiter != ",":
        commas = read_decimal_commas(table, numeric)
        doubts = tell_thousands(table, numeric, cells.delimiter, commas=bool(commas))
        problems, notes = problems + doubts[0], notes + commas + doubts[1]
    notes += read_truth_values(table, numeric) + neutralise(table)
    problems += check_identity(table) + check_formulas(table)
    for name, limits in NUMBER_RANGES.items():
        if name in table:
            problems += check_numbers(table[name], limits)
    for name in DATES:
        if name in table:
            problems += check_dates(table[name], cells.first_day)
            notes += tell_first_days(table[name])
    if not set(REQUIRED) <= set(table):
        _raise_all(problems, path=path)
    for name in numeric:
        notes += _words_among_numbers(table[name])
        table[name] = _as_numbers(table[name], known=name in NUMBER_RANGES)
    return table, problems, notes


def _plain_spellings(table: pd.DataFrame) -> list[str]:
    """Write quantities without units and dates as YYYY-MM-DD where that is clear; return notes."""
    notes = []
    for name in table.columns.intersection([*NUMBER_RANGES, *DATES], sort=False):
        read = plain_dates if name in DATES else leave_out_units
        table[name], found = read(table[name])
        notes += found
    return notes


def _words_among_numbers(cells: pd.Series) -> list[str]:
    """Tell a column that stays text although most of its cells are numbers."""
    filled = cells[cells != ""]
    numbers = _quantities(filled)
    like = numbers | filled.str.fullmatch(_NUMBER_LIKE) & ~filled.str.fullmatch(_CODE)
    if cells.name in NUMBER_RANGES or numbers.all() or not like.mean() > 0.5:
        return []
    first = filled.index[~numbers][0]
    return [
        f"{cells.name}: no numbers in {(~numbers).sum()} of {counted(len(filled), 'cell')}, the "
        f"first is {filled[first]!r} (row {first}); the column was read as text and can be no label"
    ]


def _quantities(cells: pd.Series) -> "pd.Series[bool]":
    """Say which cells are quantities: numbers that are no codes, and none beyond every number."""
    written = cells.str.fullmatch(NUMBER) & ~cells.str.fullmatch(_CODE)
    values = pd.to_numeric(cells.where(written), errors="coerce")
    return written & values.between(-math.inf, math.inf, inclusive="neither")


def _as_numbers(cells: pd.Series, *, known: bool) -> pd.Series:
    """Convert a column whose every filled cell is a quantity; leave others as text."""
    filled = cells[cells != ""]
    if known or (len(filled) and _quantities(filled).all()):
        return pd.to_numeric(cells.where(cells != ""), errors="coerce").astype("float64")
    return cells


def _unlabelled(table: pd.DataFrame) -> list[str]:
    """Say how many records have no mean pressure, which both tasks of the paper need."""
    n = int(table["mpap_mmhg"].isna().sum()) if "mpap_mmhg" in table else 0
    rows = counted(len(table), "row")
    return [f"mpap_mmhg is empty in {n} of {rows}: no label for them"] if n else []


def _implausible(table: pd.DataFrame) -> list[str]:
    """Return a line for each pair of pressures in an impossible order, one where most are."""
    lines = []
    for small, large in ORDERED:
        if small not in table or large not in table:
            continue
        wrong = table.index[table[small] > table[large]]
        if exchanged := exchanged_columns(table[small], table[large]):
            lines.append(exchanged)
        else:
            lines += [
                at_row(i, f"{small} {table[small][i]:g} exceeds {large} {table[large][i]:g}")
                for i in wrong
            ]
    return lines


def _raise_all(problems: list[str], *, path: str | Path) -> None:
    if problems:
        more = len(problems) - MAX_LISTED
        listed = problems[:MAX_LISTED] + ([f"and {more} more"] if more > 0 else [])
        lines = "".join(f"\n  {problem}" for problem in listed)
        raise InputError(f"{path} has {counted(len(problems), 'problem')} to correct:{lines}")
