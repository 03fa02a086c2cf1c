"""Compare the days on which recordings were taken by their own files and by the table."""

import datetime
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd

from data_modules.reading.reasons import RecordError
from data_modules.reading.stored.facts import day_first
from data_modules.reading.stored.read import read_facts
from lsemvae.core.counted import counted
from lsemvae.core.findings import places

COLUMN = "ecg_date"
MOST_READ = 5_000  # headers, of a longer table drawn ones; an XML file takes some milliseconds
DAYS = 1  # midnight and time zones
# One day that stands in most files is that of a conversion, not of the recordings.
N_LEAST, MOST = 5, 0.5
SAME_DAYS = 0.9  # of the table, that stand in the files of other rows: no shift does that


def recorded_day_doubts(table: pd.DataFrame, source: Path) -> tuple[str, ...]:
    """Return a sentence where files and table name other days.

    Args:
        table: of the listed recordings, with `record`.
        source: the folder that they lie in.
    """
    if COLUMN not in table:
        return ()
    stated = pd.to_datetime(table[COLUMN], format="ISO8601", errors="coerce", utc=True)
    rows = np.flatnonzero(stated.notna())
    if len(rows) > MOST_READ:
        rows = np.sort(np.random.default_rng(0).choice(rows, MOST_READ, replace=False))
    days = stated.dt.date
    found = {int(row): _days(source, str(table["record"].iloc[row])) for row in rows}
    found = {row: taken for row, taken in found.items() if taken}
    own = pd.Series([taken[0] for taken in found.values()], dtype=str)
    if len(own) >= N_LEAST and own.value_counts().iloc[0] > MOST * len(own):
        return ()
    apart = {row: _apart(days.iloc[row], taken) for row, taken in found.items()}
    other = {row: n for row, n in apart.items() if abs(n) > DAYS}
    if not other:
        return ()
    same = Counter(str(days.iloc[row]) for row in found) & Counter(own)
    slipped = same.total() >= SAME_DAYS * len(found)
    return (_said(table, other, len(found), slipped=slipped),)


def _days(source: Path, record: str) -> list[str]:
    """Return the day by the file, in both orders where day and month are only numbers."""
    try:
        facts = read_facts(source, record)
    except RecordError:  # its signal is judged elsewhere; a row of an array has no file of its own
        return []
    taken = [one.acquired.known[:10] for one in (facts, day_first(facts))]
    return [day for day in dict.fromkeys(taken) if day]


def _apart(stated: datetime.date, taken: list[str]) -> int:
    """Return the days from the table's date to the file's."""
    return min(((datetime.date.fromisoformat(day) - stated).days for day in taken), key=abs)


def _said(table: pd.DataFrame, other: dict[int, int], n_compared: int, *, slipped: bool) -> str:
    named = [f"{table['record'].iloc[row]} by {counted(abs(n), 'day')}" for row, n in other.items()]
    amounts = set(other.values())
    text = (
        f"{COLUMN} is another day than the recording's own file says in {len(other)} of "
        f"{counted(n_compared, 'recording')} with both ("
    )
    if slipped or len(other) <= MOST * n_compared or len(other) < N_LEAST:
        return f"{text}{places(named)}): do these rows stand beside their own recordings?"
    if len(amounts) == 1:
        n = amounts.pop()
        side = "earlier" if n > 0 else "later"
        return f"{text}all {counted(abs(n), 'day')} {side}): does a program count from another day?"
    return (
        f"{text}{places(named)}): were the dates shifted to hide whose they are, in one of them "
        "only? If not, the rows do not stand beside their own recordings"
    )
