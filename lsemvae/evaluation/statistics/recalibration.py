"""Recalibrate by a fit on inner predictions that is applied to the held-out fold."""

from collections.abc import Callable
from typing import Literal

import numpy as np
import pandas as pd
from scipy.special import expit
from sklearn.isotonic import IsotonicRegression

from lsemvae.core.errors import InputError
from lsemvae.evaluation.statistics.binary_arrays import Labels, Scores, check_binary
from lsemvae.evaluation.statistics.calibration import log_odds
from lsemvae.evaluation.statistics.inner_predictions import inner_by_fold
from lsemvae.evaluation.statistics.logistic import check_slope_exists, fit_logistic

Recalibration = Literal["logistic", "isotonic"]
Map = Callable[[Scores], Scores]


def fit_recalibration(label: Labels, probability: Scores, kind: Recalibration) -> Map:
    """Return a function from probabilities to recalibrated ones.

    Args:
        label: (N,).
        probability: (N,), in 0..1.
        kind: logistic (Platt's, intercept and slope on the log-odds) or isotonic (any monotone
            step function; needs about a thousand records, Niculescu-Mizil & Caruana 2005,
            doi:10.1145/1102351.1102430).

    Raises:
        InputError: an unknown kind, or a logistic fit that does not exist.
    """
    if kind == "logistic":
        check_slope_exists(label, log_odds(probability))
        design = np.stack([np.ones(len(label)), log_odds(probability)], axis=1)
        intercept, slope = fit_logistic(label, design).coefficients
        return lambda new: np.asarray(expit(intercept + slope * log_odds(new)))
    if kind == "isotonic":
        steps = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip")
        steps.fit(probability, label.astype(np.float64))
        return lambda new: np.asarray(steps.predict(new), dtype=np.float64)
    raise InputError(f"recalibration must be logistic or isotonic, got {kind}")


def recalibrate(
    predictions: pd.DataFrame, inner: pd.DataFrame, kind: Recalibration = "logistic"
) -> Scores:
    """Return recalibrated probabilities of the held-out records, in the order of the table.

    Args:
        predictions: out of fold, columns record, patient_id, fold, label, probability.
        inner: the same columns, see `inner_by_fold`.
        kind: see `fit_recalibration`.

    Returns:
        (N,).

    Raises:
        InputError: see `inner_by_fold` and `fit_recalibration`.
    """
    result = np.empty(len(predictions))
    for fold, part in inner_by_fold(predictions, inner).items():
        labels, scores = check_binary(part["label"], part["probability"], probabilities=True)
        rows = (predictions["fold"] == fold).to_numpy()
        fitted = fit_recalibration(labels, scores, kind)
        result[rows] = fitted(predictions["probability"].to_numpy(dtype=np.float64)[rows])
    return result
