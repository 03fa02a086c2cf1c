"""Read dates and times of day as devices write them."""

import datetime
import re

_ISO = re.compile(r"(\d{4})(?:(\d\d)(\d\d)|[-./](\d\d?)[-./](\d\d?))", re.ASCII)
_NUMBERED = re.compile(r"(\d\d?)([-/. ])(\d\d?)\2(\d{4})", re.ASCII)
_NAMED = re.compile(r"(\d\d?)[-/. ]([A-Za-z]{3})[A-Za-z]*[-/. ](\d{4})", re.ASCII)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_CLOCK = re.compile(
    r"(?:(\d\d):?|(\d):)(\d\d)(?::?(\d\d))?(?:[.,]\d+)?(?:\s*([AP])\.?M\b)?.*",
    re.ASCII | re.IGNORECASE,
)


def calendar_date(year: int, month: int, day: int) -> datetime.date | None:
    """Return a date, None where the calendar has none."""
    try:
        return datetime.date(year, month, day)
    except ValueError:
        return None


def iso_date(text: str | None) -> datetime.date | None:
    """Return a date written year first (2020-03-01, 20200301, 2020.03.01), whatever follows.

    None where it is none.
    """
    found = _ISO.match((text or "").strip())
    return calendar_date(*map(int, filter(None, found.groups()))) if found else None


def after_iso_date(text: str | None) -> str:
    """Return what follows a date written year first, without the T between date and time."""
    return _ISO.sub("", (text or "").strip(), count=1).strip(" Tt")


def ordered_date(text: str, *, day_first: bool) -> datetime.date | None:
    """Return a date written as day, month, year or month, day, year; None where it is none.

    With the month by its English name (`12-May-2020`) the day stands first whatever is asked for.
    """
    plain = text.strip()
    if (named := _NAMED.fullmatch(plain)) is not None:
        month = named[2].lower()
        return calendar_date(int(named[3]), _MONTHS.index(month) + 1 if month in _MONTHS else 0,
                             int(named[1]))  # fmt: skip
    found = _NUMBERED.fullmatch(plain)
    if not found:
        return None
    first, second, year = map(int, found.group(1, 3, 4))
    return calendar_date(year, *((second, first) if day_first else (first, second)))


def clock_time(text: str) -> str:
    """Return a time of day as HH:MM:SS, of 12 hours too (`2:15:07 PM`); empty where it is none."""
    found = _CLOCK.fullmatch(text.strip())
    if found is None:
        return ""
    hour, minute, second = int(found[1] or found[2]), int(found[3]), int(found[4] or 0)
    if found[5] and 1 <= hour <= 12:
        hour = hour % 12 + (12 if found[5] in "Pp" else 0)
    sound = hour < 24 and minute < 60 and second < 60
    return f"{hour:02d}:{minute:02d}:{second:02d}" if sound else ""
