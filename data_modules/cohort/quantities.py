"""Read quantities of a catheter from a cohort table, or derive them and say which."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd

from lsemvae.core.errors import InputError
from lsemvae.core.targets import NUMBERS
from lsemvae.core.tasks import ESTIMATED, GROUPS, Thresholds, find_task, haemodynamic_group

DYN_PER_WU = 80.0  # 1 mmHg min / L in dyn s cm-5, as clinics round it
OUTPUT, PVR_WU, PVR_DYN = "cardiac_output_l_min", "pvr_wu", "pvr_dyn_s_cm5"
STATED, CONVERTED, COMPUTED = "stated", "divided by 80", "computed as (mPAP - PAWP) / CO"


class Quantity(NamedTuple):
    """A quantity of every record.

    Attributes:
        values: float, NaN where it is not known.
        source: where each value is from: `stated`, or how it was derived.
    """

    values: pd.Series
    source: pd.Series


def quantity(table: pd.DataFrame, name: str, thresholds: Thresholds) -> Quantity | None:
    """Return a quantity, derived where that is allowed; None where nothing of it is there.

    Args:
        table: a store's table.
        name: of the column, such as `pvr_wu`.
        thresholds: say whether a missing mean pressure may be estimated.

    Raises:
        InputError: a cell is no number, or a cardiac output is not positive.
    """
    if name == PVR_WU:
        return _vascular_resistance(table, thresholds)
    if name == "mpap_mmhg" and thresholds.estimate_mpap:
        return _mean_pressure(table)
    return _filled(table, {STATED: lambda: column_numbers(table, name)})


def _mean_pressure(table: pd.DataFrame) -> Quantity | None:
    """Return mPAP, estimated as (sPAP + 2 dPAP) / 3 where it is missing."""

    def estimate() -> pd.Series | None:
        systolic, diastolic = (column_numbers(table, name) for name in ("spap_mmhg", "dpap_mmhg"))
        return None if systolic is None or diastolic is None else (systolic + 2 * diastolic) / 3

    return _filled(table, {STATED: lambda: column_numbers(table, "mpap_mmhg"), ESTIMATED: estimate})


def _vascular_resistance(table: pd.DataFrame, thresholds: Thresholds) -> Quantity | None:
    """Return PVR in Wood units: stated, else converted from dyn s cm-5, else computed."""

    def converted() -> pd.Series | None:
        values = column_numbers(table, PVR_DYN)
        return None if values is None else values / DYN_PER_WU

    return _filled(table, {
        STATED: lambda: column_numbers(table, PVR_WU),
        CONVERTED: converted,
        COMPUTED: lambda: computed_resistance(table, thresholds),
    })  # fmt: skip


def computed_resistance(table: pd.DataFrame, thresholds: Thresholds) -> pd.Series | None:
    """Return (mPAP - PAWP) / CO in Wood units (mmHg min / L), None where a column lacks.

    Raises:
        InputError: a cardiac output is not positive.
    """
    output, wedge = column_numbers(table, OUTPUT), column_numbers(table, "pawp_mmhg")
    mean = quantity(table, "mpap_mmhg", thresholds)
    if output is None or wedge is None or mean is None:
        return None
    if (output <= 0).any():
        row = table[output <= 0].iloc[0]
        raise InputError(
            f"column {OUTPUT!r} holds {row[OUTPUT]} for record {row['record']}; expected litres "
            "per minute above 0, empty where it is not known"
        )
    return (mean.values - wedge) / output


def _filled(
    table: pd.DataFrame, ways: dict[str, Callable[[], pd.Series | None]]
) -> Quantity | None:
    """Take every record's value from the first way that has one."""
    values = pd.Series(np.nan, index=table.index)
    source = pd.Series("", index=table.index, dtype=object)
    known = False
    for way, read in ways.items():
        found = read()
        if found is not None:
            known = True
            new = values.isna() & found.notna()
            values, source = values.where(~new, found), source.where(~new, way)
    return Quantity(values, source) if known else None


def column_numbers(table: pd.DataFrame, name: str) -> pd.Series | None:
    """Return a column as float, NaN where it is empty; None where there is no such column.

    Raises:
        InputError: a cell is no number.
    """
    if name not in table.columns:
        return None
    numbers = pd.to_numeric(table[name].replace("", np.nan), errors="coerce")
    words = numbers.isna() & table[name].notna() & (table[name] != "")
    if words.any():
        row = table[words].iloc[0]
        raise InputError(
            f"column {name!r} holds {row[name]!r} for record {row['record']}; expected a number, 0 "
            "and 1 for a task of its own"
        )
    return numbers.astype(float)


def derived_counts(table: pd.DataFrame, task: str, thresholds: Thresholds) -> dict[str, int]:
    """Count the records whose label rests on a quantity that was not stated, by how it was made.

    Args:
        table: the labelled records.
        task: that they are labelled for.
        thresholds: as for the label.
    """
    counts: dict[str, int] = {}
    record = find_task(task)
    needed = record.columns if record.label is not None or task in NUMBERS else ()
    for name in needed:
        found = quantity(table, name, thresholds)
        made = pd.Series(dtype=object) if found is None else found.source
        prefix = "PVR " if name == PVR_WU else ""
        counts |= {f"{prefix}{way}": int(n) for way, n in made.value_counts().items()
                   if way not in ("", STATED)}  # fmt: skip
    return counts


def group_sizes(table: pd.DataFrame, thresholds: Thresholds) -> dict[str, int]:
    """Count the records of every haemodynamic group; empty where the table has no resistance."""
    found = {name: quantity(table, name, thresholds) for name in find_task("pre_capillary").columns}
    values = {name: one.values.to_numpy() for name, one in found.items() if one is not None}
    if len(values) < len(found):
        return {}
    group = haemodynamic_group(values, thresholds)
    with_ph = int((values["mpap_mmhg"] > thresholds.mpap_mmhg).sum())
    counts = {name: int((group == place).sum()) for place, name in enumerate(GROUPS)}
    return counts | {"PAWP or PVR not known": with_ph - sum(counts.values())}
