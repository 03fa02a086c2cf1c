"""Settle what inner predictions decide: recalibration, operating points, limit of uncertainty."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit

from lsemvae.core.errors import InputError
from lsemvae.evaluation.runs import CvRun
from lsemvae.evaluation.statistics.binary_arrays import check_binary
from lsemvae.evaluation.statistics.calibration import log_odds
from lsemvae.evaluation.statistics.inner_predictions import inner_by_fold
from lsemvae.evaluation.statistics.logistic import check_slope_exists, fit_logistic
from lsemvae.evaluation.statistics.operating_points import RULES
from lsemvae.model_file.targets import OperatingPoint, Recalibration


class InnerChoices(NamedTuple):
    """What was chosen.

    Attributes:
        recalibration: of the log-odds.
        points: operating points on recalibrated probabilities.
        log_odds: (N,) recalibrated, of the inner predictions.
    """

    recalibration: Recalibration
    points: dict[str, OperatingPoint]
    log_odds: npt.NDArray[np.float64]


def choose_on_inner(run: CvRun) -> InnerChoices:
    """Fit recalibration and choose operating points on the inner predictions of all folds.

    Every one of them is of a model that had not seen the patient. They are pooled over the folds:
    a model for use has one intercept, one slope and one threshold.

    Args:
        run: a finished cross-validation.

    Raises:
        InputError: it has no inner predictions, or they order the classes no better than chance.
    """
    inner = inner_of(run)
    return choose(inner["label"], inner["probability"], str(run.folder))


def inner_of(run: CvRun) -> pd.DataFrame:
    """Return the inner predictions of all folds, checked against what is held out.

    Raises:
        InputError: there are none, or they have seen what is held out.
    """
    if run.inner is None:
        raise InputError(
            f"{run.folder} has no inner_predictions.csv, on which threshold, calibration and "
            "interval are chosen; run `lsemvae cv` again with --inner true"
        )
    parts = inner_by_fold(run.predictions, run.inner, run.target)
    return pd.concat(parts.values(), ignore_index=True)


def choose(label: pd.Series, probability: pd.Series, where: str) -> InnerChoices:
    """Fit recalibration and choose operating points on inner predictions.

    Args:
        label: (N,), 0 or 1.
        probability: (N,), of the positive class.
        where: names the run, and the label where there are several.

    Raises:
        InputError: they order the classes no better than chance.
    """
    truth, score = check_binary(label, probability, probabilities=True)
    logit = log_odds(score)
    check_slope_exists(truth, logit)
    design = np.stack([np.ones(len(truth)), logit], axis=1)
    intercept, slope = map(float, fit_logistic(truth, design).coefficients)
    if slope <= 0:
        raise InputError(
            f"{where}: higher predictions do not mean more positives on the inner parts "
            f"(slope {slope:.2f}); there is no model to lock"
        )
    recalibrated_odds = intercept + slope * logit
    recalibrated = expit(recalibrated_odds)
    points = {}
    for name, rule in RULES.items():
        threshold = float(rule(truth, recalibrated))
        called = recalibrated >= threshold
        points[name] = OperatingPoint(
            threshold, float(called[truth].mean()), float((~called[~truth]).mean())
        )
    return InnerChoices(Recalibration(intercept, slope), points, recalibrated_odds)


def uncertainty_limit(uncertainty: npt.NDArray[np.floating], withhold: float) -> float | None:
    """Return the limit that withholds a share of recordings, between the two that it parts.

    Args:
        uncertainty: (N,) of recordings of the inner parts.
        withhold: share, 0 up to but not including 1; 0 sets no limit.

    Raises:
        InputError: the share is no such number.
    """
    if not 0 <= withhold < 1:
        raise InputError(f"--withhold must be from 0 to below 1, got {withhold:g}")
    ascending = np.sort(uncertainty[np.isfinite(uncertainty)])
    n_kept = len(ascending) - int(withhold * len(ascending) + 1e-9)
    if n_kept == len(ascending):
        return None
    return float(ascending[n_kept - 1] + ascending[n_kept]) / 2
