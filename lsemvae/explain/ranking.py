"""Compute means over a cohort with intervals by patient, and rank the leads by them."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

FloatArray = npt.NDArray[np.floating]
INTERVAL = (0.025, 0.975)
N_DRAWS = 2000


class PatientMeans(NamedTuple):
    """Means of K quantities over a cohort.

    Attributes:
        mean: (K,).
        draws: (R, K), the same of R bootstrap samples of the patients.
        n_records: (K,), records that have the quantity.
    """

    mean: FloatArray
    draws: FloatArray
    n_records: npt.NDArray[np.int64]

    @property
    def interval(self) -> FloatArray:
        """Return the 95 % percentile interval, (2, K)."""
        return np.asarray(np.nanquantile(self.draws, INTERVAL, axis=0))


def bootstrap_patients(
    values: FloatArray,
    patient_id: npt.NDArray[np.object_],
    *,
    n_draws: int = N_DRAWS,
    seed: int = 0,
) -> PatientMeans:
    """Average over records and draw patients, with all their records, anew.

    Args:
        values: (N, K), NaN where a record lacks the quantity.
        patient_id: (N,).
        n_draws: R.
        seed: of the draws.
    """
    patient, n_patients = pd.factorize(patient_id)[0], len(pd.unique(patient_id))
    total, count = np.zeros((2, n_patients, values.shape[1]))
    np.add.at(total, patient, np.nan_to_num(values))
    np.add.at(count, patient, np.isfinite(values))
    rng = np.random.default_rng(seed)
    times = rng.multinomial(n_patients, np.full(n_patients, 1 / n_patients), size=n_draws)
    with np.errstate(invalid="ignore"):
        draws = (times @ total) / (times @ count)
        mean = total.sum(0) / count.sum(0)
    return PatientMeans(mean, draws, count.sum(0).astype(np.int64))


def rank_leads(attribution: pd.DataFrame, *, seed: int = 0) -> pd.DataFrame:
    """Rank the leads of a cohort by their mean share of the absolute attribution.

    Args:
        attribution: columns record, patient_id, lead, share; a row per lead that is present.
        seed: of the bootstrap.

    Returns:
        Columns lead, share, low, high (95 % interval by patient), first (share of the bootstrap
        samples in which the lead ranks first) and n_records, the largest share first.
    """
    wide = attribution.pivot(index=["record", "patient_id"], columns="lead", values="share")
    patient_id = wide.index.get_level_values("patient_id").to_numpy(dtype=object)
    means = bootstrap_patients(wide.to_numpy(float), patient_id, seed=seed)
    winner = np.nan_to_num(means.draws, nan=-1.0).argmax(1)
    low, high = means.interval
    ranking = pd.DataFrame(
        {
            "lead": wide.columns.to_numpy(),
            "share": means.mean,
            "low": low,
            "high": high,
            "first": np.bincount(winner, minlength=wide.shape[1]) / len(winner),
            "n_records": means.n_records,
        }
    )
    return ranking.sort_values("share", ascending=False, ignore_index=True)


def summarise_waves(waves: pd.DataFrame, *, seed: int = 0) -> pd.DataFrame:
    """Average the shares of the waves over a cohort, all leads together.

    Args:
        waves: columns record, patient_id, lead, wave, share (of the record's attribution) and
            time_share (of its duration).
        seed: of the bootstrap.

    Returns:
        Columns wave, share, low, high, time_share, n_records, in the order of the waves.
    """
    order = waves["wave"].drop_duplicates().tolist()
    whole = waves.groupby(["record", "patient_id", "wave"], sort=False)
    wide = whole["share"].sum(min_count=1).unstack("wave")[order]
    patient_id = wide.index.get_level_values("patient_id").to_numpy(dtype=object)
    means = bootstrap_patients(wide.to_numpy(float), patient_id, seed=seed)
    low, high = means.interval
    time_share = waves.groupby("wave")["time_share"].mean()[order].to_numpy()
    return pd.DataFrame(
        {
            "wave": order,
            "share": means.mean,
            "low": low,
            "high": high,
            "time_share": time_share,
            "n_records": means.n_records,
        }
    )
