"""Describe what a locked model puts out where it is more than one yes or no."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

LOWER, UPPER = "low", "high"


@dataclass(frozen=True)
class Recalibration:
    """Platt's recalibration: p = expit(intercept + slope * logit)."""

    intercept: float
    slope: float


@dataclass(frozen=True)
class OperatingPoint:
    """A threshold on the recalibrated probability, and what it gave on inner predictions.

    Attributes:
        threshold: at or above it a recording is called positive.
        sensitivity: share of the inner positives that are called.
        specificity: share of the inner negatives that are not.
    """

    threshold: float
    sensitivity: float
    specificity: float


@dataclass(frozen=True)
class NumberOutput:
    """A number that a model estimates in its unit.

    Attributes:
        title: as people write it.
        unit: of estimates and interval.
        scale: mean and standard deviation of the training values of each member, in the unit.
        half_width: of the prediction interval, from inner predictions; None where those have too
            few patients for one.
        nominal: share of measured values that the interval is made to hold.
    """

    title: str
    unit: str
    scale: tuple[tuple[float, float], ...]
    half_width: float | None
    nominal: float

    @classmethod
    def from_plain(cls, found: Mapping[str, Any]) -> "NumberOutput":
        """Restore what `dataclasses.asdict` made of it."""
        return cls(**{**found, "scale": tuple((mean, sd) for mean, sd in found["scale"])})


@dataclass(frozen=True)
class LabelOutput:
    """One of several labels that a model tells at once.

    Attributes:
        name: a task, or a column of the cohort's table.
        positive: what a high probability means, in words.
        recalibration: fitted on inner predictions.
        points: operating points by name, chosen on inner predictions.
    """

    name: str
    positive: str
    recalibration: Recalibration
    points: dict[str, OperatingPoint]

    @classmethod
    def from_plain(cls, found: Mapping[str, Any]) -> "LabelOutput":
        """Restore what `dataclasses.asdict` made of it."""
        return cls(
            found["name"], found["positive"], Recalibration(**found["recalibration"]),
            {name: OperatingPoint(**point) for name, point in found["points"].items()},
        )  # fmt: skip


def value_columns(number: NumberOutput | None, labels: tuple[LabelOutput, ...]) -> list[str]:
    """Return the columns of predictions that stand in place of one probability."""
    if number is not None:
        return ["estimated", LOWER, UPPER, "unit"]
    return [f"{what}:{one.name}" for one in labels
            for what in ("probability", "decision", "threshold")]  # fmt: skip
