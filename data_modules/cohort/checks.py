"""Find what looks wrong in the values of a cohort, before anything is trained on it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from data_modules.cohort.catheter_days import check_days
from data_modules.cohort.cell_spellings import mixed_truths
from data_modules.cohort.columns import DATES, NUMBER_RANGES, REQUIRED
from data_modules.cohort.contradictions import contradictions
from data_modules.cohort.identity import alike_ids, dates_for_ids
from data_modules.cohort.labels import task_labels
from data_modules.cohort.quantity_checks import (
    MEAN_PRESSURE_TOLERANCE_MMHG,
    check_quantities,
    rows,
)
from data_modules.cohort.twins import signal_twins
from lsemvae.core.counted import counted
from lsemvae.core.errors import InputError
from lsemvae.core.findings import Finding
from lsemvae.core.tasks import DEFINED_TASKS, PRESSURE_TASKS, Thresholds


@dataclass(frozen=True)
class CohortLimits:
    """What a cohort is measured by.

    Attributes:
        thresholds: that define the groups.
        mean_pressure_tolerance_mmhg: allowed distance of mPAP from dPAP + (sPAP - dPAP) / 3. The
            rule errs by 1.6 mmHg (SD) with the best catheters.
        max_days: allowed days between ECG and catheter; the paper states none.
        labels: for each task the column that should hold its label.
        expected: number of records, patients, non-PH, PH, pre-capillary or post-capillary that
            another place gives.
    """

    thresholds: Thresholds = field(default_factory=Thresholds)
    mean_pressure_tolerance_mmhg: float = MEAN_PRESSURE_TOLERANCE_MMHG
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
        *check_quantities(table, limits.thresholds, limits.mean_pressure_tolerance_mmhg),
        *_labels(table, limits),
        *_patients(table),
        *contradictions(table, limits.thresholds, compared=limits.labels.values()),
        *_waveforms(table),
        *check_days(table, limits.max_days),
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


def _labels(table: pd.DataFrame, limits: CohortLimits) -> list[Finding]:
    found = [Finding("label", (name,), text) for name, text in mixed_truths(table).items()]
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
            found.append(Finding("label", rows(wrong), text))
    return found


def _patients(table: pd.DataFrame) -> list[Finding]:
    found = []
    alike = alike_ids(table["patient_id"])
    if alike.groups:
        spelt = table["patient_id"].isin([name for group in alike.groups for name in group])
        found.append(Finding("alike patient ids", rows(spelt), str(alike)))
    dates = dates_for_ids(table["patient_id"])
    if dates:
        found.append(Finding("dates for ids", ("all rows",), dates))
    repeated = table["patient_id"].duplicated(keep=False)
    if repeated.any():
        n = table["patient_id"][repeated].nunique()
        text = (
            f"{counted(n, 'patient has', 'patients have')} several recordings; folds keep them "
            "together"
        )
        found.append(Finding("repeated patient", rows(repeated), text))
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
        found.append(Finding("twin patients", rows(twins), text))
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
        found.append(Finding("identical waveform", rows(alone), text))
    return found


def _missing(table: pd.DataFrame) -> list[Finding]:
    found = []
    for name in table.columns.difference([*REQUIRED, "signal_sha256"], sort=False):
        empty = table[name].isna() | (table[name] == "")
        if empty.any():
            text = (
                f"{name} is missing in {empty.sum()} of {counted(len(table), 'row')} "
                f"({empty.mean():.1%})"
            )
            found.append(Finding("missing", rows(empty), text))
    return found


def _counts(table: pd.DataFrame, limits: CohortLimits) -> list[Finding]:
    counts = group_counts(table, limits.thresholds)
    unknown = sorted(set(limits.expected) - set(counts))
    if unknown:
        raise InputError(
            f"--expected names {', '.join(unknown)}; this table has {', '.join(counts)}"
        )
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
