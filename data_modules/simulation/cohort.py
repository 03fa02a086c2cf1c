"""Simulate patients with right-heart-catheter data.

The catheterised cohort has the group sizes, ages, heart rates and body surface areas of the
paper's Table 1. The pressures of that table contradict one another (a systolic pressure of 73 mmHg
beside a mean of 14 mmHg), so pressures are drawn that are consistent for every patient.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import ndtr, ndtri

from data_modules.simulation.heart import PatientParameters, draw_patients
from lsemvae.core.errors import InputError

FloatArray = npt.NDArray[np.float64]

# Table 1: non-PH, pre-capillary, post-capillary. (The text of the paper swaps the last two.)
GROUP_SIZES = (201, 136, 555)
MOST_PATIENTS = 1_000_000
NON_PH, PRE_CAPILLARY, POST_CAPILLARY = range(3)

# Measured at 892 patients (250 Hz, seeds 0 to 2, logistic regression, five folds by patient): from
# median beats of 12 leads and the RR intervals, AUROC .82-.84 for detection and .87-.89 for the
# phenotype; from the true strain, rhythm, heart rate and age .86-.88 and .93-.94.
# At 0.5: .89 and .95-.96; at 0.65: .79-.81 and .82-.85 (median beats).
DEFAULT_DIFFICULTY = 0.6


def truncated_normal(
    mean: FloatArray,
    sd: FloatArray,
    low: FloatArray,
    high: FloatArray,
    *,
    rng: np.random.Generator,
) -> FloatArray:
    """Draw normal values between `low` and `high`, by the inverse of their distribution."""
    below, above = ndtr((low - mean) / sd), ndtr((high - mean) / sd)
    return np.asarray(mean + sd * ndtri(below + rng.random(len(mean)) * (above - below)))


class Spread(NamedTuple):
    """A truncated normal distribution for each of the three groups."""

    mean: tuple[float, float, float]
    sd: tuple[float, float, float]
    low: tuple[float, float, float]
    high: tuple[float, float, float]

    def draw(self, group: npt.NDArray[np.intp], rng: np.random.Generator) -> FloatArray:
        """Draw one value for each patient, by the patient's group (N,), shape (N,)."""
        return truncated_normal(*(np.array(values)[group] for values in self), rng=rng)


# Mean and SD from Table 1; the bounds keep values plausible and hardly move the means.
AGE_YEARS = Spread((58.43, 61.56, 69.26), (11.64, 14.7, 11.34), (18.0,) * 3, (100.0,) * 3)
HEART_RATE_BPM = Spread((68.86, 79.34, 74.55), (8.42, 14.14, 13.84), (40.0,) * 3, (140.0,) * 3)
BSA_M2 = Spread((1.89, 1.89, 1.97), (0.21, 0.24, 0.28), (1.3,) * 3, (2.9,) * 3)
# PAWP as in Table 1, but for non-PH: 13.67 beside an mPAP of 14.23 would leave no gradient. The
# transpulmonary gradients make the means of mPAP those of Table 1.
PAWP_MMHG = Spread((8.0, 11.23, 21.53), (2.5, 2.98, 4.65), (3.0, 4.0, 16.0), (14.0, 15.0, 40.0))
GRADIENT_MMHG = Spread((6.2, 12.0, 5.6), (3.0, 5.5, 4.0), (3.0, 5.0, 2.0), (17.0, 50.0, 30.0))
# Chosen: normal at rest without pulmonary hypertension (2.5 to 4 L/min/m2), lower with it.
CARDIAC_INDEX = Spread((2.8, 2.4, 2.4), (0.5, 0.6, 0.6), (1.8, 1.2, 1.2), (4.5, 4.5, 4.5))
_MPAP_LOW, _MPAP_HIGH = np.array([8, 21, 21]), np.array([20, 70, 70])


class Cohort(NamedTuple):
    """A cohort table and the truth behind its ECGs.

    Args:
        table: what a hospital would know, one row per patient.
        patients: the parameters of the ECGs, in the order of the table; not for any model.
    """

    table: pd.DataFrame
    patients: PatientParameters


def check_sizes(n_patients: int, n_pretraining_patients: int = 1) -> None:
    """Refuse numbers of patients that no synthetic set can have, before one is written.

    Raises:
        InputError: too few or too many.
    """
    if n_patients < 7:
        raise InputError(f"a synthetic cohort needs n_patients >= 7, got {n_patients}")
    for name, n in (("n_patients", n_patients), ("n_pretraining_patients", n_pretraining_patients)):
        if not 1 <= n <= MOST_PATIENTS:
            raise InputError(f"{name} must be in 1..{MOST_PATIENTS}, got {n}")


def group_sizes(n_patients: int) -> npt.NDArray[np.intp]:
    """Split a number of patients as Table 1 does, by largest remainders, shape (3,)."""
    exact = n_patients * np.array(GROUP_SIZES) / sum(GROUP_SIZES)
    sizes = np.floor(exact).astype(np.intp)
    sizes[np.argsort(sizes - exact, kind="stable")[: n_patients - sizes.sum()]] += 1
    return sizes


def draw_cohort(
    n_patients: int = sum(GROUP_SIZES),
    *,
    difficulty: float = DEFAULT_DIFFICULTY,
    rng: np.random.Generator,
) -> Cohort:
    """Draw a catheterised cohort.

    Args:
        n_patients: number of patients, at least 7, so that no group is empty.
        difficulty: share of the ECG strain that has nothing to do with the disease: at 0 the
            groups are separable, at 1 strain tells nothing. Heart rate and age follow Table 1 at
            any difficulty, and heart rate alone gives a detection AUROC near 0.68.
        rng: source of all randomness.

    Raises:
        InputError: too few patients, or a difficulty outside 0..1.
    """
    check_sizes(n_patients)
    if not 0 <= difficulty <= 1:
        raise InputError(f"difficulty must be in 0..1, got {difficulty}")
    group = rng.permutation(np.repeat(np.arange(3), group_sizes(n_patients)))
    table = _patient_table(group, rng)
    rv_strain, left_strain, fibrillation = _strain(group, table, difficulty=difficulty, rng=rng)
    patients = draw_patients(
        table["heart_rate_bpm"].to_numpy(),
        rv_strain=rv_strain,
        left_strain=left_strain,
        atrial_fibrillation=fibrillation,
        age_years=table["age_years"].to_numpy(),
        rng=rng,
    )
    return Cohort(table, patients)


def _patient_table(group: npt.NDArray[np.intp], rng: np.random.Generator) -> pd.DataFrame:
    n = len(group)
    rhc = np.datetime64("2012-01-01") + rng.integers(0, 4018, n).astype("timedelta64[D]")
    ecg = rhc - rng.integers(0, 31, n).astype("timedelta64[D]")
    pressures = _pressures(group, rng)
    table = pd.DataFrame(
        {
            "patient_id": [f"S{i:05d}" for i in range(1, n + 1)],
            "record": [f"ecg{i:05d}" for i in range(1, n + 1)],
            "mpap_mmhg": pressures["mpap"],
            "pawp_mmhg": pressures["pawp"],
            "age_years": AGE_YEARS.draw(group, rng).round(1),
            "sex": np.where(rng.random(n) < 0.55, "F", "M"),
            "bsa_m2": BSA_M2.draw(group, rng).round(2),
            "heart_rate_bpm": HEART_RATE_BPM.draw(group, rng).round(1),
            "spap_mmhg": pressures["spap"],
            "dpap_mmhg": pressures["dpap"],
            "ecg_date": np.datetime_as_string(ecg, unit="D"),
            "rhc_date": np.datetime_as_string(rhc, unit="D"),
        }
    )
    # From a generator of its own, so that a seed gives the same ECGs as before there was a flow.
    index = CARDIAC_INDEX.draw(group, rng.spawn(1)[0])
    table["cardiac_output_l_min"] = (index * table["bsa_m2"]).round(1)
    return table


def _pressures(
    group: npt.NDArray[np.intp], rng: np.random.Generator
) -> dict[str, npt.NDArray[np.int64]]:
    """Draw whole-mmHg pressures that are consistent with one another and with the group.

    The mean is the diastolic plus a third of the pulse pressure, to a rounding error. mPAP is PAWP
    plus a positive gradient; the diastolic pressure lies at most 3 mmHg below PAWP, as large v
    waves can make it.
    """
    pawp = PAWP_MMHG.draw(group, rng).round()
    mean, sd, low, high = (np.array(values)[group] for values in GRADIENT_MMHG)
    low, high = np.maximum(low, _MPAP_LOW[group] - pawp), np.minimum(high, _MPAP_HIGH[group] - pawp)
    mpap = pawp + truncated_normal(mean, sd, low, high, rng=rng).round()
    pulse = mpap * rng.normal(0.95, 0.15, len(group)).clip(0.6, 1.4)
    dpap = np.clip((mpap - pulse / 3).round(), np.maximum(pawp - 3, 1), mpap - 2)
    spap = 3 * mpap - 2 * dpap + rng.integers(-1, 2, len(group))
    named = {"mpap": mpap, "pawp": pawp, "dpap": dpap, "spap": spap}
    return {name: values.astype(np.int64) for name, values in named.items()}


def _strain(
    group: npt.NDArray[np.intp],
    table: pd.DataFrame,
    *,
    difficulty: float,
    rng: np.random.Generator,
) -> tuple[FloatArray, FloatArray, npt.NDArray[np.bool_]]:
    """Mix what the disease does to the ECG with a draw that is the same for every group.

    Returns:
        Right-ventricular strain, left strain (0..1) and atrial fibrillation, each of shape (N,).
    """
    mpap, pawp = table["mpap_mmhg"].to_numpy(), table["pawp_mmhg"].to_numpy()
    rv = np.array([0.02, 0.75, 0.25])[group] + 0.012 * np.where(group == NON_PH, 0, mpap - 27)
    left = np.array([0.25, 0.05, 0.70])[group] + 0.015 * np.where(
        group == POST_CAPILLARY, pawp - 22, 0
    )
    fibrillation = np.array([0.02, 0.04, 0.25])[group]
    chance_rv, chance_left = rng.beta(0.9, 1.6, (2, len(group)))

    def mixed(disease: FloatArray, chance: FloatArray | float) -> FloatArray:
        return np.asarray((1 - difficulty) * np.clip(disease, 0, 1) + difficulty * chance)

    fibrillates = rng.random(len(group)) < mixed(fibrillation, 0.16)
    return mixed(rv, chance_rv), mixed(left, chance_left), fibrillates
