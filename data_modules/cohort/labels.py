"""Label recordings for a task from the columns of a cohort table."""

import re

import numpy as np
import pandas as pd

from data_modules.cohort.quantities import OUTPUT, PVR_DYN, PVR_WU, quantity
from lsemvae.core.errors import InputError
from lsemvae.core.suggestion import suggestion
from lsemvae.core.targets import NUMBERS
from lsemvae.core.tasks import DEFINED_TASKS, RESISTANCE_TASKS, Thresholds, find_task


def task_labels(table: pd.DataFrame, task: str, thresholds: Thresholds) -> pd.Series:
    """Return the label of every record: 1, 0, or NaN where the record is not part of the task.

    Args:
        table: a store's table.
        task: `detection` (mPAP above the threshold), `phenotype` (among those, PAWP above the
            threshold: post-capillary is the positive class), `pre_capillary`,
            `isolated_post_capillary` or `combined_post_capillary` (among those, by PAWP and PVR),
            or any column of 0 and 1.
        thresholds: pressures in mmHg, resistance in Wood units.

    Raises:
        InputError: a missing column, a column that is not binary, or no labelled record.
    """
    record = find_task(task)
    if task in RESISTANCE_TASKS and task in table.columns:
        raise InputError(
            f"task {task!r} is defined by mPAP, PAWP and PVR, and the table has a column of that "
            "name too; rename the column"
        )
    columns = {name: _column(table, name, task, thresholds) for name in record.columns}
    if record.label is None:
        label = columns[task]
        odd = sorted(set(label.dropna().unique()) - {0.0, 1.0})
        if odd:
            raise InputError(
                f"task {task!r} needs a column of 0 and 1; it also holds "
                f"{', '.join(f'{value:g}' for value in odd[:5])}{' ...' * (len(odd) > 5)}"
            )
    else:
        pressures = {name: column.to_numpy() for name, column in columns.items()}
        label = pd.Series(record.label(pressures, thresholds), index=table.index)
    if not label.notna().any():
        raise InputError(f"no record has a label for task {task!r}")
    return label


def number_values(table: pd.DataFrame, task: str, thresholds: Thresholds) -> pd.Series:
    """Return the number that a task estimates, in its unit; NaN where it was not measured.

    Args:
        table: a store's table.
        task: a column of `lsemvae.core.targets.NUMBERS`.
        thresholds: say whether a missing mean pressure may be estimated.

    Raises:
        InputError: no such column, or a value that is not finite.
    """
    value = _column(table, task, task, thresholds)
    odd = table["record"][value.notna() & ~np.isfinite(value)]
    if len(odd):
        raise InputError(
            f"column {task!r} holds {value[odd.index[0]]} for record {odd.iloc[0]}; expected a "
            "finite number, empty where it was not measured"
        )
    return value


def _column(table: pd.DataFrame, name: str, task: str, thresholds: Thresholds) -> pd.Series:
    found = quantity(table, name, thresholds)
    if found is not None:
        return found.values
    needed = f"the column {name!r}"
    if name == PVR_WU:
        needed = f"the vascular resistance ({PVR_WU}, {PVR_DYN}, or {OUTPUT} to compute it from)"
    several = ""
    if re.search(r"[,+;/&]", task):
        several = "; several labels at once are A,B and several tasks a list: --tasks '[A, B]'"
    binary = binary_columns(table)
    known = [*DEFINED_TASKS, *NUMBERS, *binary]
    meant = suggestion(task, known) if name == task and not several else ""
    raise InputError(
        f"task {task!r} needs {needed}{several}; tasks are {', '.join(DEFINED_TASKS)}, a "
        f"number ({', '.join(NUMBERS)}) or one of the binary columns: "
        f"{', '.join(binary) or 'none'}{meant}"
    )


def binary_columns(table: pd.DataFrame) -> list[str]:
    """Return the numeric columns that hold nothing but 0 and 1, both of them."""
    numeric = table.select_dtypes("number")
    return [str(name) for name in numeric if set(numeric[name].dropna().unique()) == {0.0, 1.0}]
