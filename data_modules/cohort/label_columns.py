"""Compare columns of 0 and 1 with the pressures of the same table, by which they are labels."""

import re
from collections.abc import Collection
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from data_modules.cohort.labels import binary_columns
from data_modules.cohort.quantities import PVR_WU, quantity
from lsemvae.core.counted import counted
from lsemvae.core.errors import InputError
from lsemvae.core.findings import Finding
from lsemvae.core.printable import say
from lsemvae.core.tasks import Thresholds

# Above this share of rightly ordered pairs a column is made from the quantity, or from one like it;
# a disease that goes with high pressures stays below.
MADE_FROM = 0.95
# of a column whose name promises the definition, some rows may be wrong
NAMED_SO = 0.8
N_LEAST = 5  # of each class: of fewer, the order is chance
_WORDS = r"(?:^|[_ .-])(?:{})(?:[_ .-]|$)"
_NEGATED = "no|non|not|without|healthy|normal|control|controls|absent|free|low|kein|keine|gesund"
_OF_PH = "ph|pulmonary|hypertension|detection|label|target|outcome|y"
_NUMBERS = re.compile(r"(?<![0-9])[0-9]{1,2}(?![0-9])")
_DEGREES = "mild|moderate|severe|early|late|borderline"
# what may stand beside the words of a definition; any other word makes another thing of it, such
# as arterial_hypertension, ph_on_echo or post_transplant
_BESIDE = (
    "is|has|the|of|by|true|binary|class|group|status|flag|diagnosis|dx|definition|defined|rhc|mpap|"
    "pawp|capillary|cap|esc|ers|old|new|confirmed|invasive|y|n|gt|ge|over|above|mmhg|[0-9]+"
)


class _Meaning(NamedTuple):
    """How columns are named that are 1 where a quantity is high, or where it is low.

    Attributes:
        name: of the quantity.
        high: words of names; empty for all that are not among those for low.
        low: words of names.
        definition: words of names that promise the definition of the task, its threshold, too.
    """

    name: str
    high: str
    low: str
    definition: str = ""


_MEANINGS = (
    _Meaning("mpap_mmhg", "", _NEGATED, _OF_PH),
    _Meaning("pawp_mmhg", "post|postcapillary|phenotype|left", "pre|precapillary|pah|arterial",
             "post|postcapillary|phenotype"),
    _Meaning(PVR_WU, "pre|precapillary|pvr|resistance|cpcph|pah",
             f"{_NEGATED}|isolated|ipcph"),
)  # fmt: skip


def label_contradictions(
    table: pd.DataFrame, thresholds: Thresholds, *, names: Collection[str] | None = None
) -> list[Finding]:
    """Return columns of 0 and 1 that say the opposite of the table's pressures, or another limit.

    Args:
        table: as in `cohort_table`.
        thresholds: that define the tasks.
        names: of the columns; all where nothing is given.
    """
    asked = [name for name in binary_columns(table) if names is None or name in names]
    found: dict[str, Finding] = {}  # one for a column: the next quantity would say it again
    for meaning in _MEANINGS:
        values = _values(table, meaning.name, thresholds)
        if values is None:
            continue
        for name in asked:
            one = _compare(table[name], values.rename(meaning.name), meaning, thresholds)
            if one is not None:
                found.setdefault(name, one)
    return list(found.values())


def tell_label(table: pd.DataFrame, task: str, thresholds: Thresholds) -> None:
    """Warn where a column of labels says the opposite of the table's pressures.

    Args:
        table: a store's table.
        task: that is asked; only a column of 0 and 1 can be wrong so.
        thresholds: that define the tasks.
    """
    if task in table:
        for finding in label_contradictions(table, thresholds, names=[task]):
            say(f"warning: {finding.message}")


def _values(table: pd.DataFrame, name: str, thresholds: Thresholds) -> pd.Series | None:
    """Return a quantity; a wedge pressure of those with a high mean pressure only."""
    try:
        values = quantity(table, name, thresholds)
        mean = quantity(table, "mpap_mmhg", thresholds)
    except InputError:  # a cell that is no number, which is told elsewhere
        return None
    if values is None or (name == "pawp_mmhg" and mean is None):
        return None
    if name == "pawp_mmhg" and mean is not None:
        return values.values.where(mean.values > thresholds.mpap_mmhg)
    return values.values


def _compare(
    column: pd.Series, values: pd.Series, meaning: _Meaning, thresholds: Thresholds
) -> Finding | None:
    known = column.notna() & values.notna()
    label, value = column[known] == 1, values[known]
    positive = int(label.sum())
    if min(positive, len(label) - positive) < N_LEAST:
        return None
    low = _has(column, meaning.low)
    if not low and meaning.high and not _has(column, meaning.high):
        return None
    ordered = _rightly_ordered(label, value)
    named = not low and _has(column, meaning.definition)
    enough = NAMED_SO if named and _only(column, meaning.definition) else MADE_FROM
    if (ordered if low else 1 - ordered) >= enough:
        return _turned_round(column, label, value, low=low)
    if named and ordered >= enough:
        return _another_limit(column, label, value, getattr(thresholds, meaning.name))
    return None


def _has(column: pd.Series, words: str) -> bool:
    return bool(words and re.search(_WORDS.format(words), str(column.name).casefold()))


def _only(column: pd.Series, words: str) -> bool:
    """Whether a name says nothing beside some words of a definition."""
    parts = re.split(r"[_ .-]+|(?<=[a-z])(?=[0-9])", str(column.name).casefold())
    return all(re.fullmatch(f"(?:{words}|{_BESIDE})?", part) for part in parts)


def _rightly_ordered(label: pd.Series, value: pd.Series) -> float:
    """Return the share of pairs whose positive has the higher value: the AUROC of the value."""
    n = int(label.sum())
    ranks = rankdata(value.to_numpy())[label.to_numpy()].sum()
    return float((ranks - n * (n + 1) / 2) / (n * (len(label) - n)))


def _turned_round(column: pd.Series, label: pd.Series, value: pd.Series, *, low: bool) -> Finding:
    ones, zeros = value[label].median(), value[~label].median()
    text = (
        f"{column.name} is 1 where {value.name} is {'high' if low else 'low'} (median {ones:g}) "
        f"and 0 where it is {'low' if low else 'high'} ({zeros:g}): is it written the other way "
        "round? A model would learn the opposite"
    )
    return Finding("label", ("all rows",), text)


def _another_limit(
    column: pd.Series, label: pd.Series, value: pd.Series, limit: float
) -> Finding | None:
    """Find a label whose limit is not that of the task of its name."""
    wrong = label != (value > limit)
    if not wrong.any() or _has(column, _DEGREES):
        return None
    limits = np.unique(value)
    errors = [int((label != (value > one)).sum()) for one in limits]
    best = int(np.argmin(errors))
    above = value[value > limits[best]].min()
    if any(limits[best] <= float(one) <= above for one in _NUMBERS.findall(str(column.name))):
        return None  # ph_ge_25 says itself which limit it has
    text = (
        f"{column.name} is not {value.name} > {limit:g} in {counted(int(wrong.sum()), 'row')} of "
        f"{len(label)}"
    )
    if errors[best] < wrong.sum() / 2:
        text += f"; it is {value.name} > {limits[best]:g} in all but {errors[best]}"
    return Finding("label", tuple(map(str, wrong.index[wrong])), text)
