"""Synthetic patients with right-heart-catheter data, and WFDB trees of their synthetic ECGs.

The catheterised cohort has the group sizes, ages, heart rates and body surface areas of the
paper's Table 1. The pressures of that table contradict one another (a systolic pressure of 73 mmHg
beside a mean of 14 mmHg), so pressures are drawn that are consistent for every patient.
"""

import datetime
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import ndtr, ndtri

from data_modules.synthetic_ecg import (
    INDEPENDENT_LEADS,
    PatientParameters,
    draw_patients,
    simulate_ecg,
    with_derived_limb_leads,
)
from lsemvae.errors import InputError
from lsemvae.leads import LEADS, lead_indices

FloatArray = npt.NDArray[np.float64]
Progress = Callable[[int, int], None]

# Table 1: non-PH, pre-capillary, post-capillary. (The text of the paper swaps the last two.)
GROUP_SIZES = (201, 136, 555)
NON_PH, PRE_CAPILLARY, POST_CAPILLARY = range(3)

# Measured at 892 patients (250 Hz, seeds 0 to 2, logistic regression, five folds by patient): from
# median beats of 12 leads and the RR intervals, AUROC .82-.84 for detection and .87-.89 for the
# phenotype; from the true strain, rhythm, heart rate and age .86-.88 and .93-.94.
# At 0.5: .89 and .95-.96; at 0.65: .79-.81 and .82-.85 (median beats).
DEFAULT_DIFFICULTY = 0.6

SYNTHETIC_COMMENT = "synthetic ECG, not a patient (lsemvae)"
MIMIC_LEADS = ("I", "II", "III", "aVR", "aVF", "aVL", "V1", "V2", "V3", "V4", "V5", "V6")
_BLOCK = 64  # records simulated at once; part of what a seed means


def _truncated_normal(
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
        return _truncated_normal(*(np.array(values)[group] for values in self), rng=rng)


# Mean and SD from Table 1; the bounds keep values plausible and hardly move the means.
AGE_YEARS = Spread((58.43, 61.56, 69.26), (11.64, 14.7, 11.34), (18.0,) * 3, (100.0,) * 3)
HEART_RATE_BPM = Spread((68.86, 79.34, 74.55), (8.42, 14.14, 13.84), (40.0,) * 3, (140.0,) * 3)
BSA_M2 = Spread((1.89, 1.89, 1.97), (0.21, 0.24, 0.28), (1.3,) * 3, (2.9,) * 3)
# PAWP as in Table 1, but for non-PH: 13.67 beside an mPAP of 14.23 would leave no gradient. The
# transpulmonary gradients make the means of mPAP those of Table 1.
PAWP_MMHG = Spread((8.0, 11.23, 21.53), (2.5, 2.98, 4.65), (3.0, 4.0, 16.0), (14.0, 15.0, 40.0))
GRADIENT_MMHG = Spread((6.2, 12.0, 5.6), (3.0, 5.5, 4.0), (3.0, 5.0, 2.0), (17.0, 50.0, 30.0))
_MPAP_LOW, _MPAP_HIGH = np.array([8, 21, 21]), np.array([20, 70, 70])


class Cohort(NamedTuple):
    """A cohort table and the truth behind its ECGs.

    Args:
        table: what a hospital would know, one row per patient.
        patients: the parameters of the ECGs, in the order of the table; not for any model.
    """

    table: pd.DataFrame
    patients: PatientParameters


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
    if n_patients < 7:
        raise InputError(f"a synthetic cohort needs n_patients >= 7, got {n_patients}")
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
    return pd.DataFrame(
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
    mpap = pawp + _truncated_normal(mean, sd, low, high, rng=rng).round()
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


def write_cohort(
    out: Path,
    *,
    n_patients: int = sum(GROUP_SIZES),
    difficulty: float = DEFAULT_DIFFICULTY,
    seed: int = 0,
    noise: float = 1.0,
    sampling_rate_hz: float = 500.0,
    duration_s: float = 10.0,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Write a catheterised cohort: `cohort.csv` and `records/<record>.hea` and `.dat`.

    Args:
        out: folder to write to; made where it does not exist.
        n_patients: number of patients, one recording each.
        difficulty: 0 separable to 1 no signal in the strain, see `draw_cohort`.
        seed: the same seed and options give the same bytes.
        noise: 1 is an ordinary clinical recording, 0 none.
        sampling_rate_hz: samples per second.
        duration_s: length of a recording.
        progress: called with the number of records written and of all records.

    Returns:
        The table that was written.

    Raises:
        InputError: `out` already holds a cohort, or an option is out of range.
    """
    table_path = _new_table(Path(out) / "cohort.csv")
    rng = np.random.default_rng(seed)
    cohort = draw_cohort(n_patients, difficulty=difficulty, rng=rng)
    days = pd.to_datetime(cohort.table["ecg_date"])
    clocks = pd.to_timedelta(rng.integers(7 * 60, 19 * 60, n_patients), unit="min")
    records = [
        _Record(Path(out) / "records" / name, start, (SYNTHETIC_COMMENT,))
        for name, start in zip(cohort.table["record"], days + clocks, strict=True)
    ]
    form = _Form(LEADS, 1000, sampling_rate_hz, duration_s, noise)
    _write_records(records, cohort.patients, form=form, rng=rng, progress=progress)
    _write_table(cohort.table, table_path)
    return cohort.table


def write_mimic(
    out: Path,
    *,
    n_patients: int = 1000,
    seed: int = 0,
    noise: float = 1.0,
    sampling_rate_hz: float = 500.0,
    duration_s: float = 10.0,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Write a hospital population in the layout of MIMIC-IV-ECG, for pre-training.

    `record_list.csv` and `files/pNNNN/pNNNNNNNN/sMMMMMMMM/MMMMMMMM.hea` and `.dat`, aVF before aVL,
    200 units per mV, as MIMIC-IV-ECG has them; one to three recordings of each patient.

    Args:
        out: folder to write to; made where it does not exist.
        n_patients: number of patients.
        seed: the same seed and options give the same bytes.
        noise: 1 is an ordinary clinical recording, 0 none.
        sampling_rate_hz: samples per second.
        duration_s: length of a recording.
        progress: called with the number of records written and of all records.

    Returns:
        The record list that was written.

    Raises:
        InputError: `out` already holds a record list, or an option is out of range.
    """
    table_path = _new_table(Path(out) / "record_list.csv")
    if not 1 <= n_patients <= 1_000_000:
        raise InputError(f"n_patients must be in 1..1000000, got {n_patients}")
    rng = np.random.default_rng(seed)
    person = np.repeat(np.arange(n_patients), rng.integers(1, 4, n_patients))
    table = _record_list(person, rng)
    records = [
        _Record(
            Path(out) / path,
            pd.Timestamp(time),
            (f"<subject_id>: {subject}", SYNTHETIC_COMMENT),
        )
        for path, time, subject in zip(
            table["path"], table["ecg_time"], table["subject_id"], strict=True
        )
    ]
    patients = _visits(_population(n_patients, rng).take(person), rng)
    form = _Form(MIMIC_LEADS, 200, sampling_rate_hz, duration_s, noise)
    _write_records(records, patients, form=form, rng=rng, progress=progress)
    _write_table(table, table_path)
    return table


def _record_list(person: npt.NDArray[np.intp], rng: np.random.Generator) -> pd.DataFrame:
    """Draw identifiers and times for recordings of the given persons, ascending, shape (N,)."""
    n_patients = int(person[-1]) + 1
    subjects = 10_000_000 + np.sort(rng.choice(10_000_000, n_patients, replace=False))[person]
    studies = 40_000_000 + rng.choice(10_000_000, len(person), replace=False)
    first = rng.integers(0, 85 * 525_960, n_patients)[person]  # MIMIC shifts dates by a century
    minutes = first + rng.integers(0, 5 * 525_960, len(person))
    minutes = minutes[np.lexsort((minutes, person))]
    times = np.datetime64("2110-01-01T00:00") + minutes.astype("timedelta64[m]")
    folders = [
        f"files/p{s // 10_000}/p{s}/s{m}/{m}" for s, m in zip(subjects, studies, strict=True)
    ]
    return pd.DataFrame(
        {
            "subject_id": subjects,
            "study_id": studies,
            "file_name": studies,
            "ecg_time": [str(time).replace("T", " ") + ":00" for time in times],
            "path": folders,
        }
    )


def _population(n: int, rng: np.random.Generator) -> PatientParameters:
    """Draw hospital patients: most without strain, some with much of either, every tenth in AF."""
    whole = np.ones(n)
    age = _truncated_normal(60 * whole, 17 * whole, 18 * whole, 100 * whole, rng=rng)
    strained = rng.random((2, n)) < [[0.2], [0.3]]
    rv, left = np.where(strained, rng.beta(1.5, 1.3, (2, n)), rng.beta(1.0, 8.0, (2, n)))
    fibrillates = rng.random(n) < 0.1
    return draw_patients(
        np.clip(rng.lognormal(np.log(77), 0.2, n) + 10 * fibrillates, 40, 150),
        rv_strain=rv,
        left_strain=left,
        atrial_fibrillation=fibrillates,
        age_years=age,
        rng=rng,
    )


def _visits(patients: PatientParameters, rng: np.random.Generator) -> PatientParameters:
    """Vary what differs between two recordings of one person: rate and electrode position."""
    n = len(patients.heart_rate_bpm)
    return patients._replace(
        heart_rate_bpm=np.clip(patients.heart_rate_bpm * rng.lognormal(0, 0.1, n), 40, 150),
        wave_gain=patients.wave_gain * rng.lognormal(0, 0.06, (n, 1)),
        heart_turn_rad=patients.heart_turn_rad + rng.normal(0, 0.06, (n, 2)),
    )


class _Record(NamedTuple):
    path: Path
    start: datetime.datetime
    comments: tuple[str, ...]


class _Form(NamedTuple):
    leads: tuple[str, ...]
    units_per_mv: int
    sampling_rate_hz: float
    duration_s: float
    noise: float


def _new_table(path: Path) -> Path:
    if path.exists():
        raise InputError(
            f"{path} exists already; give another folder, or delete this one to write it anew"
        )
    return path


def _write_table(table: pd.DataFrame, path: Path) -> None:
    """Write the table last and at once, so that its presence says that the tree is complete."""
    unfinished = path.with_suffix(".part")
    table.to_csv(unfinished, index=False, lineterminator="\n")
    unfinished.replace(path)


def _write_records(
    records: Sequence[_Record],
    patients: PatientParameters,
    *,
    form: _Form,
    rng: np.random.Generator,
    progress: Progress | None,
) -> None:
    order = lead_indices(form.leads)
    for start in range(0, len(records), _BLOCK):
        block = slice(start, start + _BLOCK)
        ecg_mv = simulate_ecg(
            patients.take(block),
            sampling_rate_hz=form.sampling_rate_hz,
            duration_s=form.duration_s,
            noise=form.noise,
            rng=rng,
        )
        counts = digitise(ecg_mv, form.units_per_mv)[:, order]
        for record, samples in zip(records[block], counts, strict=True):
            _write_record(record, samples, form=form)
        if progress is not None:
            progress(min(start + _BLOCK, len(records)), len(records))


def digitise(ecg_mv: npt.NDArray[np.float32], units_per_mv: int) -> npt.NDArray[np.int16]:
    """Round canonical ECGs (N, 12, T) to whole units, as a recorder that derives limb leads does.

    I, II and V1..V6 are rounded, and the other limb leads follow from the rounded I and II, so
    the relations between them hold to half a unit. Values saturate at the limits of format 16.
    """
    independent = np.rint(ecg_mv[:, lead_indices(INDEPENDENT_LEADS)] * np.float32(units_per_mv))
    return np.clip(np.rint(with_derived_limb_leads(independent)), -32767, 32767).astype(np.int16)


def _write_record(record: _Record, samples: npt.NDArray[np.int16], *, form: _Form) -> None:
    """Write one record as WFDB format 16.

    The same bytes as `wfdb.wrsamp`, which takes 23 to 38 ms a record where this takes under 1 ms.
    Format: https://physionet.org/physiotools/wag/header-5.htm.
    """
    name = record.path.name
    checksums = samples.sum(axis=1, dtype=np.int64) % 65536
    lines = [
        f"{name} {len(samples)} {form.sampling_rate_hz:g} {samples.shape[1]} "
        f"{record.start:%H:%M:%S %d/%m/%Y}"
    ]
    lines += [
        f"{name}.dat 16 {form.units_per_mv}.0(0)/mV 16 0 {first} {checksum} 0 {lead}"
        for lead, first, checksum in zip(form.leads, samples[:, 0], checksums, strict=True)
    ]
    lines += [f"# {comment}" for comment in record.comments]
    record.path.parent.mkdir(parents=True, exist_ok=True)
    np.ascontiguousarray(samples.T, "<i2").tofile(record.path.with_suffix(".dat"))
    record.path.with_suffix(".hea").write_text("\n".join(lines) + "\n", "ascii", newline="\n")
