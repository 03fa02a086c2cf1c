"""Recalibrate a finished model with some patients of a new place, and test it on the others."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from lsemvae.core.counted import counted
from lsemvae.core.errors import InputError
from lsemvae.evaluation.statistics.binary_arrays import Labels, Scores, check_binary, patient_codes
from lsemvae.evaluation.statistics.bootstrap import CHUNK_WEIGHTS
from lsemvae.evaluation.statistics.calibration import log_odds
from lsemvae.evaluation.statistics.estimate import CONFIDENCE
from lsemvae.evaluation.statistics.firth import Array, fit_lines

SIZES = (10, 20, 50, 100, 200, 500, 1000)
WAYS = ("as locked", "intercept", "intercept and slope")
MEASURES = ("log_loss", "intercept", "slope")


def learning_curve(
    label: npt.ArrayLike,
    probability: npt.ArrayLike,
    patient_id: npt.ArrayLike | None = None,
    *,
    sizes: Sequence[int] = SIZES,
    n_draws: int = 200,
    seed: int = 0,
) -> pd.DataFrame:
    """Return how well k patients of a new place recalibrate a model for its other patients.

    k patients are drawn at random, without regard to their labels; intercept, or intercept and
    slope, are fitted on all their records (see `fit_lines`); the others are predicted. Where
    the slope is above 0, the order of patients, and so AUROC, stays as it was.

    Args:
        label: (N,), 0 or 1, both present.
        probability: (N,), in 0..1, not all equal.
        patient_id: (N,); None means one record per patient.
        sizes: k; those above half of the patients are left out.
        n_draws: for each k.
        seed: of the draws.

    Returns:
        A row for each k and way, with n_patients, way, n_draws, reversed (share of the draws whose
        fitted slope is not above 0, so that the order of patients is turned round), and of each of
        `MEASURES` (mean negative log-likelihood; intercept with slope 1 and slope that the others
        still need) the median over the draws and the ends of the middle 95 %, as `slope`,
        `slope_low`, `slope_high`.

    Raises:
        InputError: probabilities that are all equal, or no size that leaves half of the patients.
    """
    labels, scores = check_binary(label, probability, probabilities=True)
    odds = log_odds(scores)
    if odds.min() == odds.max():
        raise InputError("all probabilities are equal: there is no slope to recalibrate")
    codes = patient_codes(patient_id, len(labels))
    n_patients = int(codes.max()) + 1
    possible = [k for k in sizes if 2 * k <= n_patients]
    if not possible:
        raise InputError(
            f"{counted(n_patients, 'patient is', 'patients are')} too few to recalibrate with "
            f"{min(sizes)} and to test on as many others"
        )
    random = np.random.default_rng(seed)
    rows = []
    for k in possible:
        drawn = _draws(labels, odds, codes, k, n_draws=n_draws, random=random)
        rows += [_row(k, way, values) for way, values in drawn.items()]
    return pd.DataFrame(rows)


def _draws(
    label: Labels, odds: Scores, codes: npt.NDArray[np.int64], k: int, *, n_draws: int,
    random: np.random.Generator,
) -> dict[str, Array]:  # fmt: skip
    """Return (draws, measures) for each way; draws whose others have one class are left out."""
    n_patients, size = int(codes.max()) + 1, max(1, CHUNK_WEIGHTS // len(codes))
    parts: dict[str, list[Array]] = {way: [] for way in WAYS}
    for start in range(0, n_draws, size):
        rows = min(size, n_draws - start)
        order = random.random((rows, n_patients)).argsort(axis=1)
        weight = (order < k)[:, codes].astype(np.float64)
        others = 1 - weight
        kept = (others[:, label].any(1)) & (others[:, ~label].any(1))
        weight, others = weight[kept], others[kept]
        if not len(weight):
            continue
        lines = (
            np.tile([0.0, 1.0], (len(weight), 1)),
            fit_lines(label, odds, weight, slope=False),
            fit_lines(label, odds, weight, slope=True),
        )
        needed = fit_lines(label, odds, others, slope=True)
        for way, line in zip(WAYS, lines, strict=True):
            parts[way].append(_measures(label, odds, others, line, needed))
    return {way: np.concatenate(found) for way, found in parts.items()}


def _measures(label: Labels, odds: Scores, weight: Array, line: Array, needed: Array) -> Array:
    """Return (R, 4) log loss, intercept and slope still needed after a line; is it reversed?"""
    new = line[:, :1] + line[:, 1:] * odds
    loss = (weight * np.logaddexp(0, np.where(label, -new, new))).sum(1) / weight.sum(1)
    shift = _intercepts(label, new, weight)
    return np.stack([loss, shift, needed[:, 1] / line[:, 1], line[:, 1] <= 0], axis=1)


def _intercepts(label: Labels, odds: Array, weight: Array) -> Array:
    """Return (R,) shifts of the log-odds (R, N) at which as many are expected as observed."""
    shift = np.zeros(len(odds))
    observed = weight @ label
    for _ in range(60):
        share = 1 / (1 + np.exp(-(shift[:, None] + odds)))
        information = (weight * share * (1 - share)).sum(1)
        step = (observed - (weight * share).sum(1)) / np.maximum(information, 1e-12)
        shift += np.clip(step, -1, 1)
        if np.abs(step).max() < 1e-9:
            break
    return shift


def _row(k: int, way: str, values: Array) -> dict[str, object]:
    tail = (1 - CONFIDENCE) / 2
    low, middle, high = np.quantile(values, (tail, 0.5, 1 - tail), axis=0)
    row: dict[str, object] = {"n_patients": k, "way": way, "n_draws": len(values),
                              "reversed": float(values[:, -1].mean())}  # fmt: skip
    for number, name in enumerate(MEASURES):
        row |= {name: middle[number], f"{name}_low": low[number], f"{name}_high": high[number]}
    return row
