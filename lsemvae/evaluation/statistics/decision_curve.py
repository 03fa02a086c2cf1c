"""Compute decision curves: what acting on the probabilities gains at each threshold."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from lsemvae.core.errors import InputError
from lsemvae.evaluation.statistics.binary_arrays import Labels, Scores, check_binary, patient_codes
from lsemvae.evaluation.statistics.bootstrap import N_RESAMPLES, patient_resamples
from lsemvae.evaluation.statistics.estimate import CONFIDENCE
from lsemvae.evaluation.statistics.metrics import Weights

THRESHOLDS = np.arange(1, 100) / 100


def decision_curve(
    label: npt.ArrayLike,
    probability: npt.ArrayLike,
    patient_id: npt.ArrayLike | None = None,
    *,
    thresholds: npt.NDArray[np.float64] = THRESHOLDS,
    prevalence: float | None = None,
    n_resamples: int = N_RESAMPLES,
    seed: int = 0,
) -> pd.DataFrame:
    """Return the net benefit of the model against acting on everybody and on nobody.

    Net benefit at threshold t is TP/N - FP/N * t / (1 - t): true positives per patient, less the
    false ones at the exchange rate that t implies (Vickers & Elkin 2006,
    doi:10.1177/0272989X06295361). Acting on nobody has net benefit 0.

    Args:
        label: (N,), 0 or 1, both present.
        probability: (N,), in 0..1.
        patient_id: (N,); None means one record per patient.
        thresholds: (T,), between 0 and 1.
        prevalence: of the population that the test is for; that of the data by default.
        n_resamples: of the bootstrap by patient.
        seed: of the bootstrap.

    Returns:
        Columns threshold, net_benefit, low, high, treat_all, treat_none; T rows.

    Raises:
        InputError: a threshold or the prevalence is not between 0 and 1; see `bootstrap`.
    """
    labels, scores = check_binary(label, probability, probabilities=True)
    shares = [*np.ravel(thresholds), *([] if prevalence is None else [prevalence])]
    if not all(0 < share < 1 for share in shares):
        raise InputError(f"thresholds and prevalence must lie between 0 and 1, got {shares}")
    codes = patient_codes(patient_id, len(labels))
    plain = _net_benefit(labels, scores, np.ones((1, len(labels))), thresholds, prevalence)[0]
    resampled = np.concatenate(
        [_net_benefit(labels, scores, weight, thresholds, prevalence)
         for weight in patient_resamples(labels, codes, n_resamples=n_resamples, seed=seed)]
    )  # fmt: skip
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(resampled, (tail, 1 - tail), axis=0)
    share = labels.mean() if prevalence is None else prevalence
    return pd.DataFrame(
        {
            "threshold": thresholds,
            "net_benefit": plain,
            "low": low,
            "high": high,
            "treat_all": share - (1 - share) * thresholds / (1 - thresholds),
            "treat_none": 0.0,
        }
    )


def _net_benefit(
    label: Labels,
    score: Scores,
    weight: Weights,
    thresholds: npt.NDArray[np.float64],
    prevalence: float | None,
) -> npt.NDArray[np.float64]:
    """Return (R, T) net benefits."""
    called = (score[:, None] >= thresholds).astype(np.float64)
    positive, negative = weight[:, label], weight[:, ~label]
    n_positive, n_negative = (side.sum(axis=1, keepdims=True) for side in (positive, negative))
    sensitivity = positive @ called[label] / n_positive
    false_rate = negative @ called[~label] / n_negative
    share = n_positive / (n_positive + n_negative) if prevalence is None else prevalence
    odds = thresholds / (1 - thresholds)
    return np.asarray(sensitivity * share - false_rate * (1 - share) * odds)
