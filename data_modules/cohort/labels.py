"""Label recordings for a task from the columns of a cohort table."""

import numpy as np
import pandas as pd

from lsemvae.core.errors import InputError
from lsemvae.core.tasks import PRESSURE_TASKS, Thresholds, find_task


def task_labels(table: pd.DataFrame, task: str, thresholds: Thresholds) -> pd.Series:
    """Return the label of every record: 1, 0, or NaN where the record is not part of the task.

    Args:
        table: a store's table.
        task: `detection` (mPAP above the threshold), `phenotype` (among those, PAWP above the
            threshold: post-capillary is the positive class), or any column of 0 and 1.
        thresholds: pressures in mmHg.

    Raises:
        InputError: a missing column, a column that is not binary, or no labelled record.
    """
    record = find_task(task)
    columns = {name: _column(table, name, task) for name in record.columns}
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


def _column(table: pd.DataFrame, name: str, task: str) -> pd.Series:
    if name not in table.columns:
        raise InputError(
            f"task {task!r} needs the column {name!r}; tasks are {', '.join(PRESSURE_TASKS)} or "
            f"one of the binary columns: {', '.join(binary_columns(table)) or 'none'}"
        )
    numbers = pd.to_numeric(table[name].replace("", np.nan), errors="coerce")
    words = numbers.isna() & table[name].notna() & (table[name] != "")
    if words.any():
        row = table[words].iloc[0]
        raise InputError(
            f"column {name!r} holds {row[name]!r} for record {row['record']}; expected a number, 0 "
            "and 1 for a task of its own"
        )
    return numbers.astype(float)


def binary_columns(table: pd.DataFrame) -> list[str]:
    """Return the numeric columns that hold nothing but 0 and 1, both of them."""
    numeric = table.select_dtypes("number")
    return [str(name) for name in numeric if set(numeric[name].dropna().unique()) == {0.0, 1.0}]
