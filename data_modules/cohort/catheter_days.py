"""Find dates of ECG and catheter that lie far apart, or seem to be exchanged."""

import pandas as pd

from data_modules.cohort.columns import DATES
from lsemvae.core.counted import counted
from lsemvae.core.findings import Finding

# An ECG is taken before the catheter as a rule, or on its day. That of a ward that takes it
# afterwards looks the same as exchanged columns, so this is a question.
N_LEAST, NEARLY_ALL = 10, 0.8


def days_after_catheter(table: pd.DataFrame) -> pd.Series:
    """Return the days from the catheter to the ECG, NaN where a date is missing or none."""
    ecg, catheter = (
        pd.to_datetime(table[name], format="ISO8601", errors="coerce", utc=True).dt.normalize()
        for name in DATES
    )
    return (ecg - catheter).dt.days


def check_days(table: pd.DataFrame, max_days: int) -> list[Finding]:
    """Return the rows whose dates are more than some days apart, in either order."""
    if not set(DATES) <= set(table):
        return []
    days = days_after_catheter(table)
    found = []
    for wrong, text in (
        (days > max_days, f"the ECG is more than {max_days} days after the catheter, at most "
                          f"{days.max():.0f}: treatment may have changed the heart"),
        (days < -max_days, f"the ECG is more than {max_days} days before the catheter, at most "
                           f"{-days.min():.0f}"),
    ):  # fmt: skip
        if wrong.any():
            found.append(Finding("ECG to catheter", tuple(map(str, days.index[wrong])), text))
    return found


def exchanged_dates(table: pd.DataFrame) -> list[Finding]:
    """Find a cohort whose ECGs nearly all lie after the catheter."""
    if not set(DATES) <= set(table):
        return []
    told = tell_after(days_after_catheter(table).dropna(), "are ecg_date and rhc_date exchanged?")
    return [Finding("dates", ("all rows",), told)] if told else []


def tell_after(days: pd.Series, question: str) -> str:
    """Return a sentence where nearly all ECGs lie after the catheter, else an empty text.

    Args:
        days: from catheter to ECG, of those that are known.
        question: what may be wrong then.
    """
    after = int((days > 0).sum())
    if len(days) < N_LEAST or after < NEARLY_ALL * len(days):
        return ""
    return (
        f"the ECG lies after the catheter in {after} of {counted(len(days), 'row')}, by "
        f"{days.median():g} days in the median, where treatment may have changed the heart: "
        f"{question}"
    )
