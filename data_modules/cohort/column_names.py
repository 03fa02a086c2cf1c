"""Bring the columns of a cohort table under our names, and tell which look like a known one."""

import re
from collections.abc import Collection
from difflib import get_close_matches

import pandas as pd

from data_modules.cohort.columns import DATES, NUMBER_RANGES, REQUIRED, RESERVED

OURS = (*REQUIRED, *NUMBER_RANGES, *DATES, "sex", "birth_date")
"""The columns that commands read by name."""

# How tables name the quantities, without blanks, signs and units.
_ALIKE = {
    "mpap_mmhg": "mpap|meanpap|papm(ean)?|pamean|meanpa(pressure)?",
    "pawp_mmhg": "pawp|pcwp|paop|pawedge|wedge(pressure)?",
    "spap_mmhg": "spap|paps(yst?)?|pasp|systolicpap?",
    "dpap_mmhg": "dpap|papd(iast?)?|padp|diastolicpap?",
    "age_years": "age|alter",
    "cardiac_output_l_min": "co|hzv|cardiacoutput",
    "pvr_wu": "pvr",
    "pvr_dyn_s_cm5": "pvr(indyn.*|dyn.*)",
}
_UNIT_AT_END = r"(mmhg|lmin|wu|years|yrs|y)?"
# what pandas and R put behind a name that occurs twice, or in both tables of a join
_SECOND = re.compile(r"(\.\d+|\.\.\.\d+|_[xy]|\.[xy])$")


def rename_columns(cells: pd.DataFrame, columns: dict[str, str]) -> tuple[pd.DataFrame, list[str]]:
    """Bring the columns under our names, `record` and `patient_id` first; tell what is lacking.

    Args:
        cells: of the file.
        columns: for each of our names the file's, where they differ.

    Returns:
        The table, and a line for each problem.
    """
    mapped = set(columns.values()) - set(REQUIRED)
    source = {name: name for name in cells if name not in mapped} | columns
    lacking = [name for name in REQUIRED if name not in source]
    lacking += [f"{name} (as {old!r})" for name, old in columns.items() if old not in cells]
    problems = []
    if lacking:
        found = ", ".join(map(str, cells.columns))
        step = "name the file's own with columns, e.g. --columns.record=FILE_NAME"
        if len(cells.columns) == 1:
            step = "separate its columns by commas, semicolons or tabs"
        problems.append(
            f"the table lacks the columns {', '.join(lacking)}; it has {found[:600]}; {step}"
        )
    problems += [
        f"the column {name} has a name that the store uses; rename it"
        for name in RESERVED
        if name in source
    ]
    problems += misspelt_names(columns, source)
    order = [*REQUIRED, *(name for name in source if name not in REQUIRED)]
    known = [name for name in order if source.get(name) in cells]
    return pd.DataFrame({name: cells[source[name]] for name in known}), problems


def misspelt_names(columns: dict[str, str], source: Collection[object]) -> list[str]:
    """Return a line for each new name that comes near one of ours, which no column has.

    Args:
        columns: for each new name the file's.
        source: the names that columns have in the end.
    """
    lacking = [name for name in OURS if name not in source]
    # the first letter is hardly ever mistyped, and tells a quantity from its neighbour
    near = {
        name: get_close_matches(
            name.casefold(), [one for one in lacking if one[0] == name[:1].casefold()], 1, 0.85
        )
        for name in columns
        if name not in OURS
    }
    return [
        f"--columns.{name}={columns[name]} gives no column that is read; did you mean "
        f"--columns.{found[0]}={columns[name]}?"
        for name, found in near.items()
        if found
    ]


def unmapped_columns(table: pd.DataFrame) -> list[str]:
    """Tell the columns that are named like a known quantity, and are not the one that is read.

    Their numbers stay under the file's name, so that no task finds them.
    """
    bare = {name: _SECOND.sub("", str(name).casefold()) for name in table}
    plain = {name: re.sub(r"[^a-z0-9]", "", word) for name, word in bare.items()}
    notes = []
    for ours, ways in _ALIKE.items():
        known = re.compile(f"({ways}){_UNIT_AT_END}|{ours.replace('_', '')}")
        like = [name for name, word in plain.items() if known.fullmatch(word)]
        like = [name for name in like if name not in NUMBER_RANGES]
        if like and ours not in table:
            notes.append(
                f"there is no column {ours}, but {like[0]!r}; if it is that, in that unit, say "
                f"--columns.{ours}={like[0]!r}"
            )
        elif like and (table[like[0]] != table[ours]).any():
            notes.append(
                f"the column {like[0]!r} holds other values than {ours}, which is read; if the "
                f"other is right, say --columns.{ours}={like[0]!r}"
            )
    return notes
