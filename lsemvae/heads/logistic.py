"""Fit many ridge-penalised logistic regressions on one set of features at once."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import expit

Array = npt.NDArray[np.float64]

MAX_NEWTON, MAX_CG, MAX_HALVINGS = 50, 200, 30
TOLERANCE = 1e-7  # of the gradient, relative to that of weights of zero


class Fits(NamedTuple):
    """Weights (P, B) and intercepts (B,) of B regressions on P features."""

    weights: Array
    intercept: Array

    def logits(self, features: Array) -> Array:
        """Return the logits (N, B) of features (N, P)."""
        return np.asarray(features @ self.weights + self.intercept)


class _Problem(NamedTuple):
    """Design (N, P), labels (N, 1), what records count (N, B), and the penalty of each weight."""

    design: Array
    label: Array
    counted: Array
    ridge: Array

    def objective(self, coefficients: Array, logit: Array) -> Array:
        loss = np.logaddexp(0.0, logit) - self.label * logit
        penalty = (self.ridge * coefficients**2).sum(0) / 2
        return np.asarray((self.counted * loss).sum(0) + penalty)


class Rotation(NamedTuple):
    """The principal axes of features: at most as many as there are records.

    Attributes:
        scores: (N, R) the features on their axes, in which their Gram matrix is diagonal.
        axes: (P, R) orthonormal columns, so that weights on the features are `axes` @ those on the
            scores. A penalised fit has no weight outside of them.
    """

    scores: Array
    axes: Array


def rotate(features: Array) -> Rotation:
    """Return features (N, P) on their principal axes, R <= min(N, P) of them."""
    n_records, n_features = features.shape
    wide = n_features > n_records
    gram = features @ features.T if wide else features.T @ features
    variance, vectors = np.linalg.eigh(gram)
    kept = variance > max(variance[-1], 0.0) * len(variance) * np.finfo(np.float64).eps
    if not wide:
        axes = vectors[:, kept]
        return Rotation(features @ axes, axes)
    length = np.sqrt(variance[kept])
    return Rotation(vectors[:, kept] * length, features.T @ (vectors[:, kept] / length))


def fit_logistic_ridges(scores: Array, label: Array, weight: Array, strength: Array) -> Fits:
    """Minimise, for each b, |w|^2 / 2 + C_b sum_i weight_bi loss(label_i, scores_i w + intercept).

    This is scikit-learn's `LogisticRegression(C=C_b)` with `sample_weight`; the intercept is not
    penalised. Newton's method, its steps by conjugate gradients with the diagonal as
    preconditioner, all B problems side by side: on principal axes (`rotate`) the Hessian is nearly
    diagonal and few steps are needed.

    Args:
        scores: (N, P).
        label: (N,), 0 or 1.
        weight: (B, N), >= 0: what each record counts; zero leaves it out. Both classes must have
            some weight in every row.
        strength: (B,), C > 0.
    """
    design = np.concatenate([scores, np.ones((len(scores), 1))], 1)
    counted = weight.T * strength  # (N, B)
    ridge = np.append(np.ones(scores.shape[1]), 0.0)[:, None]
    problem = _Problem(design, label[:, None], counted, ridge)
    coefficients = np.zeros((design.shape[1], len(strength)))
    coefficients[-1] = _base_rates(label, weight)
    logit = design @ coefficients
    scale = None
    for _ in range(MAX_NEWTON):
        probability = expit(logit)
        gradient = design.T @ (counted * (probability - label[:, None])) + ridge * coefficients
        size = np.linalg.norm(gradient, axis=0)
        scale = np.maximum(size, 1.0) if scale is None else scale
        if (size <= TOLERANCE * scale).all():
            break
        curvature = counted * probability * (1 - probability)
        exactness = np.minimum(0.1, np.sqrt(size / scale))  # Nocedal & Wright, equation 7.3
        step = _conjugate_gradients(design, curvature, ridge, gradient, exactness)
        coefficients, logit = _descend(problem, coefficients, logit, step)
    return Fits(coefficients[:-1], coefficients[-1])


def _base_rates(label: Array, weight: Array) -> Array:
    """Return the intercepts that fit best without any feature, (B,)."""
    positive, negative = weight @ label, weight @ (1 - label)
    return np.asarray(np.log(positive) - np.log(negative))


def _conjugate_gradients(
    design: Array, curvature: Array, ridge: Array, right: Array, exactness: Array
) -> Array:
    """Solve (X^T diag(curvature_b) X + diag(ridge)) step_b = right_b for every b at once.

    Until each residual is `exactness` (B,) of what it was at first, in the preconditioner's norm.
    """
    diagonal = (design**2).T @ curvature + ridge
    step, residual = np.zeros_like(right), right.copy()
    direction = residual / diagonal
    product = (residual * direction).sum(0)
    limit = exactness**2 * product
    for _ in range(MAX_CG):
        image = design.T @ (curvature * (design @ direction)) + ridge * direction
        along = (direction * image).sum(0)
        length = np.divide(product, along, out=np.zeros_like(product), where=along > 0)
        step += length * direction
        residual -= length * image
        scaled = residual / diagonal
        new = (residual * scaled).sum(0)
        if (new <= limit).all():
            break
        ratio = np.divide(new, product, out=np.zeros_like(new), where=product > 0)
        direction, product = scaled + ratio * direction, new
    return step


def _descend(problem: _Problem, start: Array, logit: Array, step: Array) -> tuple[Array, Array]:
    """Take the whole step where the objective falls, else the largest halving that lowers it."""
    moved = problem.design @ step
    before = problem.objective(start, logit)
    length = np.ones(step.shape[1])
    for _ in range(MAX_HALVINGS):
        after = problem.objective(start - length * step, logit - length * moved)
        worse = after > before + 1e-12 * np.abs(before)
        if not worse.any():
            break
        length[worse] /= 2
    else:
        length[worse] = 0.0
    return start - length * step, logit - length * moved
