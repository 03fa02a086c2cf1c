"""Say which day a number may mean that a program wrote in place of a date."""

import datetime
import re
from typing import NamedTuple

from data_modules.cohort.written_dates import FIRST_DAY

_NUMBER = re.compile(r"(?:\d{4,19}(?:\.\d+)?|\d\.\d+)(?:e\+\d\d)?", re.ASCII | re.IGNORECASE)
_DAY_S = 86_400.0
EARLIEST, LATEST = 1990, 2030  # recordings that can be read with a program


class Count(NamedTuple):
    """How a program counts: its name for messages, the first day, seconds for each number."""

    name: str
    first_day: datetime.date
    seconds: float


_1960, _1970 = datetime.date(1960, 1, 1), datetime.date(1970, 1, 1)
_COUNTS = (
    Count("the days of SAS or Stata since 1960", _1960, _DAY_S),
    Count("the days of R since 1970", _1970, _DAY_S),
    Count("seconds since 1970", _1970, 1.0),
    Count("milliseconds since 1970", _1970, 1e-3),
    Count("microseconds since 1970", _1970, 1e-6),
    Count("nanoseconds since 1970", _1970, 1e-9),
    Count("the seconds of SAS since 1960", _1960, 1.0),
    Count("the milliseconds of Stata since 1960", _1960, 1e-3),
    Count("the seconds of SPSS since 1582", datetime.date(1582, 10, 14), 1.0),
)


def possible_days(text: str, first_day: datetime.date = FIRST_DAY) -> str:
    """Name the days of 1990 to 2030 that a number is as programs count; empty for none.

    Args:
        text: a cell.
        first_day: of the workbook's calendar.
    """
    if _NUMBER.fullmatch(text) is None or set(text) == {"9"}:  # nines stand for no value
        return ""
    counts = (Count("a spreadsheet's number of days", first_day, _DAY_S), *_COUNTS)
    found = []
    for one in counts:
        days = int(float(text) * one.seconds // _DAY_S)
        if days < (LATEST + 1 - one.first_day.year) * 366:
            day = one.first_day + datetime.timedelta(days=days)
            found += [f"as {one.name} it is {day}"] if EARLIEST <= day.year <= LATEST else []
    return " or ".join(found)
