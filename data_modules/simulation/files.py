"""Write WFDB trees of synthetic ECGs: a catheterised cohort, and a hospital's recordings."""

import datetime
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from data_modules.simulation.cohort import (
    DEFAULT_DIFFICULTY,
    GROUP_SIZES,
    MOST_PATIENTS,
    draw_cohort,
    truncated_normal,
)
from data_modules.simulation.ecg import INDEPENDENT_LEADS, simulate_ecg, with_derived_limb_leads
from data_modules.simulation.heart import PatientParameters, draw_patients
from lsemvae.core.errors import InputError
from lsemvae.core.files import whole_or_absent, write_text
from lsemvae.core.leads import LEADS, lead_indices

Progress = Callable[[int, int], None]

SYNTHETIC_COMMENT = "synthetic ECG, not a patient (lsemvae)"
MIMIC_LEADS = ("I", "II", "III", "aVR", "aVF", "aVL", "V1", "V2", "V3", "V4", "V5", "V6")
_BLOCK = 64  # records simulated at once; part of what a seed means


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
    if not 1 <= n_patients <= MOST_PATIENTS:
        raise InputError(f"n_patients must be in 1..{MOST_PATIENTS}, got {n_patients}")
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
    age = truncated_normal(60 * whole, 17 * whole, 18 * whole, 100 * whole, rng=rng)
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
    write_text(path, table.to_csv(index=False, lineterminator="\n"))


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
    header = ("\n".join(lines) + "\n").encode("ascii")
    for ending, content in ((".dat", samples.T.astype("<i2").tobytes()), (".hea", header)):
        with whole_or_absent(record.path.with_suffix(ending)) as file:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
