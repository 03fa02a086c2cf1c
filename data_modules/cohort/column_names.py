"""Bring the columns of a cohort table under our names, and tell which look like a known one."""

import re

import pandas as pd

from data_modules.cohort.columns import REQUIRED, RESERVED

# How tables name the quantities, without blanks, signs and units.
_ALIKE = {
    "mpap_mmhg": "mpap|meanpap|papm(ean)?|pamean|meanpa(pressure)?",
    "pawp_mmhg": "pawp|pcwp|paop|pawedge|wedge(pressure)?",
    "spap_mmhg": "spap|paps(yst?)?|pasp|systolicpap?",
    "dpap_mmhg": "dpap|papd(iast?)?|padp|diastolicpap?",
    "age_years": "age|alter",
    "cardiac_output_l_min": "co|hzv|cardiacoutput",
    "pvr_wu": "pvr",
}
_UNIT_AT_END = r"(mmhg|lmin|wu|years|yrs|y|dynscm5)?"


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
        if len(cells.columns) == 1 and re.search(r"[| ]", found):
            step = "separate its columns by commas, semicolons or tabs"
        problems.append(
            f"the table lacks the columns {', '.join(lacking)}; it has {found[:600]}; {step}"
        )
    problems += [
        f"the column {name} has a name that the store uses; rename it"
        for name in RESERVED
        if name in source
    ]
    order = [*REQUIRED, *(name for name in source if name not in REQUIRED)]
    known = [name for name in order if source.get(name) in cells]
    return pd.DataFrame({name: cells[source[name]] for name in known}), problems


def unmapped_columns(table: pd.DataFrame) -> list[str]:
    """Tell the columns that are named like a known quantity which the table lacks.

    Their numbers stay under the file's name, so that no task finds them.
    """
    plain = {name: re.sub(r"[^a-z0-9]", "", str(name).casefold()) for name in table}
    notes = []
    for ours, ways in _ALIKE.items():
        known = re.compile(f"({ways}){_UNIT_AT_END}|{ours.replace('_', '')}")
        like = [name for name, word in plain.items() if known.fullmatch(word)]
        if like and ours not in table:
            notes.append(
                f"there is no column {ours}, but {like[0]!r}; if it is that, in that unit, say "
                f"--columns.{ours}={like[0]!r}"
            )
    return notes
