"""Run `prepare code15`: CODE-15% (Ribeiro et al. 2021, doi:10.5281/zenodo.4916206) as published.

What it needs is imported when it runs, so that its help appears at once.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from data_modules.conversion.quarantine import ConversionSummary
from data_modules.signals.settings import SignalSettings
from lsemvae.core.counted import counted
from lsemvae.core.errors import InputError
from lsemvae.core.leads import LEADS
from lsemvae.core.printable import say

if TYPE_CHECKING:
    import pandas as pd

DEFAULT_SIGNAL = SignalSettings()
EXAMS = "exams.csv"
WHAT = f"the folder of CODE-15% that holds {EXAMS} and exams_part0.hdf5 ..."
LABELS = ("1dAVb", "RBBB", "LBBB", "SB", "AF", "ST", "normal_ecg", "death")
COLUMNS = ("exam_id", "patient_id", "age", "is_male", "trace_file", *LABELS)
TRUTH = {"true": 1.0, "1": 1.0, "1.0": 1.0, "false": 0.0, "0": 0.0, "0.0": 0.0}
LAYOUT = {
    "leads": list(LEADS), "sampling_rate_hz": 400, "unit": "mV", "variable": "tracings"
}  # fmt: skip
"""Amplitudes are millivolts: the PhysioNet Challenge 2025 converts them so, and a public benchmark
that measured the arrays found R waves of 1.75 mV in lead II (median). The authors' own text
contradicts itself: "1e-4V", and times 1000 to volts."""


def prepare_code15(
    source: str,
    out: str,
    *,
    signal: SignalSettings = DEFAULT_SIGNAL,
    label: str = "CODE-15%",
    jobs: int = 1,
    dask: str | None = None,
) -> ConversionSummary:
    """Read CODE-15% into a store: its six diagnoses, its patients.

    Labels are the diagnoses, `normal_ecg` and `death`. A label that a cell leaves empty
    is missing: `death` is stated for a patient's first exam only.

    Zeros at both ends of a tracing, which fill it up to 4096 samples, are taken away. Exams of
    parts that are not there are left out and counted. No folds are published.

    Args:
        source: the folder that holds exams.csv and exams_part0.hdf5 ... (some or all); a file
            layout.json is written there where there is none.
        out: the store to write, e.g. data/code15.h5.
        signal: how the signals are checked, filtered and cut.
        label: the data's name in captions and reports.
        jobs: processes; -1 takes one for each core.
        dask: address of a Dask scheduler whose workers convert instead.

    Returns:
        The store, the quarantine list, and what became of the recordings.

    Raises:
        InputError: a file or column of the official layout is missing, or a cell is damaged.
    """
    from data_modules.conversion.convert import convert
    from data_modules.public_sets.layout_file import ensure_layout

    folder = Path(source)
    table = code15_table(folder)
    ensure_layout(folder, LAYOUT)
    return convert(
        table, folder, Path(out), amplitude="calibrated", label=label, signal=signal, jobs=jobs,
        dask=dask,
    )  # fmt: skip


def code15_table(folder: Path) -> "pd.DataFrame":
    """Return record, patient_id, exam_id, age_years, sex and the labels of every exam.

    Raises:
        InputError: as `prepare_code15`.
    """
    import pandas as pd

    from data_modules.public_sets.csv_file import numbers_of, read_text_table, without_decimals

    table = read_text_table(folder / EXAMS, COLUMNS, WHAT)
    exam = without_decimals(table["exam_id"])
    rows: dict[tuple[str, str], int] = {}
    for name in sorted(set(table["trace_file"])):
        rows |= {(name, exam): row for row, exam in enumerate(_exam_ids(folder / name))}
    if not rows:
        raise InputError(f"{folder} holds none of the files of {EXAMS}; source is {WHAT}")
    keys = list(zip(table["trace_file"], exam, strict=True))
    row = pd.Series([rows.get(key, -1) for key in keys])
    if (row < 0).any():
        say(f"note: left out: {counted(int((row < 0).sum()), 'exam')} whose part is not there")
    age = numbers_of(table["age"], folder / EXAMS)
    found = pd.DataFrame({
        "record": table["trace_file"] + "#" + row.astype(str),
        "patient_id": without_decimals(table["patient_id"]),
        "exam_id": exam,
        "age_years": age.where(age.between(0, 120)),
        "sex": _truth(table["is_male"]).map({1.0: "M", 0.0: "F"}).fillna(""),
        **{name: _truth(table[name]) for name in LABELS},
    })  # fmt: skip
    return found[row >= 0].reset_index(drop=True)


def _truth(column: "pd.Series") -> "pd.Series":
    """Return True and False as 1 and 0, missing where the cell is empty."""
    plain = column.str.strip().str.lower()
    odd = column[(plain != "") & ~plain.isin(list(TRUTH))]
    if len(odd):
        raise InputError(
            f"{EXAMS}: line {odd.index[0] + 2} of {column.name} holds {odd.iloc[0]!r}, expected "
            "True or False"
        )
    return plain.map(TRUTH)


def _exam_ids(file: Path) -> list[str]:
    """Return the exams of a part in the order of its rows, none where it is not there."""
    import h5py

    from data_modules.hdf5_parts import HDF5_ERRORS, own_dataset

    if not file.is_file():
        return []
    try:
        with h5py.File(file, "r") as part:
            return [str(int(exam)) for exam in own_dataset(part, "exam_id")[()]]
    except HDF5_ERRORS as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{file} is no part of CODE-15% ({reason})") from error
