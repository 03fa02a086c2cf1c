"""Read a table of a public data set as text, and say what it lacks."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from lsemvae.core.errors import InputError


def read_text_table(file: Path, columns: Sequence[str], what: str) -> pd.DataFrame:
    """Return a CSV file as text, empty where a cell is empty.

    Args:
        file: of the data set.
        columns: that it must have.
        what: the data set and its folder, for the message.

    Raises:
        InputError: it is missing, no table, or lacks a column.
    """
    if not file.is_file():
        raise InputError(f"{file} not found; source is {what}")
    try:
        table = pd.read_csv(file, dtype=str, keep_default_na=False)
    except (ValueError, OSError) as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"{file} is no CSV table ({reason})") from error
    absent = [name for name in columns if name not in table]
    if absent:
        raise InputError(f"{file} has no column {', '.join(absent)}; source is {what}")
    return table


def whole_number(text: pd.Series, file: Path) -> pd.Series:
    """Return numbers such as 15709.0 as the text of a whole number, empty where empty.

    Raises:
        InputError: a cell is no whole number.
    """
    numbers = pd.to_numeric(text.where(text != ""), errors="coerce")
    wrong = text[(text != "") & (numbers.isna() | (numbers % 1 != 0))]
    if len(wrong):
        raise InputError(
            f"{file}: line {wrong.index[0] + 2} of {text.name} holds {wrong.iloc[0]!r}, expected a "
            "whole number"
        )
    return numbers.map(lambda number: "" if pd.isna(number) else f"{int(number)}")
