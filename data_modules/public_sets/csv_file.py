"""Read a table of a public data set as text, and say what it lacks."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from data_modules.reading.kinds import kind_and_step
from lsemvae.core.counted import counted
from lsemvae.core.errors import InputError

# What R and pandas write for an empty cell when they save such a table again.
EMPTY = ("NA", "NaN", "nan", "<NA>", "N/A", "NULL", "None", "NaT")
_AGAIN = "download it again if a spreadsheet or another program has saved it"


def read_text_table(file: Path, columns: Sequence[str], what: str) -> pd.DataFrame:
    """Return a CSV file as text, empty where a cell is empty or holds a word of `EMPTY`.

    Args:
        file: of the data set.
        columns: that it must have.
        what: the data set and its folder, for the message.

    Raises:
        InputError: it is missing, no table, lacks a column, or a line has another length.
    """
    if not file.is_file():
        raise InputError(f"{file} not found; source is {what}")
    try:
        with file.open(encoding="utf-8-sig", newline="") as text:
            header, *rows = _rows(csv.reader(text, strict=True), file)
    except (ValueError, OSError, csv.Error) as error:
        reason = " ".join(str(error).split())[:200]
        with file.open("rb") as start:
            kind = kind_and_step(start.read(4096))
        step = _AGAIN if kind is None else f"it is {kind[0]}: download the table itself"
        raise InputError(f"{file} is no CSV table ({reason}); {step}") from error
    table = pd.DataFrame(rows, columns=header, dtype=str)
    table = table.loc[:, ~table.columns.duplicated()]
    absent = [name for name in columns if name not in table]
    if absent:
        found = ", ".join(header)[:200]
        raise InputError(
            f"{file} has no column {', '.join(absent)}; it has {found}; source is {what}"
        )
    return table.where(~table.isin(list(EMPTY)), "")


def _rows(lines: Any, file: Path) -> list[list[str]]:
    """Return the lines that have cells, all as long as the first.

    Raises:
        InputError: one is shorter, or longer by more than empty cells.
        ValueError: there is none.
    """
    found: list[list[str]] = []
    for row in lines:
        width = len(found[0]) if found else len(row)
        if row and (len(row) < width or any(row[width:])):
            found_there = (
                f"line {lines.line_num} has {counted(len(row), 'cell')}, the first has {width}"
            )
            raise InputError(f"{file}: {found_there}; {_AGAIN}")
        if row:
            found.append(row[:width])
    if len(found) < 2:
        raise ValueError("no lines below its names of columns")
    return found


def whole_number(text: pd.Series, file: Path) -> pd.Series:
    """Return numbers such as 15709.0 as the text of a whole number, empty where empty.

    Raises:
        InputError: a cell is no whole number.
    """
    numbers = numbers_of(text, file, "a whole number")
    wrong = text[numbers.notna() & (numbers % 1 != 0)]
    if len(wrong):
        raise _odd(wrong, file, "a whole number")
    return numbers.map(lambda number: "" if pd.isna(number) else f"{int(number)}")


def without_decimals(text: pd.Series) -> pd.Series:
    """Return ids that a data frame has written as 15709.0 as 15709, others as they are."""
    return text.str.strip().str.replace(r"^(\d+)\.0+$", r"\1", regex=True)


def numbers_of(text: pd.Series, file: Path, expected: str = "a number") -> pd.Series:
    """Return a column as numbers, NaN where it is empty.

    Raises:
        InputError: a cell is something else.
    """
    numbers = pd.to_numeric(text.where(text != ""), errors="coerce")
    odd = text[(text != "") & ~np.isfinite(numbers)]
    if len(odd):
        raise _odd(odd, file, expected)
    return numbers


def words_of(text: pd.Series, words: dict[str, str], file: Path) -> pd.Series:
    """Return a column in our words, empty where it is empty.

    Args:
        text: the column.
        words: ours for each of the file's.
        file: for the message.

    Raises:
        InputError: a cell holds another word.
    """
    odd = text[(text != "") & ~text.isin(list(words))]
    if len(odd):
        raise _odd(odd, file, " or ".join(words))
    return text.map({"": "", **words})


def _odd(cells: pd.Series, file: Path, expected: str) -> InputError:
    return InputError(
        f"{file}: line {cells.index[0] + 2} of {cells.name} holds {cells.iloc[0]!r}, expected "
        f"{expected}"
    )
