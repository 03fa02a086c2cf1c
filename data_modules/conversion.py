"""Convert a list of recordings into a store, in one process or several."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from time import monotonic
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from data_modules.outcomes import (
    ConversionSummary,
    Outcome,
    count_text,
    describe,
    summarise,
    write_quarantine,
)
from data_modules.progress import show_progress
from data_modules.reasons import RecordError
from data_modules.recording import stored_unit
from data_modules.recording_reader import read_recording
from data_modules.signal import clean_ecg
from data_modules.signal_settings import Amplitude, SignalSettings
from data_modules.store_writer import StoreDescription, StoreWriter, check_output
from lsemvae.errors import InputError
from lsemvae.leads import LEADS

BLOCK = 64  # records per task: 8 MB of signals, some tenths of a second of work


class Block(NamedTuple):
    """Consecutive recordings: counts (n, 12, T), zeros where rejected; present leads (n, 12)."""

    ecg: npt.NDArray[np.int16]
    present: npt.NDArray[np.bool_]
    outcomes: list[Outcome]


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
    description = StoreDescription(
        signal.sampling_rate_hz, signal.n_samples, stored_unit(amplitude), label, asdict(signal)
    )
    outcomes: list[Outcome] = []
    present = np.zeros((len(records), len(LEADS)), dtype=np.bool_)
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
        summary = summarise(outcomes, out, quarantine, seconds=monotonic() - start)
        if not len(rows):
            reasons = count_text(summary.rejected)
            raise InputError(
                f"none of the {len(records)} recordings was usable ({reasons}); {quarantine} says "
                f"why for each; first: {outcomes[0].record}: {outcomes[0].reasons[0][1]}"
            )
        accepted = table.iloc[rows].assign(
            signal_sha256=[outcomes[row].signal_sha256 for row in rows]
        )
        synthetic = any(outcome.synthetic for outcome in outcomes)
        writer.finish(accepted, rows=rows, present=present[rows], synthetic=synthetic)
    print(describe(summary))
    return summary


def convert_blocks(
    source: Path,
    records: Sequence[str],
    *,
    amplitude: Amplitude,
    settings: SignalSettings,
    jobs: int,
) -> Iterator[Block]:
    """Convert recordings and yield them in the order of the list.

    Args:
        source: the folder of the recordings.
        records: their paths below it.
        amplitude: see `read_recording`.
        settings: see `clean_ecg`.
        jobs: processes; -1 takes one for each core.

    Raises:
        InputError: `jobs` is neither positive nor -1.
    """
    if jobs < 1 and jobs != -1:
        raise InputError(f"jobs must be 1 or more, or -1 for one for each core; got {jobs}")
    from joblib import Parallel, delayed

    starts = range(0, len(records), BLOCK)
    tasks = (
        delayed(convert_block)(source, records[start : start + BLOCK], amplitude, settings)
        for start in starts
    )
    # results come in order; at most two blocks for each process wait in memory
    yield from Parallel(n_jobs=jobs, return_as="generator", pre_dispatch="2*n_jobs")(tasks)


def convert_block(
    source: Path, records: Sequence[str], amplitude: Amplitude, settings: SignalSettings
) -> Block:
    """Read and clean some recordings; a bad one is an outcome and ends nothing."""
    ecg = np.zeros((len(records), len(LEADS), settings.n_samples), dtype=np.int16)
    present = np.zeros((len(records), len(LEADS)), dtype=np.bool_)
    outcomes = []
    for i, record in enumerate(records):
        try:
            recording = read_recording(source, record, amplitude=amplitude)
            clean = clean_ecg(recording, settings)
        except RecordError as error:
            outcomes.append(Outcome(record, False, ((error.code, error.problem),)))
            continue
        ecg[i], present[i] = clean.ecg, clean.present
        digest = hashlib.sha256(ecg[i].tobytes()).hexdigest()[:16]
        synthetic = any("synthetic" in comment.lower() for comment in recording.comments)
        outcomes.append(Outcome(record, True, tuple(clean.warnings), digest, synthetic))
    return Block(ecg, present, outcomes)
