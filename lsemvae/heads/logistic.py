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

    def gradient(self, coefficients: Array, probability: Array) -> Array:
        error = self.counted * (probability - self.label)
        return np.asarray(self.design.T @ error + self.ridge * coefficients)

    def only(self, chosen: npt.NDArray[np.bool_]) -> "_Problem":
        return self._replace(counted=self.counted[:, chosen])


class Rotation(NamedTuple):
    """The principal axes of features: at most as many as there are records.

    Attributes:
        scores: (N, R) the features on their axes, in which their Gram matrix is diagonal.
        span: (M, P) what the axes are combinations of: the features, or the unit vectors as None.
        turn: (M, R) the combinations.
    """

    scores: Array
    span: Array | None
    turn: Array

    @property
    def axes(self) -> Array:
        """Orthonormal columns (P, R). A penalised fit has no weight outside of them."""
        return self.turn if self.span is None else self.span.T @ self.turn

    def on_features(self, weights: Array) -> Array:
        """Return weights (R,) on the scores as weights (P,) on the features: `axes` @ weights."""
        turned = self.turn @ weights
        return np.asarray(turned if self.span is None else self.span.T @ turned)


def rotate(features: Array) -> Rotation:
    """Return features (N, P) on their principal axes, R <= min(N, P) of them."""
    n_records, n_features = features.shape
    wide = n_features > n_records
    gram = features @ features.T if wide else features.T @ features
    variance, vectors = np.linalg.eigh(gram)
    kept = variance > max(variance[-1], 0.0) * len(variance) * np.finfo(np.float64).eps
    if not wide:
        axes = vectors[:, kept]
        return Rotation(features @ axes, None, axes)
    length = np.sqrt(variance[kept])
    return Rotation(vectors[:, kept] * length, features, vectors[:, kept] / length)


def fit_logistic_ridges(scores: Array, label: Array, weight: Array, strength: Array) -> Fits:
    """Minimise, for each b, |w|^2 / 2 + C_b sum_i weight_bi loss(label_i, scores_i w + intercept).

    This is scikit-learn's `LogisticRegression(C=C_b)` with `sample_weight`; the intercept is not
    penalised. Newton's method, its steps by conjugate gradients with the diagonal as
    preconditioner, all B problems side by side until each has come to its end: on principal axes
    (`rotate`) the Hessian is nearly diagonal and few steps are needed. Steps are computed in single
    precision, gradients and objectives in double.

    Args:
        scores: (N, P).
        label: (N,), 0 or 1.
        weight: (B, N), >= 0: what each record counts; zero leaves it out. Both classes must have
            some weight in every row.
        strength: (B,), C > 0.
    """
    design = np.concatenate([scores, np.ones((len(scores), 1))], 1)
    ridge = np.append(np.ones(scores.shape[1]), 0.0)[:, None]
    problem = _Problem(design, label[:, None], weight.T * strength, ridge)
    found = np.zeros((design.shape[1], len(strength)))
    found[-1] = _base_rates(label, weight)
    steps, number = _NewtonSteps(design, ridge), np.arange(len(strength))
    coefficients = found.copy()
    logit = design @ coefficients
    scale = np.zeros(0)
    for iteration in range(MAX_NEWTON):
        probability = expit(logit)
        gradient = problem.gradient(coefficients, probability)
        size = np.linalg.norm(gradient, axis=0)
        scale = np.maximum(size, 1.0) if iteration == 0 else scale
        going = size > TOLERANCE * scale
        found[:, number[~going]] = coefficients[:, ~going]
        if not going.any():
            break
        problem, number, scale, size = problem.only(going), number[going], scale[going], size[going]
        curvature = problem.counted * (probability * (1 - probability))[:, going]
        exactness = np.minimum(0.1, np.sqrt(size / scale))  # Nocedal & Wright, equation 7.3
        step = steps.solve(curvature, gradient[:, going], exactness)
        coefficients, logit = _descend(problem, coefficients[:, going], logit[:, going], step)
    else:
        found[:, number] = coefficients
    return Fits(found[:-1], found[-1])


def _base_rates(label: Array, weight: Array) -> Array:
    """Return the intercepts that fit best without any feature, (B,)."""
    positive, negative = weight @ label, weight @ (1 - label)
    return np.asarray(np.log(positive) - np.log(negative))


class _NewtonSteps:
    """Solve (X^T diag(curvature_b) X + diag(ridge)) step_b = right_b for every b at once."""

    def __init__(self, design: Array, ridge: Array) -> None:
        self.design, self.ridge = design.astype(np.float32), ridge.astype(np.float32)
        self.squared = self.design**2

    def solve(self, curvature: Array, right: Array, exactness: Array) -> Array:
        """Go on until each residual is `exactness` (B,) of what it was, preconditioned."""
        step = np.zeros_like(right)
        single: npt.DTypeLike = np.float32
        curvature, residual = curvature.astype(single), right.astype(single)
        diagonal = self.squared.T @ curvature + self.ridge
        direction, own = residual / diagonal, np.zeros_like(residual)
        product = (residual * direction).sum(0)
        limit, number = exactness**2 * product, np.arange(right.shape[1])
        for _ in range(MAX_CG):
            image = self.design.T @ (curvature * (self.design @ direction)) + self.ridge * direction
            along = (direction * image).sum(0)
            length = np.divide(product, along, out=np.zeros_like(product), where=along > 0)
            own += length * direction
            residual -= length * image
            scaled = residual / diagonal
            new = (residual * scaled).sum(0)
            going = new > limit
            step[:, number[~going]] = own[:, ~going]
            if not going.any():
                return step
            direction = scaled + new / np.where(product > 0, product, 1) * direction
            if not going.all():
                curvature, diagonal = curvature[:, going], diagonal[:, going]
                residual, direction, own = residual[:, going], direction[:, going], own[:, going]
            product, limit, number = new[going], limit[going], number[going]
        step[:, number] = own
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
