"""Bootstrap any metric by patient, stratified by the patient's label."""

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit

from lsemvae.core.counted import counted
from lsemvae.core.errors import InputError
from lsemvae.evaluation.statistics.binary_arrays import Labels, check_binary, patient_codes
from lsemvae.evaluation.statistics.estimate import CONFIDENCE, Estimate, Z
from lsemvae.evaluation.statistics.metrics import METRICS, Metric, Values, Weights, plain

N_RESAMPLES = 2000
CHUNK_WEIGHTS = 4_000_000  # weights held at a time: 32 MB


class Draws(NamedTuple):
    """Metrics of one method.

    Attributes:
        value: of all records, by metric.
        resampled: (R,) of every resample, by metric.
    """

    value: dict[str, float]
    resampled: dict[str, Values]


def bootstrap(
    label: npt.ArrayLike,
    score: npt.ArrayLike,
    patient_id: npt.ArrayLike | None = None,
    *,
    metrics: Mapping[str, Metric] = METRICS,
    n_resamples: int = N_RESAMPLES,
    seed: int = 0,
) -> dict[str, Estimate]:
    """Return metrics with intervals: AUPRC on the scale of log-odds, all others by percentiles.

    Args:
        label: (N,), 0 or 1.
        score: (N,).
        patient_id: (N,); all records of a patient are drawn together. None: one record each.
        metrics: by name.
        n_resamples: how many.
        seed: of the resamples.

    Raises:
        InputError: see `check_binary`; fewer than two patients of either class.
    """
    draws = bootstrap_draws(
        label, {"": score}, patient_id, metrics=metrics, n_resamples=n_resamples, seed=seed
    )[""]
    return {
        name: INTERVALS.get(name, percentile)(draws.value[name], draws.resampled[name])
        for name in metrics
    }


def paired_bootstrap(
    label: npt.ArrayLike,
    scores: Mapping[str, npt.ArrayLike],
    patient_id: npt.ArrayLike | None = None,
    *,
    reference: str,
    metrics: Mapping[str, Metric] = METRICS,
    n_resamples: int = N_RESAMPLES,
    seed: int = 0,
) -> dict[str, dict[str, Estimate]]:
    """Return, by method and metric, the reference's metric minus the method's.

    Every resample is drawn once and used for all methods, so that what makes a patient hard for
    all of them cancels.

    Args:
        label: (N,), 0 or 1.
        scores: (N,) by method, all of the same records.
        patient_id: (N,), see `bootstrap`.
        reference: one of the methods.
        metrics: by name.
        n_resamples: how many.
        seed: of the resamples.
    """
    if reference not in scores:
        raise InputError(f"reference {reference} is none of {', '.join(scores)}; name one of them")
    draws = bootstrap_draws(
        label, scores, patient_id, metrics=metrics, n_resamples=n_resamples, seed=seed
    )
    first = draws.pop(reference)
    return {
        method: {
            name: percentile(
                first.value[name] - second.value[name],
                first.resampled[name] - second.resampled[name],
            )
            for name in metrics
        }
        for method, second in draws.items()
    }


def bootstrap_draws(
    label: npt.ArrayLike,
    scores: Mapping[str, npt.ArrayLike],
    patient_id: npt.ArrayLike | None = None,
    *,
    metrics: Mapping[str, Metric] = METRICS,
    n_resamples: int = N_RESAMPLES,
    seed: int = 0,
) -> dict[str, Draws]:
    """Return the metrics of every method on the same resamples; arguments as above."""
    checked = {name: check_binary(label, score) for name, score in scores.items()}
    parts: dict[str, dict[str, list[Values]]] = {
        method: {name: [] for name in metrics} for method in scores
    }
    truth = next(iter(checked.values()))[0]
    codes = patient_codes(patient_id, len(truth))
    for weight in patient_resamples(truth, codes, n_resamples=n_resamples, seed=seed):
        for method, (labels, score) in checked.items():
            for name, metric in metrics.items():
                parts[method][name].append(metric(labels, score, weight))
    return {
        method: Draws(
            {name: plain(metric, *checked[method]) for name, metric in metrics.items()},
            {name: np.concatenate(chunks) for name, chunks in parts[method].items()},
        )
        for method in scores
    }


def patient_resamples(
    label: Labels, codes: npt.NDArray[np.int64], *, n_resamples: int, seed: int
) -> Iterator[Weights]:
    """Yield (r, N) weights, r resamples at a time: how often each record was drawn.

    Patients are drawn with replacement within three strata (all their records negative, all
    positive, both), so every resample has as many patients of each kind as the data.

    Args:
        label: (N,).
        codes: (N,) patient of each record, from `patient_codes`.
        n_resamples: in all.
        seed: of the draws.
    """
    random = np.random.default_rng(seed)
    strata = _strata(label, codes)
    n_patients = int(codes.max()) + 1
    size = max(1, CHUNK_WEIGHTS // len(codes))
    for start in range(0, n_resamples, size):
        rows = min(size, n_resamples - start)
        drawn = np.concatenate(
            [members[random.integers(len(members), size=(rows, len(members)))]
             for members in strata], axis=1,
        )  # fmt: skip
        drawn += n_patients * np.arange(rows)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=rows * n_patients)
        yield counts.reshape(rows, n_patients)[:, codes].astype(np.float64)


def _strata(label: Labels, codes: npt.NDArray[np.int64]) -> list[npt.NDArray[np.int64]]:
    positive = np.bincount(codes, weights=label) > 0
    negative = np.bincount(codes, weights=~label) > 0
    if min(positive.sum(), negative.sum()) < 2:
        raise InputError(
            f"got {counted(positive.sum(), 'patient')} with a positive and {negative.sum()} with a "
            "negative record; a bootstrap by patient needs at least two of each"
        )
    kinds = positive & ~negative, negative & ~positive, positive & negative
    return [np.flatnonzero(kind) for kind in kinds if kind.any()]


def on_log_odds(value: float, resampled: Values) -> Estimate:
    """Return a share with value +- 1.96 standard deviations of its resamples, on log-odds.

    Average precision is biased upwards in small samples, and in resamples, where records stand
    several times, once more: percentiles lie too high. At worst, of an inverted ranking, every
    resample is above the value, which its own interval does not hold. On the scale of log-odds
    (Boyd et al. 2013, doi:10.1007/978-3-642-40994-3_29) the interval lies about the value and
    inside 0..1. Measured beside percentiles: docs/report.md.

    Args:
        value: of all records.
        resampled: (R,) of every resample.
    """
    known = resampled[~np.isnan(resampled)]
    spread = float(known.std()) if len(known) else 0.0
    if not 0 < value < 1 or spread == 0:
        return percentile(value, resampled)
    low, high = expit(logit(value) + np.array([-1, 1]) * Z * spread / (value * (1 - value)))
    method = percentile(value, resampled).method.replace("percentile bootstrap", "bootstrap")
    return Estimate(value, float(low), float(high), f"{method}, on log-odds")


def percentile(value: float, resampled: Values) -> Estimate:
    """Return a value with the percentile interval of its resamples.

    Note:
        A resample in which the metric has no value is left out, and the method says how many.
    """
    known = resampled[~np.isnan(resampled)]
    method = f"percentile bootstrap by patient, {len(resampled)} resamples"
    if len(known) < len(resampled):
        method += f", undefined in {len(resampled) - len(known)}"
    if not len(known):
        return Estimate(value, np.nan, np.nan, method)
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(known, (tail, 1 - tail))
    return Estimate(value, float(low), float(high), method)


INTERVALS: Mapping[str, Callable[[float, Values], Estimate]] = {"average_precision": on_log_odds}
"""Intervals of metrics whose percentiles are not about their value, by metric."""
