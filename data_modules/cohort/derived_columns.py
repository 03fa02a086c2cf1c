"""Compare columns that follow from others with what those give: BMI, body surface, ages."""

import re
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd

from data_modules.cohort.columns import DATES
from data_modules.cohort.written_dates import plain_dates
from lsemvae.core.counted import counted
from lsemvae.core.findings import Finding

DAYS_A_YEAR = 365.25
AGE_TOLERANCE_YEARS = 1.5  # an age in whole years, at the next or the last birthday


class _Rule(NamedTuple):
    """How a column follows from others.

    Attributes:
        names: pattern of the column's name.
        words: what it follows from, for people.
        values: that it should have, None where the table cannot say.
        relative: allowed distance as a share of the value.
        absolute: allowed distance beside it.
    """

    names: str
    words: str
    values: Callable[[pd.DataFrame], pd.Series | None]
    relative: float
    absolute: float = 0.0


def derived_contradictions(table: pd.DataFrame) -> list[Finding]:
    """Return the rows whose derived columns are not what the others give."""
    found = []
    for rule in _RULES:
        given, expected = _first(table, rule.names), rule.values(table)
        if given is not None and expected is not None:
            found += _compare(given, expected, rule)
    return found


def _compare(given: pd.Series, expected: pd.Series, rule: _Rule) -> list[Finding]:
    apart = (given - expected).abs()
    wrong = apart > rule.relative * expected.abs() + rule.absolute
    if not wrong.any():
        return []
    worst = int(np.nanargmax(apart))
    text = (
        f"{given.name} is not what {rule.words} give in {counted(int(wrong.sum()), 'row')}, most "
        f"with {given.iloc[worst]:.4g} against {expected.iloc[worst]:.4g}"
    )
    return [Finding("derived column", tuple(map(str, wrong.index[wrong])), text)]


def _named(table: pd.DataFrame, pattern: str) -> list[str]:
    return [name for name in map(str, table) if re.fullmatch(pattern, name.casefold())]


def _first(table: pd.DataFrame, pattern: str) -> pd.Series | None:
    names = _named(table, pattern)
    return pd.to_numeric(table[names[0]], errors="coerce").astype(float) if names else None


def _of(
    first: str, second: str, function: Callable[[pd.Series, pd.Series], pd.Series]
) -> Callable[[pd.DataFrame], pd.Series | None]:
    """Return what computes a column from two others, where the table has both."""

    def values(table: pd.DataFrame) -> pd.Series | None:
        one, two = _first(table, first), _first(table, second)
        return None if one is None or two is None else function(one, two)

    return values


def _metres(height: pd.Series) -> pd.Series:
    return height.where(height < 3, height / 100)


def _age(table: pd.DataFrame) -> pd.Series | None:
    """Return the age at the recording, or at the catheter, by the birth date."""
    born = _named(table, _BORN)
    dated = [name for name in DATES if name in table]
    if not born or not dated:
        return None
    birth, day = (
        pd.to_datetime(plain_dates(table[name].astype(str))[0].str[:10], errors="coerce",
                       format="%Y-%m-%d")
        for name in (born[0], dated[0])
    )  # fmt: skip
    return (day - birth).dt.days / DAYS_A_YEAR


_BORN = r"(birth_?date|birth_?day|date_?of_?birth|dob|born|geburts_?(datum|tag)|geb_?datum)"
_HEIGHT, _WEIGHT = r"height(_c?m)?", r"weight(_kg)?"
_RULES = (
    _Rule(r"age(_years)?", "birth date and date of the recording", _age, 0, AGE_TOLERANCE_YEARS),
    _Rule(r"bmi(_kg_m2)?|body_?mass_?index", "height and weight",
          _of(_HEIGHT, _WEIGHT, lambda height, weight: weight / _metres(height) ** 2), 0.1),
    # the formulas of Mosteller, DuBois and Haycock differ by up to a tenth in adults
    _Rule(r"bsa(_m2)?", "height and weight",
          _of(_HEIGHT, _WEIGHT, lambda height, weight: np.sqrt(_metres(height) * weight / 36)),
          0.15),
    _Rule(r"(cardiac_?index|ci)(_l_min_m2)?", "cardiac output and body surface",
          _of(r"cardiac_output_l_min", r"bsa_m2", lambda output, surface: output / surface), 0.15),
    _Rule(r"(tpg|trans_?pulmonary_?gradient)(_mmhg)?", "mPAP and PAWP",
          _of(r"mpap_mmhg", r"pawp_mmhg", lambda mean, wedge: mean - wedge), 0, 2),
    _Rule(r"(dpg|diastolic_?(pressure_?)?gradient)(_mmhg)?", "dPAP and PAWP",
          _of(r"dpap_mmhg", r"pawp_mmhg", lambda low, wedge: low - wedge), 0, 2),
)  # fmt: skip
