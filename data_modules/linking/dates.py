"""Read a column of dates; where day and month could change places, the user says which is which."""

import datetime
import re
from collections.abc import Hashable
from typing import Literal, NamedTuple

import pandas as pd

from data_modules.cohort.cell_checks import YEARS
from data_modules.cohort.written_dates import (
    FIRST_DAY,
    ends_its_day,
    serial_date,
    tell_first_days,
    written_date,
)
from data_modules.reading.stored.dates import iso_date, ordered_date
from data_modules.reading.text_cells import is_missing
from lsemvae.core.counted import counted
from lsemvae.core.errors import InputError

DateOrder = Literal["day_first", "month_first"]

_ISO = re.compile(r"\d{4}-\d\d-\d\d([T ].*)?", re.ASCII)
_COMPACT = re.compile(r"(19|20)\d{6}", re.ASCII)
_NUMBERED = re.compile(
    r"(\d{1,2})([-/. ])(\d{1,2})\2(\d{4})(?: +\d{1,2}(?:[:.].*| ?[AP]M)?)?", re.ASCII | re.I
)


class DateColumn(NamedTuple):
    """A column of dates.

    Attributes:
        days: one date for each cell, None where it is empty or none.
        notes: how the cells were read, where that is not plain.
    """

    days: list[datetime.date | None]
    notes: list[str]


def read_dates(
    cells: pd.Series, name: str, order: DateOrder | None, first_day: datetime.date = FIRST_DAY
) -> DateColumn:
    """Read dates as text (ISO, 20200131, 31.01.2020, 31/01/2020) or as Excel's numbers of days.

    Args:
        cells: text.
        name: of the column, for messages.
        order: of day and month where they are numbers; told by the cells where one of them is
            above 12 among those with the same sign between, and by points, which stand behind the
            day.
        first_day: of the workbook's calendar.

    Raises:
        InputError: day and month could change places, or the cells contradict the order.
    """
    texts = {row: str(cell).strip() for row, cell in cells.items()}
    numbered = {row: found for row, text in texts.items() if (found := _NUMBERED.fullmatch(text))}
    notes: list[str] = []
    if numbered:
        proofs = _proofs(numbered)
        if order is None:
            told = [_told_by_cells(alike, _proofs(alike), name) for alike in _by_sign(numbered)]
            order = told[-1][0]
            notes += [note for _, note in told]
        against = proofs["month_first" if order == "day_first" else "day_first"]
        if against is not None:
            raise InputError(
                f"{name}: row {against} is not {order.replace('_', ' ')}, others are; write all "
                "dates in one way, best as YYYY-MM-DD"
            )
    serial = sum(serial_date(text) is not None for text in texts.values())
    if serial:
        notes.append(f"{name}: {serial} numbers were read as Excel's days since {first_day}")
    days = [_date(text, order, first_day) for text in texts.values()]
    ended = [row for row, text in texts.items() if ends_its_day(text)]
    if ended:
        notes.append(
            f"{name}: 24:00 is the midnight of the next day; read so in "
            f"{counted(len(ended), 'cell')}, the first in row {ended[0]}"
        )
    odd = [row for row, day in zip(texts, days, strict=True) if _other_years(day)]
    if odd:
        notes.append(
            f"{name}: left empty: {counted(len(odd), 'date')} outside the years {YEARS[0]} to "
            f"{YEARS[1]}, the first in row {odd[0]}; look in which calendar they were written"
        )
    kept = [None if _other_years(day) else day for day in days]
    notes += tell_first_days(pd.Series(kept, index=cells.index, name=name, dtype=object))
    return DateColumn(kept, notes)


def _other_years(day: datetime.date | None) -> bool:
    return day is not None and not YEARS[0] <= day.year <= YEARS[1]


def _by_sign(numbered: dict[Hashable, re.Match[str]]) -> list[dict[Hashable, re.Match[str]]]:
    """Group dates by the sign between: 03/12/2020 beside 31.12.2020 is of another program."""
    signs = dict.fromkeys(found[2] for found in numbered.values())
    return [{row: one for row, one in numbered.items() if one[2] == sign} for sign in signs]


def _proofs(numbered: dict[Hashable, re.Match[str]]) -> dict[DateOrder, Hashable | None]:
    """Return for each order the first row that proves it: one of its numbers is no month."""
    first = (row for row, found in numbered.items() if int(found[1]) > 12 >= int(found[3]))
    second = (row for row, found in numbered.items() if int(found[3]) > 12 >= int(found[1]))
    return {"day_first": next(first, None), "month_first": next(second, None)}


def _told_by_cells(
    numbered: dict[Hashable, re.Match[str]], proofs: dict[DateOrder, Hashable | None], name: str
) -> tuple[DateOrder, str]:
    """Return the order that the cells prove, and a note.

    Raises:
        InputError: they prove none.
    """
    for order, row in proofs.items():
        if row is not None:
            return order, f"{name}: read {order.replace('_', ' ')}, as row {row} proves"
    if all(found[2] == "." for found in numbered.values()):
        return "day_first", f"{name}: read day first, as points stand behind the day"
    raise InputError(
        f"{name}: nobody can tell day from month, in row {next(iter(numbered))} and all others; "
        "say it with --table_dates day_first or --table_dates month_first"
    )


def _date(text: str, order: DateOrder | None, first_day: datetime.date) -> datetime.date | None:
    if is_missing(text):
        return None
    day = serial_date(text, first_day) or _written(text, order)
    later = datetime.timedelta(days=day is not None and ends_its_day(text))
    return day and day + later


def _written(text: str, order: DateOrder | None) -> datetime.date | None:
    if _ISO.fullmatch(text) or _COMPACT.fullmatch(text):
        return iso_date(text)
    found = _NUMBERED.fullmatch(text)
    if found:
        return ordered_date(text.partition(" ")[0] if found[2] != " " else text,
                            day_first=order == "day_first")  # fmt: skip
    if (day := written_date(text)) is not None:
        return day
    return ordered_date(text.partition(":")[0].rpartition(" ")[0] if ":" in text else text,
                        day_first=True)  # fmt: skip
