"""Measure performance by subgroup, silent about groups that are too small."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from lsemvae.core.counted import counted
from lsemvae.core.errors import InputError
from lsemvae.evaluation.statistics.performance import MIN_PATIENTS, Performance, performance

AGE_EDGES = (40, 50, 60, 70, 80)
MISSING = "missing"


def subgroup_performance(
    predictions: pd.DataFrame, group: pd.Series, *, minimum: int = MIN_PATIENTS
) -> dict[str, Performance]:
    """Return the performance in every group of a column.

    Records without a value, or with an empty text, are a group of their own, called missing, so
    that the groups add up to the cohort.

    Args:
        predictions: columns patient_id, label, probability.
        group: one value per row of the predictions, in the same order.
        minimum: fewest patients with a positive and with a negative record.

    Raises:
        InputError: not one value per row.
    """
    if len(group) != len(predictions):
        raise InputError(
            f"got {counted(len(group), 'value')} of {group.name} for "
            f"{counted(len(predictions), 'prediction')}; give one per row"
        )
    names = group_names(group)
    return {
        name: performance(part["label"], part["probability"], part["patient_id"], minimum=minimum)
        for name in _in_order(group, names)
        for part in [predictions[names == name]]
    }


def group_names(group: pd.Series) -> npt.NDArray[Any]:
    """Return the name of each row's group, (N,): whole numbers plain, missing ones `MISSING`.

    A store holds missing text as an empty cell: that is no group of its own.
    """
    return np.array([_name(value) for value in group], dtype=object)


def _name(value: Any) -> str:
    text = "" if pd.isna(value) else str(value).strip()
    return str(int(value)) if isinstance(value, float) and value.is_integer() else text or MISSING


def _in_order(group: pd.Series, names: npt.NDArray[Any]) -> list[str]:
    """Return the names of the groups: categories in their order, others sorted, missing last."""
    if isinstance(group.dtype, pd.CategoricalDtype):
        values = [value for value in group.dtype.categories if value in set(group)]
    else:
        values = sorted(group.dropna().unique(), key=lambda one: (isinstance(one, str), one))
    present = dict.fromkeys(_name(value) for value in values)
    return [name for name in present if name != MISSING] + [MISSING] * (MISSING in names)


def age_bands(age_years: pd.Series, edges: Sequence[float] = AGE_EDGES) -> pd.Series:
    """Return the age band of each record: below 40, 40-49, ..., 80 and over.

    Args:
        age_years: NaN where unknown.
        edges: lower ends of the bands, ascending, whole years.

    Raises:
        InputError: an age outside 0..120 years, or edges that do not ascend.
    """
    strange = age_years[(age_years < 0) | (age_years > 120)]
    if len(strange):
        raise InputError(f"{len(strange)} ages are outside 0..120 years, as {strange.iloc[0]}")
    if list(edges) != sorted(set(edges)) or not edges:
        raise InputError(f"age bands need ascending edges, got {list(edges)}")
    names = [
        f"below {edges[0]:g}",
        *(f"{low:g}-{high - 1:g}" for low, high in pairwise(edges)),
        f"{edges[-1]:g} and over",
    ]
    cuts = [-np.inf, *edges, np.inf]
    return pd.cut(age_years, cuts, right=False, labels=names).rename("age_band")
