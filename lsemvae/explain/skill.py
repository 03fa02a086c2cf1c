"""Say how well the explained models predict: what moves a guess explains nothing."""

import math
from typing import Any

import pandas as pd

from lsemvae.core.chance import CHANCE, GUESS, chance_text
from lsemvae.core.errors import InputError
from lsemvae.evaluation.statistics.delong import auroc_interval
from lsemvae.evaluation.statistics.estimate import Estimate, undefined


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


def skill_lines(skill: Estimate) -> list[str]:
    """Return the AUROC with interval, and what follows where chance is in it."""
    if knows_something(skill):
        return [f"AUROC {skill.value:.3f} [{skill.low:.3f}, {skill.high:.3f}]"]
    why = f" ({skill.method})" if math.isnan(skill.low) else ""
    return [f"{chance_text(skill.value, skill.low, skill.high)}{why}", GUESS]


def skill_facts(skill: Estimate) -> dict[str, Any]:
    """Return plain values for attribution.json."""
    return {
        "auroc": skill.value,
        "low": skill.low,
        "high": skill.high,
        "better_than_chance": knows_something(skill),
        "text": " ".join(skill_lines(skill)),
    }
