"""Find columns that hold one value in all rows, and dates that have not come yet."""

import datetime

import pandas as pd

from data_modules.cohort.columns import DATES, NUMBER_RANGES
from lsemvae.core.counted import counted
from lsemvae.core.findings import Finding

N_LEAST = 10
# MIMIC and its like move their dates to 2100 and later, to protect their patients.
_MOVED_ON_PURPOSE = pd.Timestamp("2100-01-01", tz="UTC")


def odd_columns(table: pd.DataFrame) -> list[Finding]:
    """Return what no cohort has: one pressure, or one date, of all patients; days to come."""
    known = [name for name in (*NUMBER_RANGES, *DATES) if name in table]
    found = [one for name in known for one in _one_value(table[name], table["patient_id"])]
    dated = [name for name in DATES if name in table]
    return found + [one for name in dated for one in _to_come(table[name])]


def _one_value(column: pd.Series, patient: pd.Series) -> list[Finding]:
    filled = column[column.notna() & (column != "")]
    if patient[filled.index].nunique() < N_LEAST or filled.nunique() > 1:
        return []
    text = (
        f"{column.name} is {filled.iloc[0]} in {counted(len(filled), 'row')}, in all that have it: "
        "was it filled in, or is it the day of the export?"
    )
    return [Finding("one value", ("all rows",), text)]


def _to_come(column: pd.Series) -> list[Finding]:
    days = pd.to_datetime(column, format="ISO8601", errors="coerce", utc=True)
    tomorrow = pd.Timestamp(datetime.datetime.now(datetime.UTC)) + pd.Timedelta(days=1)
    wrong = (days > tomorrow) & (days < _MOVED_ON_PURPOSE)
    if not wrong.any():
        return []
    text = f"{column.name} lies in the future in {counted(int(wrong.sum()), 'row')}"
    return [Finding("future", tuple(map(str, wrong.index[wrong])), text)]
