"""Take from a hospital's table what a study needs: ids, dates and quantities, nothing else."""

import datetime
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from data_modules.cohort.cell_spellings import tell_thousands
from data_modules.cohort.column_names import misspelt_names
from data_modules.cohort.columns import NEVER_ZERO, NUMBER, NUMBER_RANGES
from data_modules.cohort.csv_cells import decimal_commas
from data_modules.cohort.day_counts import EARLIEST, possible_days
from data_modules.cohort.identity import identity_columns
from data_modules.cohort.number_words import leave_out_units
from data_modules.cohort.plain_id import shortened
from data_modules.cohort.sheet import read_sheet
from data_modules.linking.archive import Left
from data_modules.linking.dates import DateOrder, read_dates
from data_modules.reading.text_cells import MISSING_PATTERN, SEX, is_missing
from lsemvae.core.counted import counted
from lsemvae.core.errors import InputError

NEEDED = ("patient_id", "rhc_date")
SHORT_YEAR = r"\d{1,2}[-/. ]\d{1,2}[-/. ]\d{2}"  # 22.03.19: of which century?
PRIVATE = ("patient_id", "rhc_date", "birth_date")  # never written as they are


class HospitalTable(NamedTuple):
    """The rows that can be linked.

    Attributes:
        rows: index: row numbers of the spreadsheet; patient, rhc_date (date), sex (F, M or empty),
            birth_date (date or None), and the quantities that were asked for, as text.
        quantities: names of the columns to write.
        left: rows that were left out.
        n_rows: all of them.
        notes: what was read with a proof or a warning, a line each.
        unusable: patients of the rows that were left out.
    """

    rows: pd.DataFrame
    quantities: list[str]
    left: list[Left]
    n_rows: int
    notes: list[str]
    unusable: list[str]


def read_hospital_table(
    path: Path, columns: dict[str, str], *, sheet: str | None, encoding: str,
    order: DateOrder | None,
) -> HospitalTable:  # fmt: skip
    """Read a table of catheterisations.

    Args:
        path: CSV or Excel.
        columns: the table's name for each of ours: patient_id, rhc_date, and what shall be kept.
            Columns that have one of our names already need not be named; others are left out.
        sheet: of a workbook.
        encoding: of a CSV file.
        order: of day and month.

    Raises:
        InputError: it cannot be read, lacks a column, or one has a misspelt new name.
    """
    cells = read_sheet(path, sheet, encoding)
    if cells.problems:
        raise InputError(f"{path}: {'; '.join(cells.problems[:5])}; correct the table")
    own = [*NEEDED, "sex", "birth_date", *NUMBER_RANGES]
    source = {name: name for name in own if name in cells.table} | columns
    if misspelt := misspelt_names(columns, source):
        raise InputError("; ".join(misspelt))
    lacking = [f"{ours} ({theirs!r})" for ours, theirs in source.items()
               if theirs not in cells.table]  # fmt: skip
    lacking += [name for name in NEEDED if name not in source]
    if lacking:
        found = ", ".join(map(str, cells.table.columns))[:600]
        raise InputError(
            f"{path} lacks the columns {', '.join(lacking)}; it has {found}; name the table's own "
            "with --columns.patient_id NAME"
        )
    table = pd.DataFrame({ours: cells.table[theirs] for ours, theirs in source.items()})
    notes = [*cells.notes, *_unused(cells.table, source)]
    kept = table.drop(columns=[name for name in PRIVATE if name in table])
    notes += identity_columns(kept)
    dates = read_dates(table["rhc_date"], source["rhc_date"], order, cells.first_day)
    notes += dates.notes
    _refuse_other_counts(table["rhc_date"], dates.days, source["rhc_date"], cells.first_day)
    notes += _tell_other_counts(table["rhc_date"], dates.days, source["rhc_date"], cells.first_day)
    rows = kept.assign(
        patient=_whole_numbers(table["patient_id"].str.strip(), notes),
        rhc_date=pd.Series(dates.days, kept.index, dtype=object),
    )
    rows["birth_date"] = _birth_dates(table, source, order, cells.first_day, notes)
    rows["sex"] = _sexes(rows, notes)
    quantities = [str(name) for name in kept if name not in ("sex", "record")]
    for name in set(quantities) & set(NUMBER_RANGES):
        rows[name], units = leave_out_units(rows[name])
        notes += units
    if cells.delimiter != ",":
        notes += _read_marks(rows, quantities, path, cells.delimiter)
    usable, unusable, left = _usable(rows, quantities, table["rhc_date"])
    return HospitalTable(usable, quantities, left, len(rows), notes, list(unusable["patient"]))


def _refuse_other_counts(
    cells: pd.Series, days: list[datetime.date | None], name: str, first_day: datetime.date
) -> None:
    """Stop where numbers are days of a catheter before there were records, unless SAS counted.

    Raises:
        InputError: names the first of them, and what it may be.
    """
    for row, text, day in zip(cells.index, cells.str.strip(), days, strict=True):
        other = possible_days(text, first_day)
        if day is not None and day.year < EARLIEST and other:
            raise InputError(
                f"{name}: {text} in row {row} is {day} as a spreadsheet's number of days, and "
                f"{other}: write the dates as YYYY-MM-DD"
            )


def _tell_other_counts(
    cells: pd.Series, days: list[datetime.date | None], name: str, first_day: datetime.date
) -> list[str]:
    """Say what numbers may be that were read as no date."""
    for row, text, day in zip(cells.index, cells.str.strip(), days, strict=True):
        other = possible_days(text, first_day) if day is None else ""
        if other:
            return [
                f"{name}: {text} in row {row} is no date, but {other}: write the dates as "
                "YYYY-MM-DD"
            ]
    return []


def _whole_numbers(ids: pd.Series, notes: list[str]) -> pd.Series:
    """Write the ids that a program has turned into decimal numbers, 1234.0, as whole ones."""
    floats = ids.str.fullmatch(r"[0-9]+\.0+") & ~ids.map(shortened)
    if floats.any():
        notes.append(f"patient_id: {floats.sum()} decimals of zero were left out, as in 1234.0")
    return ids.where(~floats, ids.str.replace(r"\.0+$", "", regex=True))


def _unused(table: pd.DataFrame, source: dict[str, str]) -> list[str]:
    unused = [str(name) for name in table if name not in source.values()]
    if not unused:
        return []
    said = counted(len(unused), "column was", "columns were")
    return [f"{said} left out ({', '.join(unused)[:300]}); keep one with --columns.NAME ITS_NAME"]


def _birth_dates(
    table: pd.DataFrame, source: dict[str, str], order: DateOrder | None,
    first_day: datetime.date, notes: list[str],
) -> list[datetime.date | None]:  # fmt: skip
    """Return the birth dates, and say how many cells are none and cannot be compared."""
    if "birth_date" not in table:
        return [None] * len(table)
    read = read_dates(table["birth_date"], source["birth_date"], order, first_day)
    born = read.days
    notes += read.notes
    filled = [not is_missing(str(cell).strip()) for cell in table["birth_date"]]
    lost = sum(there and day is None for there, day in zip(filled, born, strict=True))
    if lost:
        said = counted(lost, "cell is no date and was", "cells are no dates and were")
        notes.append(
            f"{source['birth_date']}: {said} left empty, so not compared with the recordings"
        )
    return born


def _sexes(rows: pd.DataFrame, notes: list[str]) -> list[str]:
    if "sex" not in rows:
        return [""] * len(rows)
    plain = [str(cell).strip().casefold() for cell in rows["sex"]]
    words = dict(SEX)
    if "h" in plain:  # hombre, homme, homem; beside it m is mujer or mulher where no f is
        women = "m" in plain and not {"f", "w"} & set(plain)
        words |= {"h": "M", "m": "F"} if women else {"h": "M"}
        notes.append(f"sex: H was read as M{' and M as F (mujer, mulher)' if women else ''}")
    notes += _sex_codes(plain, words)
    found = [words.get(word, "") for word in plain]
    unknown = sum(not sex and bool(cell) for sex, cell in zip(found, rows["sex"], strict=True))
    if unknown:
        said = counted(unknown, "cell is not F or M and was", "cells are not F or M and were")
        notes.append(f"sex: {said} left empty")
    return found


def _sex_codes(plain: list[str], words: dict[str, str]) -> list[str]:
    """Say how numbers are read as sexes; beside 0 alone, 1 can be either and is read as none."""
    codes = set(plain) & {"0", "1", "2"}
    if codes == {"0", "1"}:
        del words["1"]
        return ["sex: 0 and 1 are female or male by house: write F and M; they were left empty"]
    if codes - {"0"}:
        return [
            "sex: 1 was read as M and 2 as F (ISO 5218); if yours is another code, write F and M"
        ]
    return []


def _read_marks(rows: pd.DataFrame, names: list[str], path: Path, delimiter: str) -> list[str]:
    """Read decimal commas as points, and tell points that may stand between thousands.

    Raises:
        InputError: they do, as the table has decimal commas.
    """
    any_commas = False
    for name in names:
        commas = decimal_commas(rows[name])
        any_commas |= bool(commas.any())
        rows[name] = rows[name].where(~commas, rows[name].str.replace(",", ".", regex=False))
    known = [name for name in names if name in NUMBER_RANGES]
    problems, notes = tell_thousands(rows, known, delimiter, commas=any_commas)
    if problems:
        raise InputError(f"{path}: {'; '.join(problems[:5])}; correct the table")
    return notes


def _usable(
    rows: pd.DataFrame, quantities: list[str], dates: pd.Series
) -> tuple[pd.DataFrame, pd.DataFrame, list[Left]]:
    """Divide the rows into the usable ones and the others, with a reason for each of these."""
    reasons = pd.Series("", index=rows.index)
    steps = pd.Series("", index=rows.index)

    def mark(wrong: pd.Series, reason: str, step: str) -> None:
        new = wrong & (reasons == "")
        reasons[new], steps[new] = reason, step

    known = [name for name in quantities if name in NUMBER_RANGES]
    for name in known:
        empty = rows[name].str.fullmatch(MISSING_PATTERN)
        rows[name] = rows[name].where(~empty, "")
    nobody = (rows["patient"] == "") | rows["patient"].str.fullmatch(MISSING_PATTERN)
    mark(nobody, "no patient id", "fill it in")
    cut = rows["patient"].map(shortened).astype(bool)
    mark(cut, "the patient id has lost digits in a spreadsheet", "export the column as text")
    undated = rows["rhc_date"].isna()
    short = undated & dates.str.strip().str.fullmatch(SHORT_YEAR)
    mark(short, "the year of its date has two digits", "write it as YYYY-MM-DD")
    mark(undated, "no date of the catheter, or none of the calendar", "write it as YYYY-MM-DD")
    for name in known:
        low, high = NUMBER_RANGES[name]
        value = pd.to_numeric(rows[name].where(rows[name].str.fullmatch(NUMBER)), errors="coerce")
        wrong = (rows[name] != "") & ~value.between(low, high)
        wrong |= (value == 0) & (name in NEVER_ZERO)
        mark(wrong, f"{name} is no number from {low:g} to {high:g}", "correct the cell")
    same = rows.assign(patient=rows["patient"], rhc_date=rows["rhc_date"].astype(str))
    twice = same.duplicated(["patient", "rhc_date"], keep=False)
    alike = same.duplicated([*quantities, "patient", "rhc_date", "sex"])
    differ = twice & ~same.duplicated([*quantities, "patient", "rhc_date", "sex"], keep=False)
    mark(alike, "the row occurs before", "nothing, or remove it")
    mark(differ, "another row has the same patient and date, but other values", "keep one of them")
    bad = reasons != ""
    left = [Left(f"row {row}", reasons[row], steps[row]) for row in rows.index[bad]]
    return rows[~bad], rows[bad], left
