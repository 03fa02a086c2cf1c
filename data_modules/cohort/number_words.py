"""Tell what stands beside a number in a cell: its unit is left out, anything else is named."""

import re
import unicodedata

import pandas as pd

from data_modules.cohort.columns import NUMBER
from data_modules.cohort.written_dates import month_of
from data_modules.reading.text_cells import are_units
from lsemvae.core.counted import counted

# The unit that the name of a column states, by the end of the name, as people write it.
_OWN_UNITS = {
    "_mmhg": r"mm ?hg|torr",
    "_years": r"y|yrs?|years?|jahre?|ans|a\u00f1os|anni|anos",
    "_bpm": r"bpm|1?/ ?min|beats/min",
    "_l_min": r"l/ ?min",
    "_wu": r"wu|wood( units?)?",
    "_m2": r"m2|m\u00b2",
    "_dyn_s_cm5": r"dyn.{0,12}",
}
_MADE_DATE = "a spreadsheet made a date or a time of it: compare it with its source"
_BESIDE = rf"({NUMBER}|[-+]?[0-9]+,[0-9]+)\s*"  # a comma is judged with the column's others
_DATE = r"\d{4}-\d\d-\d\d.*|\d{1,2}:\d\d.*|.*\bdays?, .*"
_DAY = re.compile(r"\d{1,2}[-. ]+([^\W\d_]{3,}).*")
_REASONS = (
    (r"[<>\u2264\u2265=~\u2248]+ ?[\d.,]+.*|[\d.,]+ ?\+|(?:ca|approx|about)\.? ?[\d.,]+",
     "a bound or an estimate is no value: write a number if there is one, else leave it empty"),
    (_DATE, _MADE_DATE),
    (r"[\d.,]+ ?[-\u2013\u2014/\u00b1] ?[\d.,]+.*",
     "it holds several values: write one, or leave it empty"),
    (r"[-+]?[1-9]\d{0,2}(?:[,' \u2019\u00a0\u202f]\d{3})+(?:\.\d+)?",
     "a mark between thousands, or a decimal comma: write the number without the one, or with a "
     "point for the other"),
    (r"[-+]?[1-9]\d{0,2}(?:[.' \u2019\u00a0\u202f]\d{3})+,\d+",
     "write it without marks between thousands and with a decimal point"),
    (r"[-+]?\d+,\d+(?:[eE][-+]?\d+)?", "write a decimal point"),
)  # fmt: skip
_REMARK = re.compile(r"([-+]?[\d.]+)\s*(\S.*)")


def leave_out_units(cells: pd.Series) -> tuple[pd.Series, list[str]]:
    """Leave out of a quantity's cells the unit that the column's name states.

    Args:
        cells: text; named as the quantity, such as `mpap_mmhg`.

    Returns:
        The cells, and a note where one had it.
    """
    units = next((unit for end, unit in _OWN_UNITS.items() if str(cells.name).endswith(end)), "")
    found = cells.str.extract(rf"^{_BESIDE}(?:{units})\.?$", flags=re.IGNORECASE)[0].dropna()
    found = found[found != cells[found.index]]
    if not units or found.empty:
        return cells, []
    shown = f"{cells[found.index[0]]!r} as {found.iloc[0]}"
    note = f"{cells.name}: read without the column's unit: {counted(len(found), 'cell')}, {shown}"
    return found.reindex(cells.index).fillna(cells), [note]


def why_no_number(cell: str) -> str:
    """Say why a cell is no number, and what to write."""
    for pattern, reason in _REASONS:
        if re.fullmatch(pattern, cell, re.IGNORECASE):
            return reason
    day = _DAY.fullmatch(cell)
    if day is not None and month_of(day[1]):
        return _MADE_DATE
    plain = "".join(_digit(one) for one in cell if unicodedata.category(one) != "Cf").strip(" '\"")
    if re.fullmatch(NUMBER, plain):
        return f"it holds other signs than plain digits: write {plain}"
    remark = _REMARK.fullmatch(cell)
    if remark is None:
        return "write a number, or leave it empty"
    if are_units([remark[2]]):
        return f"{remark[2]} is not the unit of the column: convert it"
    return f"{remark[2][:20]!r} stands beside {remark[1]}: write the number alone"


def _digit(sign: str) -> str:
    """Return a digit of any script as ours, other signs as they are."""
    return str(unicodedata.decimal(sign, sign))
