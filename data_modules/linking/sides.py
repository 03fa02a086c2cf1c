"""Tell on which side of the catheter recordings lie, where that speaks for a mistake."""

import pandas as pd

from data_modules.cohort.catheter_days import N_LEAST, tell_after
from data_modules.linking.id_rule import IdRule
from data_modules.linking.match import Match, When, Window, match
from lsemvae.core.counted import counted

_OTHER: dict[When, When] = {"before": "after", "after": "before"}


def tell_sides(
    files: pd.DataFrame, rows: pd.DataFrame, ids: IdRule, window: Window, linked: Match
) -> list[str]:
    """Return a sentence where nearly all recordings lie after the catheter, or on the other side.

    Args:
        files: from `take_dated`.
        rows: from `read_hospital_table`.
        ids: which spellings are one id.
        window: that was asked for.
        linked: what it gave.
    """
    if window.when == "nearest":
        told = tell_after(linked.pairs["days"], "is rhc_date the day of the catheter?")
        return [told] if told else []
    other = match(files, rows, ids, window._replace(when=_OTHER[window.when]))
    here, there = len(linked.pairs), len(other.pairs)
    if there < N_LEAST or there <= here:
        return []
    return [
        f"`when` {window.when} gives {counted(here, 'recording')}, {_OTHER[window.when]} would "
        f"give {there}: is the side of the window as you meant it?"
    ]
