"""Read and clean a list of recordings in blocks, in one process or several."""

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from data_modules.reasons import RecordError
from data_modules.signal import SignalSettings, clean_ecg
from data_modules.wfdb_reader import Amplitude, read_recording
from lsemvae.errors import InputError
from lsemvae.leads import LEADS

BLOCK = 64  # records per task: 8 MB of signals, some tenths of a second of work


class Outcome(NamedTuple):
    """What became of one recording.

    Attributes:
        record: as the table names it.
        accepted: whether it is in the store.
        reasons: (code, message) of its rejection or of its warnings.
        signal_sha256: first 16 digits of the digest of its stored signal; empty when rejected.
        synthetic: whether its header says that it is synthetic.
    """

    record: str
    accepted: bool
    reasons: tuple[tuple[str, str], ...]
    signal_sha256: str = ""
    synthetic: bool = False


class Block(NamedTuple):
    """Consecutive recordings: counts (n, 12, T), zeros where rejected; present leads (n, 12)."""

    ecg: npt.NDArray[np.int16]
    present: npt.NDArray[np.bool_]
    outcomes: list[Outcome]


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
