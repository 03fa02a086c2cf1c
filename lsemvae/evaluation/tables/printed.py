"""Read numbers as they stand in a printed table: text that stands for an interval."""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from lsemvae.core.errors import InputError


def rows_of(table: pd.DataFrame) -> Iterator[Any]:
    """Return the rows of a table as named tuples; their fields are its columns."""
    return iter(table.itertuples(index=False))


def printed_interval(text: str) -> tuple[float, float]:
    """Return the interval that a printed number stands for.

    `0.30` stands for 0.295 to 0.305, `<0.0001` for 0 to 0.0001.

    Raises:
        InputError: the text is no number.
    """
    cell = text.replace(" ", "")
    try:
        if cell.startswith("<"):
            return 0.0, float(cell[1:])
        value = float(cell)
    except ValueError as error:
        raise InputError(f"{text!r} is not a number; write 0.03 or <0.0001") from error
    return value - half_unit(cell), value + half_unit(cell)


def half_unit(text: str) -> float:
    """Return half a unit of the last printed digit."""
    decimals = len(text.strip().partition(".")[2])
    return float(0.5 * 10.0**-decimals)
