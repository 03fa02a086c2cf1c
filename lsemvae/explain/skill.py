"""Say how well the explained models predict: what moves a guess explains nothing."""

import math
from typing import Any

import pandas as pd

from lsemvae.core.errors import InputError
from lsemvae.evaluation.statistics.delong import auroc_interval
from lsemvae.evaluation.statistics.estimate import Estimate, undefined

CHANCE = 0.5
MEANINGLESS = "no better than chance: the ranking means nothing"


def model_skill(predictions: pd.DataFrame) -> Estimate:
    """Return the mean AUROC over the folds with its 95 % interval.

    Args:
        predictions: label, probability, patient_id and fold of every held-out record.
    """
    try:
        return auroc_interval(
            predictions["label"], predictions["probability"], predictions["patient_id"],
            fold=predictions["fold"],
        )  # fmt: skip
    except InputError as error:
        return undefined(str(error))


def knows_something(skill: Estimate) -> bool:
    """Tell whether the whole interval lies above chance."""
    return skill.low > CHANCE


def skill_text(skill: Estimate) -> str:
    """Return the AUROC with interval, and what follows where chance is in it."""
    if math.isnan(skill.low):
        return f"AUROC unknown ({skill.method}): whether the ranking means anything is unknown too"
    interval = f"AUROC {skill.value:.2f} [{skill.low:.2f}, {skill.high:.2f}]"
    return interval if knows_something(skill) else f"{interval}, {MEANINGLESS}"


def skill_facts(skill: Estimate) -> dict[str, Any]:
    """Return plain values for attribution.json."""
    return {
        "auroc": skill.value,
        "low": skill.low,
        "high": skill.high,
        "better_than_chance": knows_something(skill),
        "text": skill_text(skill),
    }
