"""Hold what a file says of its patient and acquisition; each field stored, a default or absent."""

import datetime
import math
import re
from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple

from data_modules.reading.stored.dates import (
    after_iso_date,
    clock_time,
    iso_date,
    ordered_date,
)
from data_modules.reading.text_cells import SEX

Status = Literal["stored", "default", "absent"]

MEASURED = (
    "machine_heart_rate_bpm",
    "machine_pr_ms",
    "machine_qrs_ms",
    "machine_qt_ms",
    "machine_qtc_ms",
    "machine_p_axis_deg",
    "machine_qrs_axis_deg",
    "machine_t_axis_deg",
)
"""The machine's own measurements that are kept, by their names in a cohort table."""

# what devices write where nobody typed anything in
_NOBODY = {"unknown", "anonymous", "anonymized", "anonymised", "none", "null", "n/a", "na", "x",
           "test", "demo", "default", "patient", "noid", "no id", "unnamed"}  # fmt: skip
_FACTORY_DATES = {
    datetime.date(1900, 1, 1), datetime.date(1970, 1, 1), datetime.date(1980, 1, 1),
    datetime.date(1985, 1, 1),
}  # fmt: skip
# Before it nobody alive was born and no ECG was stored: a clock that was not set.
_FIRST_YEAR = 1900
_AGE = re.compile(r"(\d{1,3}(?:\.\d+)?)\s*([a-z]*)\.?", re.ASCII | re.IGNORECASE)
_YEARS_PER = {"y": 1.0, "yr": 1.0, "year": 1.0, "mo": 1 / 12, "month": 1 / 12, "m": 1 / 12,
              "w": 7 / 365.25, "wk": 7 / 365.25, "week": 7 / 365.25, "d": 1 / 365.25,
              "day": 1 / 365.25}  # fmt: skip


class Fact(NamedTuple):
    """A field of a file: plain text, or ISO 8601 for dates; empty where it is absent."""

    value: str = ""
    status: Status = "absent"

    @property
    def known(self) -> str:
        """The value where somebody stated it, empty where it is a default or absent."""
        return self.value if self.status == "stored" else ""


ABSENT = Fact()


class StoredFacts(NamedTuple):
    """What a file says of patient and acquisition.

    Attributes:
        kind: of the file.
        patient_id: as the file writes it.
        acquired: date, with the time where it is stated, ISO 8601.
        sex: `F` or `M`.
        birth_date: ISO 8601.
        age_years: a number.
        device: maker and model.
        statements: of the machine's or the reader's interpretation, a line each.
        measured: the machine's own measurements, by the names of `MEASURED`.
        numbered_dates: date of acquisition and of birth as the file writes them, where the order
            of day and month is only known from the maker; both are read month first then.
    """

    kind: str
    patient_id: Fact = ABSENT
    acquired: Fact = ABSENT
    sex: Fact = ABSENT
    birth_date: Fact = ABSENT
    age_years: Fact = ABSENT
    device: Fact = ABSENT
    statements: tuple[str, ...] = ()
    measured: Mapping[str, float] = {}
    numbered_dates: tuple[str, ...] = ()


def plain(text: str | None) -> Fact:
    """Return a text field, its blanks made single."""
    value = " ".join((text or "").replace("\0", " ").split())
    return Fact(value, "stored") if value else ABSENT


def identifier(text: str | None) -> Fact:
    """Return a patient id; nothing but zeros, nines, signs or a word for nobody is a default."""
    fact = plain(text)
    nobody = fact.value.casefold() in _NOBODY or re.fullmatch(r"[0\W_]+|9{4,}|[xX]+", fact.value)
    return fact._replace(status="default") if fact.value and nobody else fact


def sex(text: str | None) -> Fact:
    """Return `F` or `M`; any other entry is a default."""
    fact = plain(text)
    letter = SEX.get(fact.value.casefold())
    if letter is None:
        return Fact("", "default" if fact.value else "absent")
    return Fact(letter, "stored")


def moment(date: datetime.date | None, time: str = "") -> Fact:
    """Return a date with the time behind it where that is one; a factory setting is a default."""
    if date is None:
        return ABSENT
    clock = clock_time(time)
    unset = date in _FACTORY_DATES or date.year < _FIRST_YEAR
    return Fact(f"{date}T{clock}" if clock else f"{date}", "default" if unset else "stored")


def day_first(facts: StoredFacts) -> StoredFacts:
    """Return the facts with their numbered dates read day first."""
    if not facts.numbered_dates:
        return facts
    taken, born = (ordered_date(text, day_first=True) for text in facts.numbered_dates)
    clock = facts.acquired.value[11:]
    return facts._replace(acquired=moment(taken, clock), birth_date=moment(born))


def compact_moment(text: str | None) -> Fact:
    """Return a date and time written YYYYMMDDHHMMSS, as in DICOM and HL7, or with signs between."""
    return moment(iso_date(text), after_iso_date(text))


def first_stored(moments: Iterable[Fact]) -> Fact:
    """Return the first that somebody stated; where nobody did, the first default, or an absent one.

    Args:
        moments: in the order in which they are to be believed.
    """
    found = [one for one in moments if one.status != "absent"]
    return next((one for one in found if one.status == "stored"), found[0] if found else ABSENT)


def years(text: str | None, unit: str = "years") -> Fact:
    """Return an age in years, from 0 to 120; other units than years to days are none.

    A unit behind the number (`18 months`, `049Y`) counts before the other.
    """
    found = _AGE.fullmatch((text or "").strip())
    size = _YEARS_PER.get(((found[2] if found else "") or unit).strip().lower().rstrip("s"))
    value = float(found[1]) * (size or math.nan) if found else math.nan
    return Fact(f"{value:.4g}", "stored") if 0 < value <= 120 else ABSENT


def number_or_nan(text: str | None) -> float:
    """Return a number, NaN where there is none."""
    try:
        return float((text or "").strip()[:40])
    except ValueError:
        return math.nan


def measurements(pairs: Iterable[tuple[str, str | None]]) -> dict[str, float]:
    """Return the measurements that are numbers; the first of a name holds."""
    found: dict[str, float] = {}
    for name, text in pairs:
        value = number_or_nan(text)
        if math.isfinite(value):
            found.setdefault(name, value)
    return found
