"""The commands `prepare mimic` and `prepare cohort`: recordings and a table become a store."""

import csv
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from time import monotonic
from typing import NamedTuple

import numpy as np
import pandas as pd

from data_modules.cohort_table import read_cohort_table
from data_modules.conversion import Outcome, convert_blocks
from data_modules.progress import show_progress
from data_modules.signal import SignalSettings
from data_modules.store_writer import StoreDescription, StoreWriter, check_output
from data_modules.wfdb_reader import Amplitude
from lsemvae.errors import InputError

DEFAULT_SIGNAL = SignalSettings()


class ConversionSummary(NamedTuple):
    """What became of the listed recordings.

    Attributes:
        store: the store that was written.
        quarantine: CSV file of every recording that was rejected or accepted with warnings.
        listed: recordings in the table.
        accepted: recordings in the store, with or without warnings.
        with_warnings: those of them that were repaired, masked or are doubtful.
        rejected: rejected recordings for each reason code.
        warnings: accepted recordings for each warning code.
        seconds: wall-clock time.
    """

    store: Path
    quarantine: Path
    listed: int
    accepted: int
    with_warnings: int
    rejected: dict[str, int]
    warnings: dict[str, int]
    seconds: float


def prepare_mimic(
    source: str,
    out: str,
    *,
    signal: SignalSettings = DEFAULT_SIGNAL,
    limit: int | None = None,
    jobs: int = 1,
    label: str = "MIMIC-IV-ECG",
) -> ConversionSummary:
    """Read a MIMIC-IV-ECG tree into a store.

    Recordings that are rejected, repaired or doubtful are listed in OUT.quarantine.csv.

    Args:
        source: the folder that holds record_list.csv and files/.
        out: the store to write, e.g. data/mimic.h5.
        signal: how the signals are checked, filtered and cut.
        limit: convert the first so many recordings only.
        jobs: processes; -1 takes one for each core.
        label: the data's name in captions and reports.

    Raises:
        InputError: a folder, file or option is wrong, or no recording was usable.
    """
    listing = _folder(source) / "record_list.csv"
    if not listing.is_file():
        raise InputError(
            f"{source} holds no record_list.csv; source is the folder of MIMIC-IV-ECG that holds "
            "record_list.csv and files/"
        )
    if limit is not None and limit < 1:
        raise InputError(f"limit must be 1 or more, got {limit}; leave it out to convert all")
    names = {"record": "path", "patient_id": "subject_id"}
    table = read_cohort_table(listing, names, text=("study_id", "file_name")).table
    kept = [*names, *(name for name in ("study_id", "ecg_time") if name in table)]
    table = table[kept].head(limit if limit is not None else len(table))
    return convert(
        table,
        _folder(source),
        Path(out),
        amplitude="calibrated",
        label=label,
        signal=signal,
        jobs=jobs,
    )


def prepare_cohort(
    table: str,
    source: str,
    out: str,
    *,
    columns: dict[str, str] | None = None,
    amplitude: Amplitude = "calibrated",
    label: str | None = None,
    signal: SignalSettings = DEFAULT_SIGNAL,
    jobs: int = 1,
) -> ConversionSummary:
    """Read a folder of WFDB recordings and a table of patients into a store.

    The table has one row for each recording: `record` (path below SOURCE without extension) and
    `patient_id`; for the two pulmonary-hypertension tasks mpap_mmhg and pawp_mmhg; optionally
    age_years, sex, bsa_m2, heart_rate_bpm, spap_mmhg, dpap_mmhg, ecg_date, rhc_date; any further
    column is kept. Recordings that are rejected, repaired or doubtful are listed in
    OUT.quarantine.csv.

    Args:
        table: the table, a CSV file in UTF-8.
        source: the folder that the recordings lie in.
        out: the store to write, e.g. data/cohort.h5.
        columns: the table's own column names where they differ, for example
            --columns.record=ID --columns.patient_id=ID.
        amplitude: `calibrated` for recordings in mV, uV or V; `arbitrary` for sets whose amplitudes
            mean nothing (z-scored, or scaled lead by lead).
        label: the data's name in captions and reports; the table's file name when left out.
        signal: how the signals are checked, filtered and cut.
        jobs: processes; -1 takes one for each core.

    Raises:
        InputError: a folder, the table or an option is wrong, or no recording was usable.
    """
    cohort = read_cohort_table(table, columns)
    for warning in cohort.warnings:
        print(f"warning: {table}: {warning}")
    return convert(
        cohort.table,
        _folder(source),
        Path(out),
        amplitude=amplitude,
        label=Path(table).stem if label is None else label,
        signal=signal,
        jobs=jobs,
    )


def convert(
    table: pd.DataFrame,
    source: Path,
    out: Path,
    *,
    amplitude: Amplitude,
    label: str,
    signal: SignalSettings,
    jobs: int,
) -> ConversionSummary:
    """Convert the listed recordings, write store and quarantine list, print a summary.

    Args:
        table: one row for each recording, with `record` and `patient_id`.
        source: the folder that the recordings lie in.
        out: the store to write; an older one is replaced only by a complete new one.
        amplitude: see `read_recording`.
        label: the data's name.
        signal: the signal settings.
        jobs: processes.

    Raises:
        InputError: nothing can be written there, or no recording was usable.
    """
    start = monotonic()
    check_output(out)
    records = table["record"].tolist()
    unit = "mV" if amplitude == "calibrated" else "NU"
    description = StoreDescription(
        signal.sampling_rate_hz, signal.n_samples, unit, label, asdict(signal)
    )
    outcomes: list[Outcome] = []
    present = np.zeros((len(records), 12), dtype=np.bool_)
    quarantine = out.with_name(out.name + ".quarantine.csv")
    with StoreWriter(out, n_listed=len(records), description=description) as writer:
        blocks = convert_blocks(source, records, amplitude=amplitude, settings=signal, jobs=jobs)
        counted = ((len(block.outcomes), block) for block in blocks)
        for block in show_progress(counted, total=len(records), text="reading recordings"):
            writer.write(len(outcomes), block.ecg)
            present[len(outcomes) : len(outcomes) + len(block.outcomes)] = block.present
            outcomes += block.outcomes
        write_quarantine(quarantine, outcomes)
        rows = np.flatnonzero([outcome.accepted for outcome in outcomes])
        summary = _summarise(outcomes, out, quarantine, seconds=monotonic() - start)
        if not len(rows):
            reasons = _counts(summary.rejected)
            raise InputError(
                f"none of the {len(records)} recordings was usable ({reasons}); {quarantine} says "
                f"why for each; first: {outcomes[0].record}: {outcomes[0].reasons[0][1]}"
            )
        accepted = table.iloc[rows].assign(
            signal_sha256=[outcomes[row].signal_sha256 for row in rows]
        )
        synthetic = any(outcome.synthetic for outcome in outcomes)
        writer.finish(accepted, rows=rows, present=present[rows], synthetic=synthetic)
    print(_describe(summary))
    return summary


def write_quarantine(path: Path, outcomes: Sequence[Outcome]) -> None:
    """Write one line for each reason why a recording was not simply accepted."""
    temporary = path.with_name(path.name + ".tmp")
    with temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("record", "outcome", "code", "message"))
        for outcome in outcomes:
            name = "accepted_with_warnings" if outcome.accepted else "rejected"
            writer.writerows((outcome.record, name, *reason) for reason in outcome.reasons)
    os.replace(temporary, path)


def _folder(source: str) -> Path:
    folder = Path(source)
    if not folder.is_dir():
        raise InputError(f"there is no folder {source}; source is where the recordings lie")
    return folder


def _summarise(
    outcomes: Sequence[Outcome], store: Path, quarantine: Path, *, seconds: float
) -> ConversionSummary:
    accepted = [outcome for outcome in outcomes if outcome.accepted]
    rejected = Counter(o.reasons[0][0] for o in outcomes if not o.accepted)
    warnings = Counter(code for o in accepted for code in {code for code, _ in o.reasons})
    return ConversionSummary(
        store=store,
        quarantine=quarantine,
        listed=len(outcomes),
        accepted=len(accepted),
        with_warnings=sum(1 for outcome in accepted if outcome.reasons),
        rejected=dict(rejected.most_common()),
        warnings=dict(sorted(warnings.items(), key=lambda item: (-item[1], item[0]))),
        seconds=seconds,
    )


def _describe(summary: ConversionSummary) -> str:
    """Return the lines that end a conversion."""
    rate = summary.listed / max(summary.seconds, 1e-9)
    lines = [
        f"{summary.store}: {summary.accepted} of {summary.listed} recordings accepted, "
        f"{summary.with_warnings} of them with warnings, in {summary.seconds:.1f} s ({rate:.0f}/s)"
    ]
    if summary.rejected:
        lines.append(f"  rejected: {_counts(summary.rejected)}")
    if summary.warnings:
        lines.append(f"  warnings: {_counts(summary.warnings)}")
    if summary.rejected or summary.warnings:
        lines.append(f"  details:  {summary.quarantine}")
    return "\n".join(lines)


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{code} {count}" for code, count in counts.items())
