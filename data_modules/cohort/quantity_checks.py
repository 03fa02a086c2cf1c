"""Find quantities of a cohort in another unit, out of range, or in contradiction."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from data_modules.cohort.columns import ORDERED
from data_modules.cohort.quantities import (
    CONVERTED,
    DYN_PER_WU,
    STATED,
    computed_resistance,
    quantity,
)
from lsemvae.core.counted import counted
from lsemvae.core.errors import InputError
from lsemvae.core.findings import Finding
from lsemvae.core.tasks import Thresholds

MMHG_PER_KPA = 7.50062
# Of mPAP from the rule of thirds, which errs by 1.6 mmHg (SD; Chemla et al., Chest
# 2009;135:760-768, high-fidelity catheters): room for the fluid-filled catheters of clinics.
MEAN_PRESSURE_TOLERANCE_MMHG = 8.0
# Outputs are written to 0.1 L/min: at a gradient of 40 mmHg and 4 L/min that is 0.25 WU.
RESISTANCE_TOLERANCE_WU = 1.0
MISSING_CODES = (77, 88, 99, 777, 888, 999, 7777, 8888, 9999, 99999)
NEGATIVE_CODES = (-7, -8, -9, -77, -88, -99, -777, -888, -999, -9999, -99999)
LEAST_CODED, CODE_GAP = 2, 0.85  # repeated, and no other value within 15 %
FEWEST_EXCHANGED = 5  # rows in an impossible order, before two columns are asked about as a whole
FEW_CLASSES_CODE, MOST_CLASSES = 9, 2  # 9 beside 0, 1 and 2


class UsualRange(NamedTuple):
    """Where a quantity lies in adults, and the unit that is mistaken for the right one.

    Attributes:
        single: range of a single value; values outside are looked at one by one.
        median: range of a cohort's median; a column outside is looked at as a whole.
        other_unit: the unit that is often found instead.
        factor: from that unit to ours.
    """

    single: tuple[float, float]
    median: tuple[float, float]
    other_unit: str
    factor: float


# Wide enough for any adult cohort; in the other unit the same patients lie outside.
QUANTITIES = {
    "mpap_mmhg": UsualRange((5, 120), (10, 80), "kPa", MMHG_PER_KPA),
    "spap_mmhg": UsualRange((8, 200), (15, 140), "kPa", MMHG_PER_KPA),
    "dpap_mmhg": UsualRange((1, 100), (4, 60), "kPa", MMHG_PER_KPA),
    "pawp_mmhg": UsualRange((1, 60), (4, 40), "kPa", MMHG_PER_KPA),
    "age_years": UsualRange((14, 110), (18, 95), "months", 1 / 12),
    "heart_rate_bpm": UsualRange((25, 250), (45, 140), "Hz", 60.0),
    "height_cm": UsualRange((100, 230), (145, 195), "m", 100.0),
    "weight_kg": UsualRange((25, 300), (45, 130), "g", 0.001),
    "cardiac_output_l_min": UsualRange((1.5, 15), (2.5, 9), "mL/min", 0.001),
    "pvr_wu": UsualRange((-1, 30), (0.3, 15), "dyn.s.cm-5", 1 / DYN_PER_WU),
    "pvr_dyn_s_cm5": UsualRange((15, 2400), (24, 1200), "WU", DYN_PER_WU),
    "bsa_m2": UsualRange((0.8, 3.5), (1.3, 2.5), "cm2", 0.0001),
}


def check_quantities(
    table: pd.DataFrame, thresholds: Thresholds, mean_pressure_tolerance_mmhg: float
) -> list[Finding]:
    """Return what looks wrong in the numbers of a table.

    Args:
        table: see `check_cohort_values`.
        thresholds: say whether a missing mean pressure may be estimated.
        mean_pressure_tolerance_mmhg: see `CohortLimits`.
    """
    return [
        *doubtful_values(table),
        *_order(table),
        *disagreeing_values(table, thresholds, mean_pressure_tolerance_mmhg),
    ]


def disagreeing_values(
    table: pd.DataFrame, thresholds: Thresholds, mean_pressure_tolerance_mmhg: float
) -> list[Finding]:
    """Return mean pressures and resistances that others do not give; arguments as above."""
    return [
        *_mean_pressure(table, mean_pressure_tolerance_mmhg),
        *_resistance(table, thresholds),
    ]


def doubtful_values(table: pd.DataFrame) -> list[Finding]:
    """Return the values that speak for another unit, or for a code of a missing value."""
    return [*_units(table), *_codes(table)]


def _codes(table: pd.DataFrame) -> list[Finding]:
    """Find 99 and -9 and their like where they are far from all other values of a column."""
    found = []
    for name in [*QUANTITIES, *table.select_dtypes("number").columns.difference([*QUANTITIES])]:
        values = _numbers(table, name)
        code, limit = _code_of(values)
        if code is not None:
            n = int((values == code).sum())
            text = (
                f"{name} is {code:g} in {counted(n, 'row')} and {limit} in all others: if that "
                "stands for a missing value, leave it empty"
            )
            found.append(Finding("missing value", rows(values == code), text))
    return found


def _code_of(values: pd.Series) -> tuple[float | None, str]:
    """Return the value that looks like a code of a column, and where all others lie."""
    low, high = values.min(), values.max()
    above, below = values[values > low], values[values < high]
    if low in NEGATIVE_CODES and above.min() >= 0:
        return low, f"at least {above.min():g}"
    few = high == FEW_CLASSES_CODE and below.max() <= MOST_CLASSES
    coded = high in MISSING_CODES and below.max() < CODE_GAP * high and _stands_out(values)
    if (few or coded) and int((values == high).sum()) >= LEAST_CODED:
        return high, f"at most {below.max():g}"
    return None, ""


def _stands_out(values: pd.Series) -> bool:
    """Tell whether the highest value is further from the others than they are, or more frequent.

    Counts of years or packs have long, rounded tails: 99 beside 30 and 80 may be one of them.
    """
    known = values.dropna()
    others = known[known < known.max()]
    upper = others[others >= others.median()]
    gaps = np.diff(np.sort(upper.unique()))
    further = known.max() - others.max() > gaps.max(initial=0)
    return bool(further or (known == known.max()).sum() > upper.value_counts().max())


def _units(table: pd.DataFrame) -> list[Finding]:
    found = []
    for name, usual in QUANTITIES.items():
        values = _numbers(table, name)
        converted = values * usual.factor
        outside = ~values.between(*usual.single) & values.notna()
        whole = not _within(values.median(), usual.median)
        if whole and _within(converted.median(), usual.median):
            text = (
                f"the median of {name} is {values.median():g}; in {usual.other_unit} it would "
                f"be {converted.median():.4g} of the unit that the column names"
            )
            found.append(Finding("unit", ("all rows",), text))
        elif outside.any():
            likely = converted[outside].between(*usual.single).sum()
            text = (
                f"{name} is outside {usual.single[0]:g} to {usual.single[1]:g}: "
                f"{_some(values[outside])}; {likely} of {outside.sum()} would be inside in "
                f"{usual.other_unit}"
            )
            found.append(Finding("value or unit", rows(outside), text))
    return found


def exchanged_columns(lower: pd.Series, upper: pd.Series) -> str:
    """Ask whether two columns are exchanged where most rows have them in an impossible order."""
    n_wrong = int((lower > upper).sum())
    n_both = int((lower.notna() & upper.notna()).sum())
    if n_wrong < FEWEST_EXCHANGED or 2 * n_wrong <= n_both:
        return ""
    return (
        f"{lower.name} exceeds {upper.name} in {n_wrong} of {counted(n_both, 'row')} with both: "
        "are the two columns exchanged, or is one of them another quantity?"
    )


def _order(table: pd.DataFrame) -> list[Finding]:
    found = []
    for small, large in ORDERED:
        lower, upper = _numbers(table, small), _numbers(table, large)
        wrong = lower > upper
        if wrong.any():
            worst = int(np.nanargmax(lower - upper))
            text = (
                f"{small} exceeds {large}, most with {lower.iloc[worst]:g} against "
                f"{upper.iloc[worst]:g}"
            )
            asked = exchanged_columns(lower, upper)
            found.append(Finding("pressure order", rows(wrong), asked or text))
    return found


def _mean_pressure(table: pd.DataFrame, tolerance_mmhg: float) -> list[Finding]:
    systolic, diastolic, mean = (
        _numbers(table, f"{name}_mmhg") for name in ("spap", "dpap", "mpap")
    )
    expected = diastolic + (systolic - diastolic) / 3
    wrong = (mean - expected).abs() > tolerance_mmhg
    if not wrong.any():
        return []
    worst = int(np.nanargmax((mean - expected).abs()))
    text = (
        f"mPAP is more than {tolerance_mmhg:g} mmHg from dPAP + (sPAP - dPAP) / 3, most with "
        f"{mean.iloc[worst]:g} against {expected.iloc[worst]:.1f}"
    )
    return [Finding("mean pressure", rows(wrong), text)]


def _resistance(table: pd.DataFrame, thresholds: Thresholds) -> list[Finding]:
    """Compare a stated resistance with what pressures and cardiac output give."""
    try:
        stated, computed = (
            quantity(table, "pvr_wu", thresholds), computed_resistance(table, thresholds),
        )  # fmt: skip
    except InputError:
        return []
    if stated is None or computed is None:
        return []
    apart = (stated.values - computed).abs().where(stated.source.isin([STATED, CONVERTED]))
    wrong = apart > RESISTANCE_TOLERANCE_WU
    if not wrong.any():
        return []
    worst = int(np.nanargmax(apart))
    text = (
        f"PVR is more than {RESISTANCE_TOLERANCE_WU:g} WU from (mPAP - PAWP) / CO, most with "
        f"{stated.values.iloc[worst]:.4g} against {computed.iloc[worst]:.4g}"
    )
    return [Finding("resistance", rows(wrong), text)]


def _numbers(table: pd.DataFrame, name: str) -> pd.Series:
    """Return a column as numbers, NaN where it is missing."""
    if name not in table:
        return pd.Series(np.nan, index=table.index)
    return pd.to_numeric(table[name], errors="coerce").astype(float)


def _within(value: float, limits: tuple[float, float]) -> bool:
    return np.isnan(value) or limits[0] <= value <= limits[1]


def rows(wrong: pd.Series) -> tuple[str, ...]:
    """Return the names of the rows that a mask (N,) takes."""
    return tuple(f"{name}" for name in wrong.index[wrong])


def _some(values: pd.Series) -> str:
    listed = ", ".join(f"{value:g}" for value in values[:5])
    return listed + (", ..." if len(values) > 5 else "")
