"""Read dates that can be meant in one way only, in the spellings of tables."""

import datetime
import re

import pandas as pd

from data_modules.reading.stored.dates import calendar_date
from lsemvae.core.counted import counted

_TIME = r"(?:[ T:](\d{1,2}:\d\d(?::\d\d)?))?"
_YEAR_FIRST = re.compile(rf"(\d{{4}})([/.])(\d{{1,2}})\2(\d{{1,2}}){_TIME}", re.ASCII)
_DAY_FIRST = re.compile(rf"(\d{{1,2}})\.?[-/. ]*([^\W\d_]+)\.?[-/., ]*(\d{{4}}){_TIME}")
_MONTH_FIRST = re.compile(rf"([^\W\d_]+)\.? (\d{{1,2}}),? (\d{{4}}){_TIME}")
_ROMAN = ("i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x", "xi", "xii")
# The first letters in English, German, French, Spanish, Italian, Portuguese and Dutch.
_MONTHS = (
    "jan j\u00e4n ene gen", "feb fev f\u00e9v", "mar m\u00e4r mrz maa", "apr avr abr",
    "may mai mag mei", "jun juin giu", "jul juil lug", "aug aou ao\u00fb ago", "sep set",
    "oct okt ott out", "nov", "dec dez d\u00e9c dic",
)  # fmt: skip
_SERIAL = re.compile(r"[1-6]\d{4}(\.\d+)?", re.ASCII)  # 1927 to 2091
FIRST_DAY = datetime.date(1899, 12, 30)  # spreadsheets count days from here, some from 1904
# The first days of programs' calendars, which stand where nobody gave a date.
_FIRST_DAYS = ("1900-01-01", "1901-01-01", "1904-01-01", "1970-01-01")
_MIDNIGHT = re.compile(r".*\d[ T]24:00(?::00(?:\.0+)?)?", re.ASCII)


def written_date(text: str) -> datetime.date | None:
    """Return a date with the year first, or the month by its name or in Roman numbers.

    Such as 2020/05/12, 12.May.2020, 12 Mai 2020, 12-V-2020, 12MAY2020, May 12, 2020. None for
    others, and for days that the calendar does not have.
    """
    found = _parts(text)
    return None if found is None else calendar_date(*found[:3])


def serial_date(text: str, first_day: datetime.date = FIRST_DAY) -> datetime.date | None:
    """Return the day that a spreadsheet's number of days means; None where it is no such number."""
    if not _SERIAL.fullmatch(text):
        return None
    return first_day + datetime.timedelta(days=int(float(text)))


def ends_its_day(text: str) -> bool:
    """Whether a date has the time 24:00, the midnight with which the next day begins."""
    return _MIDNIGHT.fullmatch(text) is not None


def tell_first_days(days: pd.Series) -> list[str]:
    """Say where dates are the first day of a program's calendar.

    Args:
        days: dates, or text that begins with one written YYYY-MM-DD.
    """
    found = days.astype(str).str[:10]
    counts = found[found.isin(_FIRST_DAYS)].value_counts(sort=False)
    return [
        f"{days.name}: {counted(n, 'cell is', 'cells are')} {day} (row "
        f"{found.index[found == day][0]}), which programs write where nobody gave a date; read as "
        "a date, so leave the cell empty if it is none"
        for day, n in counts.items()
    ]


def plain_dates(cells: pd.Series) -> tuple[pd.Series, list[str]]:
    """Write the dates of a column as YYYY-MM-DD where they can be meant in one way only.

    Args:
        cells: text.

    Returns:
        The cells, and a note where one was written in another way.
    """
    plain = cells.map(_plain_date).astype(str)
    changed = plain != cells
    if not changed.any():
        return cells, []
    shown = f"{cells[changed].iloc[0]!r} as {plain[changed].iloc[0]}"
    note = f"{cells.name}: {changed.sum()} dates were read in their own spelling, {shown}"
    return plain, [note]


def _plain_date(text: str) -> str:
    day, parts = written_date(text), _parts(text)
    if day is None or parts is None:
        return text
    return f"{day} {parts[3].zfill(5)}" if parts[3] else f"{day}"


def _parts(text: str) -> tuple[int, int, int, str] | None:
    """Return year, month, day and time of day, empty where there is none."""
    plain = text.strip()
    if (found := _YEAR_FIRST.fullmatch(plain)) is not None:
        return int(found[1]), int(found[3]), int(found[4]), found[5] or ""
    if (found := _DAY_FIRST.fullmatch(plain)) is not None:
        return int(found[3]), month_of(found[2]), int(found[1]), found[4] or ""
    if (found := _MONTH_FIRST.fullmatch(plain)) is not None:
        return int(found[3]), month_of(found[1]), int(found[2]), found[4] or ""
    return None


def month_of(word: str) -> int:
    """Return the number of a month, 0 for any other word."""
    lower = word.casefold()
    if lower in _ROMAN:
        return _ROMAN.index(lower) + 1
    return next(
        (n for n, ways in enumerate(_MONTHS, 1) if lower.startswith(tuple(ways.split()))), 0
    )
