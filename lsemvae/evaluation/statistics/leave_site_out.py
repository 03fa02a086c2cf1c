"""Recalibrate a finished model at all places but one, and test it there."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit

from lsemvae.core.errors import InputError
from lsemvae.evaluation.statistics.binary_arrays import check_binary, patient_codes
from lsemvae.evaluation.statistics.calibration import (
    calibration_intercept,
    calibration_slope,
    log_odds,
)
from lsemvae.evaluation.statistics.estimate import Estimate
from lsemvae.evaluation.statistics.logistic import check_slope_exists, fit_logistic
from lsemvae.evaluation.statistics.observed_expected import observed_expected
from lsemvae.evaluation.statistics.performance import Performance, performance
from lsemvae.evaluation.statistics.subgroups import group_names


class Calibration(NamedTuple):
    """Observed over expected positives, calibration in the large, and slope."""

    observed_expected: Estimate
    intercept: Estimate
    slope: Estimate


class SiteResult(NamedTuple):
    """What a model is worth at one site.

    Attributes:
        performance: counts, AUROC and others, or why they are not given.
        locked: calibration of the probabilities as they are; None where suppressed.
        recalibrated: after intercept and slope of the other sites; None where that is impossible.
        why: why there is none, empty where there is.
    """

    performance: Performance
    locked: Calibration | None
    recalibrated: Calibration | None
    why: str


def leave_one_site_out(
    label: npt.ArrayLike,
    probability: npt.ArrayLike,
    patient_id: npt.ArrayLike | None,
    site: pd.Series,
) -> dict[str, SiteResult]:
    """Return what a model is worth at every site, before and after recalibration at the others.

    The model itself is finished and stays as it is. Intercept and slope are fitted on the records
    of all other sites, without patients who were at this site too, and tested at this one.

    Args:
        label: (N,), 0 or 1, both present.
        probability: (N,), in 0..1.
        patient_id: (N,); None means one record per patient.
        site: (N,) names; missing ones are a site of their own.

    Raises:
        InputError: fewer than two sites.
    """
    labels, scores = check_binary(label, probability, probabilities=True)
    codes = patient_codes(patient_id, len(labels))
    names = group_names(site)
    if len(set(names)) < 2:
        raise InputError(f"all records are of one site, {names[0]}; leaving it out leaves nothing")
    return {
        name: _site(labels, scores, codes, here)
        for name in sorted(set(names))
        for here in [names == name]
    }


def _site(
    label: npt.NDArray[np.bool_], score: npt.NDArray[np.float64], codes: npt.NDArray[np.int64],
    here: npt.NDArray[np.bool_],
) -> SiteResult:  # fmt: skip
    found = performance(label[here], score[here], codes[here])
    if found.suppressed:
        return SiteResult(found, None, None, found.suppressed)
    locked = _calibration(label[here], score[here], codes[here])
    others = ~np.isin(codes, codes[here])
    odds = log_odds(score)
    try:
        if len(set(label[others])) < 2:
            raise InputError("the other sites hold one class only")
        check_slope_exists(label[others], odds[others])
    except InputError as error:
        return SiteResult(found, locked, None, str(error))
    design = np.stack([np.ones(len(odds)), odds], axis=1)
    line = fit_logistic(label[others], design[others]).coefficients
    new = np.asarray(expit(design[here] @ line))
    return SiteResult(found, locked, _calibration(label[here], new, codes[here]), "")


def _calibration(
    label: npt.NDArray[np.bool_], score: npt.NDArray[np.float64], codes: npt.NDArray[np.int64]
) -> Calibration:
    return Calibration(
        observed_expected(label, score, codes),
        calibration_intercept(label, score, codes),
        calibration_slope(label, score, codes),
    )
