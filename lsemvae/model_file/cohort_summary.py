"""Summarise the patients of a cohort in counts, means and standard deviations."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Characteristic:
    """One column of a cohort's table, each patient counted once.

    Attributes:
        column: its name.
        n: patients with a value.
        missing: patients without.
        mean: of a quantity; None for a category.
        sd: of a quantity with two values or more, else None.
        counts: patients by level of a category; empty for a quantity.
    """

    column: str
    n: int
    missing: int
    mean: float | None
    sd: float | None
    counts: dict[str, int]


@dataclass(frozen=True)
class CohortSummary:
    """Who a model was trained on, or is applied to.

    Attributes:
        n_patients: with a label.
        n_recordings: with a label.
        n_positive: recordings with a positive label.
        log_odds_mean: of the model's recalibrated log-odds; of inner predictions in training.
        log_odds_sd: their standard deviation.
        characteristics: of the patients, by their first recording.
    """

    n_patients: int
    n_recordings: int
    n_positive: int
    log_odds_mean: float
    log_odds_sd: float
    characteristics: tuple[Characteristic, ...]

    @classmethod
    def from_plain(cls, values: Mapping[str, Any]) -> "CohortSummary":
        """Restore what `dataclasses.asdict` made of it."""
        columns = tuple(Characteristic(**one) for one in values["characteristics"])
        return cls(**{**values, "characteristics": columns})
