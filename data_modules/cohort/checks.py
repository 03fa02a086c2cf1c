"""Find what looks wrong in the values of a cohort, before anything is trained on it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import pandas as pd

from data_modules.cohort.identity import alike_ids
from data_modules.cohort.labels import task_labels
from data_modules.cohort.quantities import (
    CONVERTED,
    DYN_PER_WU,
    STATED,
    computed_resistance,
    quantity,
)
from data_modules.cohort.table import DATES, NUMBER_RANGES, ORDERED, REQUIRED
from data_modules.cohort.twins import signal_twins
from lsemvae.core.errors import InputError
from lsemvae.core.findings import Finding
from lsemvae.core.tasks import DEFINED_TASKS, PRESSURE_TASKS, Thresholds

MMHG_PER_KPA = 7.50062
# Outputs are written to 0.1 L/min: at a gradient of 40 mmHg and 4 L/min that is 0.25 WU.
RESISTANCE_TOLERANCE_WU = 1.0


class Quantity(NamedTuple):
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
    "mpap_mmhg": Quantity((5, 120), (10, 80), "kPa", MMHG_PER_KPA),
    "spap_mmhg": Quantity((8, 200), (15, 140), "kPa", MMHG_PER_KPA),
    "dpap_mmhg": Quantity((1, 100), (4, 60), "kPa", MMHG_PER_KPA),
    "pawp_mmhg": Quantity((1, 60), (4, 40), "kPa", MMHG_PER_KPA),
    "age_years": Quantity((14, 110), (18, 95), "months", 1 / 12),
    "heart_rate_bpm": Quantity((25, 250), (45, 140), "Hz", 60.0),
    "height_cm": Quantity((100, 230), (145, 195), "m", 100.0),
    "weight_kg": Quantity((25, 300), (45, 130), "g", 0.001),
    "cardiac_output_l_min": Quantity((1.5, 15), (2.5, 9), "mL/min", 0.001),
    "pvr_wu": Quantity((-1, 30), (0.3, 15), "dyn.s.cm-5", 1 / DYN_PER_WU),
    "pvr_dyn_s_cm5": Quantity((-80, 2400), (24, 1200), "WU", DYN_PER_WU),
    "bsa_m2": Quantity((0.8, 3.5), (1.3, 2.5), "cm2", 0.0001),
}


@dataclass(frozen=True)
class CohortLimits:
    """What a cohort is measured by.

    Attributes:
        thresholds: that define the groups.
        mean_pressure_tolerance_mmhg: allowed distance of mPAP from dPAP + (sPAP - dPAP) / 3. The
            rule errs by 1.6 mmHg (SD; Chemla et al., Chest 2009;135:760-768, high-fidelity
            catheters); five of these leave room for the fluid-filled catheters of clinics.
        max_days: allowed days between ECG and catheter; the paper states none.
        labels: for each task the column that should hold its label.
        expected: number of records, patients, non-PH, PH, pre-capillary or post-capillary that
            another place gives.
    """

    thresholds: Thresholds = field(default_factory=Thresholds)
    mean_pressure_tolerance_mmhg: float = 8.0
    max_days: int = 30
    labels: Mapping[str, str] = field(default_factory=dict)
    expected: Mapping[str, int] = field(default_factory=dict)


def check_cohort_values(table: pd.DataFrame, limits: CohortLimits) -> list[Finding]:
    """Return everything that looks wrong in a table.

    Args:
        table: one row for each recording, columns as in `cohort_table`; its index names the rows
            in the findings. A store's table has signal_sha256 too.
        limits: see `CohortLimits`.

    Raises:
        InputError: `limits` names a column, task or group that does not exist.
    """
    return [
        *_units(table),
        *_order(table),
        *_mean_pressure(table, limits.mean_pressure_tolerance_mmhg),
        *_resistance(table, limits.thresholds),
        *_labels(table, limits),
        *_patients(table),
        *_waveforms(table),
        *_dates(table, limits.max_days),
        *_missing(table),
        *_counts(table, limits),
    ]


def group_counts(table: pd.DataFrame, thresholds: Thresholds) -> dict[str, int]:
    """Count records, patients and the groups of the paper's tasks that the table has."""
    counts = {"records": len(table), "patients": int(table["patient_id"].nunique())}
    for task in PRESSURE_TASKS.values():
        label = _defined(table, task.name, thresholds)
        if label is not None:
            counts |= {name: int((label == value).sum()) for value, name in enumerate(task.groups)}
    return counts


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
            found.append(Finding("value or unit", _rows(outside), text))
    return found


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
            found.append(Finding("pressure order", _rows(wrong), text))
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
    return [Finding("mean pressure", _rows(wrong), text)]


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
    wrong = stated.source.isin([STATED, CONVERTED]) & (
        (stated.values - computed).abs() > RESISTANCE_TOLERANCE_WU
    )
    if not wrong.any():
        return []
    worst = int(np.nanargmax((stated.values - computed).abs().where(wrong)))
    text = (
        f"PVR is more than {RESISTANCE_TOLERANCE_WU:g} WU from (mPAP - PAWP) / CO, most with "
        f"{stated.values.iloc[worst]:.4g} against {computed.iloc[worst]:.4g}"
    )
    return [Finding("resistance", _rows(wrong), text)]


def _labels(table: pd.DataFrame, limits: CohortLimits) -> list[Finding]:
    found = []
    for task, column in limits.labels.items():
        if task not in DEFINED_TASKS:
            expected = " or ".join(DEFINED_TASKS)
            raise InputError(f"labels name the task {task!r}; expected {expected}")
        defined = task_labels(table, task, limits.thresholds)
        given = task_labels(table, column, limits.thresholds)
        wrong = (defined != given) & (defined.notna() | given.notna())
        if wrong.any():
            opposite = (wrong & defined.notna() & given.notna()).sum()
            text = (
                f"{column} is not the label of {task} by its definition: {opposite} opposite, "
                f"{wrong.sum() - opposite} given where there is none or missing where there is one"
            )
            found.append(Finding("label", _rows(wrong), text))
    return found


def _patients(table: pd.DataFrame) -> list[Finding]:
    found = []
    alike = alike_ids(table["patient_id"])
    if alike.groups:
        spelt = table["patient_id"].isin([name for group in alike.groups for name in group])
        found.append(Finding("alike patient ids", _rows(spelt), str(alike)))
    repeated = table["patient_id"].duplicated(keep=False)
    if repeated.any():
        n = table["patient_id"][repeated].nunique()
        text = f"{n} patients have several recordings; folds keep them together"
        found.append(Finding("repeated patient", _rows(repeated), text))
    quantities = [name for name in NUMBER_RANGES if name in table]
    complete = table[quantities].notna().sum(axis=1) >= 4  # fewer can agree by chance
    keys = [*quantities, *(name for name in ("sex", *DATES) if name in table)]
    twins = pd.Series(False, index=table.index)
    if complete.any():
        part = table[complete]
        several = part.groupby(keys, dropna=False)["patient_id"].transform("nunique") > 1
        twins[complete] = several
    if twins.any():
        text = f"the same values of {', '.join(keys)} under different patients"
        found.append(Finding("twin patients", _rows(twins), text))
    return found


def _waveforms(table: pd.DataFrame) -> list[Finding]:
    if "signal_sha256" not in table:
        return []
    twins = signal_twins(table)
    found = [
        Finding(
            "identical waveform",
            tuple(map(str, own.index)),
            "identical waveforms under different patients",
        )
        for _, own in twins.groupby("signal_sha256", sort=False)
    ]  # fmt: skip
    repeated = table["signal_sha256"].duplicated(keep=False)
    alone = repeated & ~table["signal_sha256"].isin(twins["signal_sha256"])
    if alone.any():
        text = "identical waveforms under one patient"
        found.append(Finding("identical waveform", _rows(alone), text))
    return found


def _dates(table: pd.DataFrame, max_days: int) -> list[Finding]:
    if not set(DATES) <= set(table):
        return []
    ecg, catheter = (
        pd.to_datetime(table[name], format="ISO8601", errors="coerce", utc=True).dt.normalize()
        for name in DATES
    )
    days = (ecg - catheter).dt.days
    found = []
    for wrong, text in (
        (days > max_days, f"the ECG is more than {max_days} days after the catheter, at most "
                          f"{days.max():.0f}: treatment may have changed the heart"),
        (days < -max_days, f"the ECG is more than {max_days} days before the catheter, at most "
                           f"{-days.min():.0f}"),
    ):  # fmt: skip
        if wrong.any():
            found.append(Finding("ECG to catheter", _rows(wrong), text))
    return found


def _missing(table: pd.DataFrame) -> list[Finding]:
    found = []
    for name in table.columns.difference([*REQUIRED, "signal_sha256"], sort=False):
        empty = table[name].isna() | (table[name] == "")
        if empty.any():
            text = f"{name} is missing in {empty.sum()} of {len(table)} rows ({empty.mean():.1%})"
            found.append(Finding("missing", _rows(empty), text))
    return found


def _counts(table: pd.DataFrame, limits: CohortLimits) -> list[Finding]:
    counts = group_counts(table, limits.thresholds)
    unknown = sorted(set(limits.expected) - set(counts))
    if unknown:
        raise InputError(f"expected names {', '.join(unknown)}; this table has {', '.join(counts)}")
    return [
        Finding("group sizes", (name,), f"{n} expected, the table has {counts[name]}")
        for name, n in limits.expected.items()
        if counts[name] != n
    ]


def _defined(table: pd.DataFrame, task: str, thresholds: Thresholds) -> pd.Series | None:
    """Return the labels of a task, None where the table has nothing to define them by."""
    try:
        return task_labels(table, task, thresholds)
    except InputError:
        return None


def _numbers(table: pd.DataFrame, name: str) -> pd.Series:
    """Return a column as numbers, NaN where it is missing."""
    if name not in table:
        return pd.Series(np.nan, index=table.index)
    return pd.to_numeric(table[name], errors="coerce").astype(float)


def _within(value: float, limits: tuple[float, float]) -> bool:
    return np.isnan(value) or limits[0] <= value <= limits[1]


def _rows(wrong: pd.Series) -> tuple[str, ...]:
    return tuple(f"{name}" for name in wrong.index[wrong])


def _some(values: pd.Series) -> str:
    listed = ", ".join(f"{value:g}" for value in values[:5])
    return listed + (", ..." if len(values) > 5 else "")
