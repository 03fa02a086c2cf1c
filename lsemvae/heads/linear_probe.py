"""Probe features by a logistic regression whose strength inner parts choose."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from lsemvae.core.errors import InputError
from lsemvae.heads.logistic import Array, Fits, fit_logistic_ridges, rotate

STRENGTHS = (0.003, 0.03, 0.3)
"""C of scikit-learn: the inverse of the penalty on standardised features."""
N_INNER = 5


class LinearProbe(NamedTuple):
    """A fitted probe.

    Attributes:
        mean: (F,) of the training records.
        inverse_sd: (F,), zero for a feature that is the same in all of them.
        weights: (F,) on standardised features.
        intercept: of the logit.
        strength: the C that was chosen.
    """

    mean: Array
    inverse_sd: Array
    weights: Array
    intercept: float
    strength: float

    def logits(self, features: npt.ArrayLike) -> Array:
        """Return the logits (N,) of features (N, F)."""
        standardised = (np.asarray(features, np.float64) - self.mean) * self.inverse_sd
        return np.asarray(standardised @ self.weights + self.intercept)


def inner_parts(label: Array, patient: npt.NDArray[Any], seed: int) -> npt.NDArray[np.int64]:
    """Deal the patients of a training part out to inner parts, those with a positive record evenly.

    Args:
        label: (N,), 0 or 1.
        patient: (N,), any identifiers.
        seed: of the shuffle.

    Returns:
        (N,) number of the part, 0..K-1; K is 5, or the patients of the rarer class where they are
        fewer.

    Raises:
        InputError: fewer than two patients with a positive record, or without one.
    """
    _, codes = np.unique(patient, return_inverse=True)
    positive = np.bincount(codes, label) > 0
    counts = int(positive.sum()), int((~positive).sum())
    if min(counts) < 2:
        raise InputError(
            f"a linear probe needs two patients of each class in its training part, got "
            f"{counts[0]} with a positive record and {counts[1]} without"
        )
    n_parts, order = min(N_INNER, *counts), np.random.default_rng(seed)
    part = np.empty(len(positive), np.int64)
    for group in (positive, ~positive):
        part[group] = order.permutation(int(group.sum())) % n_parts
    return part[codes]


def fit_linear_probe(
    features: npt.ArrayLike,
    label: npt.ArrayLike,
    part: npt.NDArray[np.int64],
    strengths: Sequence[float] = STRENGTHS,
) -> LinearProbe:
    """Fit a ridge-penalised logistic regression; the strength has the best inner log-likelihood.

    The log-likelihood of the inner parts together, each predicted by a fit on the others; of two
    equal ones the stronger penalty. The records that are reported on have no say.

    Args:
        features: (N, F) of the training records.
        label: (N,), 0 or 1.
        part: (N,) from `inner_parts`.
        strengths: values of C to choose from.
    """
    raw, truth = np.asarray(features, np.float64), np.asarray(label, np.float64)
    mean, sd = raw.mean(0), raw.std(0)
    varies = sd > 1e-9 * np.maximum(np.abs(mean), 1e-30)
    inverse_sd = np.divide(1.0, sd, out=np.zeros_like(sd), where=varies)
    rotation = rotate((raw - mean) * inverse_sd)
    grid = np.sort(np.asarray(strengths, np.float64))
    n_parts = int(part.max()) + 1
    kept = np.ones((n_parts + 1, len(truth)))
    kept[part, np.arange(len(truth))] = 0.0  # the last row leaves nothing out
    fits = fit_logistic_ridges(
        rotation.scores, truth, np.repeat(kept, len(grid), 0), np.tile(grid, n_parts + 1)
    )
    chosen = int(np.argmax(_inner_likelihood(fits, rotation.scores, truth, part, len(grid))))
    last = n_parts * len(grid) + chosen
    weights = rotation.on_features(fits.weights[:, last])
    return LinearProbe(mean, inverse_sd, weights, float(fits.intercept[last]), float(grid[chosen]))


def _inner_likelihood(
    fits: Fits, scores: Array, label: Array, part: npt.NDArray[np.int64], n_strengths: int
) -> Array:
    """Return the log-likelihood of the held-out inner parts for every strength, (C,)."""
    logits = fits.logits(scores).reshape(len(label), -1, n_strengths)
    held_out = logits[np.arange(len(label)), part]  # (N, C)
    signed = np.where(label[:, None] > 0, held_out, -held_out)
    return np.asarray(-np.logaddexp(0.0, -signed).sum(0))
