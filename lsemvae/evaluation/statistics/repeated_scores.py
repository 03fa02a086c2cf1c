"""Compare what was drawn or trained several times: means over seeds and draws, with intervals."""

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from lsemvae.evaluation.statistics.delong import Aurocs, delong
from lsemvae.evaluation.statistics.estimate import Comparison, Estimate, compare_by_wald, wald

Array = npt.NDArray[np.float64]
METHOD = "DeLong within folds by patient, seeds and draws averaged, their spread added"


class Repeated(NamedTuple):
    """The mean AUROC of a row of the table.

    Attributes:
        auroc: mean over seeds, draws and folds.
        sd_seeds: standard deviation over the seeds' means, NaN with one seed.
        sd_draws: standard deviation over the draws' means, NaN with one draw.
    """

    auroc: Estimate
    sd_seeds: float
    sd_draws: float


class RepeatedScores:
    """Scores of several rows, each with seeds and draws, on the same records.

    Args:
        cohort: columns label, patient_id, fold: (N,) records.
        scores: (S, D, N) by row: seeds, draws, records; D is the same everywhere, as draws are.
    """

    def __init__(self, cohort: pd.DataFrame, scores: Mapping[str, Array]) -> None:
        flat = {name: each.reshape(-1, each.shape[-1]) for name, each in scores.items()}
        ends = np.cumsum([0, *map(len, flat.values())])
        self._place = {name: slice(*ends[i : i + 2]) for i, name in enumerate(flat)}
        self._shape = {name: each.shape[:2] for name, each in scores.items()}
        self._found: Aurocs = delong(
            cohort["label"], *np.concatenate(list(flat.values())),
            patient_id=cohort["patient_id"], fold=cohort["fold"],
        )  # fmt: skip

    def values(self, name: str) -> Array:
        """Return the AUROC of every seed and draw, (S, D)."""
        return self._found.value[self._place[name]].reshape(self._shape[name])

    def mean(self, name: str) -> Repeated:
        """Return a row's mean with its interval.

        The interval is of other patients: DeLong's variance of the mean over seeds and draws. To it
        the squared standard errors of that mean are added, as other seeds and draws give another.
        """
        values = self.values(name)
        variance = self._variance(self._contrast(name)) + _of_seeds(values) + _of_draws(values)
        estimate = wald(float(values.mean()), math.sqrt(max(variance, 0.0)), METHOD)
        return Repeated(estimate, _sd(values.mean(1)), _sd(values.mean(0)))

    def difference(self, first: str, second: str) -> Comparison:
        """Return the mean of one row minus that of another, paired by patient and by draw."""
        one, other = self.values(first), self.values(second)
        contrast = self._contrast(first) - self._contrast(second)
        per_draw = one.mean(0) - other.mean(0)
        variance = self._variance(contrast) + _of_seeds(one) + _of_seeds(other)
        variance += _of_draws(per_draw[None])
        return compare_by_wald(float(per_draw.mean()), variance, METHOD)

    def _contrast(self, name: str) -> Array:
        weights = np.zeros(len(self._found.value))
        place = self._place[name]
        weights[place] = 1 / (place.stop - place.start)
        return weights

    def _variance(self, contrast: Array) -> float:
        return max(float(contrast @ self._found.covariance @ contrast), 0.0)


def _sd(values: Array) -> float:
    return float(values.std(ddof=1)) if len(values) > 1 else math.nan


def _of_seeds(values: Array) -> float:
    """Return the variance of the mean over seeds of values (S, D), zero with one seed."""
    return _squared_error(values.mean(1))


def _of_draws(values: Array) -> float:
    """Return the variance of the mean over draws of values (S, D), zero with one draw."""
    return _squared_error(values.mean(0))


def _squared_error(values: Array) -> float:
    return float(values.var(ddof=1) / len(values)) if len(values) > 1 else 0.0
