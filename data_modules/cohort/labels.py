"""Labels of a task from the columns of a cohort table."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from lsemvae.core.errors import InputError

DETECTION = "detection"
PHENOTYPE = "phenotype"


@dataclass(frozen=True)
class Thresholds:
    """Pressures that define the two tasks of the paper (section 3).

    Attributes:
        mpap_mmhg: pulmonary hypertension is a mean pulmonary artery pressure above this.
        pawp_mmhg: post-capillary is a pulmonary artery wedge pressure above this.
    """

    mpap_mmhg: float = 20.0
    pawp_mmhg: float = 15.0


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
    if task == DETECTION:
        mpap = _column(table, "mpap_mmhg", task)
        label = (mpap > thresholds.mpap_mmhg).astype(float).where(mpap.notna())
    elif task == PHENOTYPE:
        mpap, pawp = _column(table, "mpap_mmhg", task), _column(table, "pawp_mmhg", task)
        included = (mpap > thresholds.mpap_mmhg) & pawp.notna()
        label = (pawp > thresholds.pawp_mmhg).astype(float).where(included)
    else:
        label = _column(table, task, task)
        odd = sorted(set(label.dropna().unique()) - {0.0, 1.0})
        if odd:
            raise InputError(
                f"task {task!r} needs a column of 0 and 1; it also holds "
                f"{', '.join(f'{value:g}' for value in odd[:5])}{' ...' * (len(odd) > 5)}"
            )
    if not label.notna().any():
        raise InputError(f"no record has a label for task {task!r}")
    return label


def label_definition(task: str, thresholds: Thresholds) -> str:
    """Say what makes a record positive.

    Args:
        task: as for `task_labels`.
        thresholds: pressures in mmHg.
    """
    detection = f"mPAP > {thresholds.mpap_mmhg:g} mmHg"
    if task == DETECTION:
        return detection
    if task == PHENOTYPE:
        return f"{detection}, PAWP > {thresholds.pawp_mmhg:g} mmHg"
    return f"column {task}"


def _column(table: pd.DataFrame, name: str, task: str) -> pd.Series:
    if name not in table.columns:
        raise InputError(
            f"task {task!r} needs the column {name!r}; tasks are detection, phenotype or one of "
            f"the binary columns: {', '.join(binary_columns(table)) or 'none'}"
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
