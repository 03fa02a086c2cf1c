"""Check the cells of a cohort table one by one; every problem names its row."""

import datetime
import posixpath
import re

import pandas as pd

from data_modules.cohort.columns import NEVER_ZERO, NUMBER, OTHER_UNIT, REQUIRED
from data_modules.cohort.day_counts import possible_days
from data_modules.cohort.identity import cut_ids
from data_modules.cohort.number_words import why_no_number
from data_modules.cohort.written_dates import FIRST_DAY, serial_date
from data_modules.reading.text_cells import MISSING_PATTERN

_DAY = r"\d{4}-\d{1,2}-\d{1,2}(?!\d)|\d{8}(?!\d)"
YEARS = (1900, 2300)  # MIMIC shifts dates into the years after 2100
_FORMULA = r"[=@]|[+-].*[A-Za-z(=!|]"  # "-5", "-" and "+/- 3" are none


def check_identity(table: pd.DataFrame) -> list[str]:
    """Check record names and patient ids."""
    problems = []
    for name in table.columns.intersection([*REQUIRED], sort=False):
        problems += [at_row(i, f"{name} is empty") for i in table.index[table[name] == ""]]
        words = table.index[table[name].str.fullmatch(MISSING_PATTERN)]
        problems += [at_row(i, f"{name} is {table[name][i]!r}, a word for missing") for i in words]
    if "patient_id" in table:
        problems += cut_ids(table["patient_id"])
    if "record" not in table:
        return problems
    parts = table["record"].str.replace("\\", "/")
    upwards = parts.str.split("/").map(lambda names: ".." in names).astype(bool)
    outside = parts.str.match(r"/|[A-Za-z]:|\w+://") | upwards
    problems += [
        at_row(i, f"record {table['record'][i]!r} leaves the source folder; give a path below it")
        for i in table.index[outside]
    ]
    # a//b and a/./b are the file a/b
    repeated = parts.map(posixpath.normpath).duplicated() & (parts != "")
    problems += [
        at_row(i, f"record {table['record'][i]!r} occurs a second time")
        for i in table.index[repeated]
    ]
    return problems


def check_formulas(table: pd.DataFrame) -> list[str]:
    """Refuse text that a spreadsheet would run as a formula when it opens one of our reports."""
    problems = [
        f"the column name {name!r} {_why_refused(name)}"
        for name in map(str, table.columns)
        if re.match(_FORMULA, name) or not name.isprintable()
    ]
    for name in table:
        formula = table[name].str.match(_FORMULA) & ~table[name].str.fullmatch(NUMBER)
        if name in REQUIRED:
            formula |= table[name].str.match(r"[+-]") | ~table[name].map(str.isprintable).astype(
                bool
            )
        problems += [
            at_row(i, f"{name} {table[name][i]!r} {_why_refused(table[name][i])}")
            for i in table.index[formula]
        ]
    return problems


def _why_refused(text: str) -> str:
    if text.isprintable():
        return "starts with a formula sign: write the value, or text that begins with a letter"
    return "holds a sign that cannot be shown: write it anew"


def check_numbers(cells: pd.Series, limits: tuple[float, float]) -> list[str]:
    """Check that the cells of a known quantity are numbers in range."""
    problems = []
    low, high = limits
    for i, cell in cells[cells != ""].items():
        if not re.fullmatch(NUMBER, cell):
            text = f"{cells.name} is {cell!r}, not a number; {why_no_number(cell)}"
            problems.append(at_row(i, text))
        elif not low <= float(cell) <= high:
            hint = OTHER_UNIT.get(str(cells.name), "")
            text = f"{cells.name} is {cell}; expected {low:g} to {high:g}{hint}"
            problems.append(at_row(i, text))
        elif float(cell) == 0.0 and cells.name in NEVER_ZERO:
            missing = "nobody has it, and it would count as healthy; leave a missing value empty"
            problems.append(at_row(i, f"{cells.name} is {cell}: {missing}"))
    return problems


def check_dates(cells: pd.Series, first_day: datetime.date = FIRST_DAY) -> list[str]:
    """Check that the cells of a date column are dates; the first day is of the workbook."""
    filled = cells[cells != ""]
    parsed = pd.to_datetime(filled, format="ISO8601", errors="coerce", utc=True)
    whole = filled.str.match(_DAY)  # 2020 alone would be read as its first of January
    years = parsed.dt.year.between(*YEARS)
    return [
        at_row(i, f"{cells.name} is {filled[i]!r}; expected YYYY-MM-DD, with or without a time"
                  f"{_serial_hint(filled[i], first_day)}")
        for i in filled.index[parsed.isna() | ~whole | ~years]
    ]  # fmt: skip


def _serial_hint(cell: str, first_day: datetime.date) -> str:
    """Say which day a number is as programs count days; empty for anything else."""
    days = possible_days(cell, first_day)
    if not days and (day := serial_date(cell, first_day)) is not None:
        days = f"as a spreadsheet's number of days it is {day}"
    return f"; {days}: format the column as dates" if days else ""


def at_row(index: object, text: str) -> str:
    """Name a row as a spreadsheet numbers it."""
    return f"row {index}: {text}"
