"""Say of a model that it cannot be told from chance: what follows from a guess means nothing."""

import math

CHANCE = 0.5  # the AUROC of a guess
GUESS = "What moves a guess means nothing."


def chance_text(value: float | None, low: float | None, high: float | None) -> str:
    """Return a sentence on a model's AUROC; empty where its whole interval lies above chance.

    Args:
        value: the AUROC; None or NaN where there is none.
        low: lower end of its interval of 95 %; None or NaN where there is none.
        high: upper end.
    """
    known, lower, upper = (math.nan if one is None else one for one in (value, low, high))
    if math.isnan(known):
        return "Whether the model is better than chance is not known: its AUROC has no value."
    if math.isnan(lower) or math.isnan(upper):
        return (
            "Whether the model is better than chance is not known "
            f"(AUROC {known:.3f}, without an interval)."
        )
    if lower > CHANCE:
        return ""
    measured = f"AUROC {known:.3f} [{lower:.3f}, {upper:.3f}]"
    if upper < CHANCE:
        return (
            f"The model is worse than chance ({measured}): look whether 1 and 0 of the label mean "
            "here what they meant in training."
        )
    return f"The model cannot be told from chance ({measured})."
