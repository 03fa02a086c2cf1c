"""Fit unpenalised logistic regression with an offset, and its covariance by patient."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import expit

from lsemvae.core.errors import InputError
from lsemvae.evaluation.statistics.binary_arrays import Labels, Scores

Array = npt.NDArray[np.float64]


class LogisticFit(NamedTuple):
    """Coefficients (P,) and their covariance (P, P)."""

    coefficients: Array
    covariance: Array


def fit_logistic(
    label: Labels,
    design: Array,
    *,
    offset: Scores | None = None,
    codes: npt.NDArray[np.int64] | None = None,
) -> LogisticFit:
    """Fit the log-odds of a label as offset + design @ coefficients by maximum likelihood.

    scikit-learn has neither an offset nor standard errors; statsmodels has both and is the
    reference of the tests, but too large a dependency for a regression of two parameters.

    Args:
        label: (N,), both classes.
        design: (N, P), the intercept's column of ones included.
        offset: (N,), with a coefficient of 1.
        codes: (N,) number of each record's patient where patients have several records; the
            covariance is then the cluster-robust sandwich.

    Raises:
        InputError: no maximum was found.
    """
    shift = np.zeros(len(label)) if offset is None else offset
    sign = np.where(label, 1.0, -1.0)

    def loss(beta: Array) -> float:
        return float(np.logaddexp(0, -sign * (shift + design @ beta)).mean())

    def gradient(beta: Array) -> Array:
        return design.T @ (expit(shift + design @ beta) - label) / len(label)

    def hessian(beta: Array) -> Array:
        share = expit(shift + design @ beta)
        return (design.T * (share * (1 - share))) @ design / len(label)

    found = minimize(
        loss, np.zeros(design.shape[1]), jac=gradient, hess=hessian, method="trust-exact",
        options={"gtol": 1e-9},
    )  # fmt: skip
    if not np.abs(gradient(found.x)).max() < 1e-6:
        raise InputError(f"the logistic regression found no maximum: {found.message}")
    bread: Array = np.linalg.inv(hessian(found.x) * len(label)).astype(np.float64)
    if codes is None:
        return LogisticFit(found.x, bread)
    residual = label - expit(shift + design @ found.x)
    n_patients = int(codes.max()) + 1
    by_patient = np.stack(
        [np.bincount(codes, column * residual, n_patients) for column in design.T]
    )
    meat = by_patient @ by_patient.T * n_patients / (n_patients - 1)
    return LogisticFit(found.x, bread @ meat @ bread)


def check_slope_exists(label: Labels, predictor: Scores) -> None:
    """Refuse data in which a regression's slope has no finite maximum.

    Raises:
        InputError: the predictor is constant, or a cut separates the classes.
    """
    positive, negative = predictor[label], predictor[~label]
    if predictor.min() == predictor.max():
        raise InputError("all probabilities are equal: a slope has no value")
    if negative.max() <= positive.min() or positive.max() <= negative.min():
        raise InputError("the probabilities separate the classes: a slope has no finite value")
