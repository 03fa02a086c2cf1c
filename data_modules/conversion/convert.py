"""Convert a list of recordings into a store, in one process or several, and go on after a kill."""

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from time import monotonic
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from threadpoolctl import threadpool_limits

from data_modules.conversion.block import convert_block
from data_modules.conversion.destination import (
    JOURNAL,
    check_output,
    check_replaced,
    check_space,
    choose_folder,
    remove_leftovers,
    remove_temporary,
    remove_unused,
)
from data_modules.conversion.finish import finish_conversion
from data_modules.conversion.journal import FinishedShard, Journal
from data_modules.conversion.lock import OutputLock
from data_modules.conversion.quarantine import ConversionSummary, RecordFate, describe
from data_modules.progress import counted_progress
from data_modules.reading.amplitude import Amplitude
from data_modules.reading.recording import stored_unit
from data_modules.signals.settings import SignalSettings
from data_modules.store.content import StoreDescription
from data_modules.store.mark import VERSION
from data_modules.store.shards import ShardPlan, is_whole, plan_shards, shard_path, write_shard
from data_modules.store.write import is_single_file
from lsemvae.core.counted import counted
from lsemvae.core.errors import InputError
from lsemvae.core.joblib_backend import check_jobs, joblib_backend
from lsemvae.core.machine_limits import step_to_write
from lsemvae.core.printable import say

BLOCK = 64  # records in memory at once: 8 MB of signals


class ShardWork(NamedTuple):
    """What a worker needs beside the names of records.

    Attributes:
        source: the folder of the recordings.
        amplitude: see `read_recording`.
        settings: see `clean_ecg`.
        plan: how the recordings are dealt to shards.
        folder: where the shards go; its name is the key of the conversion.
        owner: process that ends its workers with itself; 0 where they are elsewhere.
    """

    source: Path
    amplitude: Amplitude
    settings: SignalSettings
    plan: ShardPlan
    folder: Path
    owner: int = 0


def convert(
    table: pd.DataFrame,
    source: Path,
    out: Path,
    *,
    amplitude: Amplitude,
    label: str,
    signal: SignalSettings,
    jobs: int,
    dask: str | None = None,
    subjects: pd.Series | None = None,
    paths: Sequence[str] | None = None,
) -> ConversionSummary:
    """Convert the listed recordings, write store and quarantine list, print a summary.

    Signals go into shards, each complete or absent; a run that was killed or found the disk full
    goes on where it was when it is started again with the same list and settings. Store and
    quarantine list are replaced at the end, or not at all.

    Args:
        table: one row for each recording, with `record` and `patient_id`.
        source: the folder that the recordings lie in.
        out: the store to write; an older one is replaced only by a complete new one.
        amplitude: see `read_recording`.
        label: the data's name.
        signal: the signal settings.
        jobs: processes; -1 takes one for each core.
        dask: address of a Dask scheduler whose workers convert instead; they must see the folders.
        subjects: ids of the patients as the recordings' source gave them, where the table may have
            ids of its own; None where the table's are the source's. Headers of pseudonymised
            recordings are not compared, as a subject's id must not be kept.
        paths: of the recordings where the table names them otherwise, by pseudonyms: then nothing
            of a file's path or words goes into store, quarantine list or journal.

    Raises:
        InputError: nothing can be written there, another run writes there, a worker was killed, or
            no recording was usable.
    """
    check_jobs(jobs)
    check_output(out)
    check_replaced(out, table["record"].tolist())
    try:
        with OutputLock(out) as lock:
            summary = _convert_locked(
                table, source, out, amplitude=amplitude, label=label, signal=signal, lock=lock,
                jobs=jobs, dask=dask, subjects=subjects, paths=paths,
            )  # fmt: skip
    except (BrokenProcessPool, MemoryError) as error:
        raise InputError(
            f"the memory was full or a worker was killed; {out} and finished shards are as they "
            "were; start again to go on, with fewer jobs if it was the memory"
        ) from error
    except OSError as error:
        raise InputError(
            f"cannot write {out} ({error.strerror or error}); an older store and finished shards "
            f"are as they were. {step_to_write(error)}, then start again to go on"
        ) from error
    say(describe(summary))
    return summary


def _convert_locked(
    table: pd.DataFrame,
    source: Path,
    out: Path,
    *,
    amplitude: Amplitude,
    label: str,
    signal: SignalSettings,
    lock: OutputLock,
    jobs: int,
    dask: str | None,
    subjects: pd.Series | None,
    paths: Sequence[str] | None,
) -> ConversionSummary:
    start = monotonic()
    names = table["record"].tolist()
    records = names if paths is None else list(paths)
    plan = plan_shards(len(records), signal.n_samples)
    key = _conversion_key(source, names, amplitude, signal, plan)
    owner = 0 if dask else os.getpid()
    job = ShardWork(source, amplitude, signal, plan, choose_folder(out, key), owner)
    job.folder.mkdir(parents=True, exist_ok=True)
    description = StoreDescription(
        signal.sampling_rate_hz, signal.n_samples, stored_unit(amplitude), label, asdict(signal),
        source=source.resolve().name, made_by=_program(),
    )  # fmt: skip
    try:
        with Journal(job.folder / JOURNAL, key=job.folder.name) as journal:
            _look_around(out, job, journal)
            _convert_shards(
                job, records, None if paths is None else names, journal,
                lock=lock, jobs=jobs, dask=dask,
            )  # fmt: skip
            summary = finish_conversion(
                table, out, journal, plan, description, start=start, subjects=subjects,
                source=source if paths is None else None,
            )  # fmt: skip
    except InputError:
        remove_unused(job.folder)
        raise
    remove_leftovers(out, "" if is_single_file(plan) else job.folder.name)
    journal.path.unlink(missing_ok=True)  # the last step: until then a killed run is continued
    return summary


def _program() -> str:
    return f"lsemvae {version('lsemvae')}"


def _conversion_key(
    source: Path,
    records: list[str],
    amplitude: Amplitude,
    settings: SignalSettings,
    plan: ShardPlan,
) -> str:
    """Name everything that shards depend on, so that a restart continues nothing else."""
    folder = str(source.resolve())
    parts = [VERSION, _program(), folder, records, amplitude, asdict(settings), plan]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


def _look_around(out: Path, job: ShardWork, journal: Journal) -> None:
    """Clear what a killed run had begun, tell what it finished, check the space for the rest."""
    remove_temporary(out, job.folder)
    plan = job.plan
    for number in list(journal.finished):
        if not is_whole(shard_path(job.folder, number), plan.n_bytes(number)):
            journal.forget(number)
    if journal.finished:
        done = sum(len(plan.span(number)) for number in journal.finished)
        n = f"{plan.n_listed:,}"
        say(
            f"going on: {counted(done, f'recording of {n} was', f'recordings of {n} were')} "
            "converted before"
        )
    check_space(out, plan, finished=set(journal.finished))


def _convert_shards(
    job: ShardWork,
    records: list[str],
    names: list[str] | None,
    journal: Journal,
    *,
    lock: OutputLock,
    jobs: int,
    dask: str | None,
) -> None:
    """Convert the shards that are not finished; the journal learns of each as soon as it is."""
    from joblib import Parallel, delayed

    plan = job.plan
    spans = {n: plan.span(n) for n in range(plan.n_shards) if n not in journal.finished}
    tasks = (
        delayed(convert_shard)(
            job, n, records[span.start : span.stop], names and names[span.start : span.stop]
        )
        for n, span in spans.items()
    )
    done = plan.n_listed - sum(map(len, spans.values()))
    progress = counted_progress("reading recordings", already=done)
    with joblib_backend(jobs, dask), progress as report:
        workers = Parallel(return_as="generator_unordered")
        for shard in workers(tasks):
            journal.add(shard)
            lock.touch()
            done += len(shard.outcomes)
            report(done, plan.n_listed)


def convert_shard(
    job: ShardWork, number: int, records: Sequence[str], names: Sequence[str] | None = None
) -> FinishedShard:
    """Read, clean and write the recordings of one shard.

    Args:
        job: how.
        number: of the shard.
        records: their paths below the source folder.
        names: their pseudonyms, where they have some.

    Raises:
        InputError: the source folder is gone, so that every recording would seem to be missing; or
            the run that asked for the shard was killed.
        OSError: the disk is full or cannot be written.
    """
    shape = job.plan.shape(number)
    present = np.zeros(shape[:2], dtype=np.bool_)
    outcomes: list[RecordFate] = []

    def blocks() -> Iterator[npt.NDArray[np.int16]]:
        for start in range(0, len(records), BLOCK):
            if job.owner not in (0, os.getpid(), os.getppid()):
                raise InputError("the run that this worker belonged to has ended")
            part = records[start : start + BLOCK]
            called = names and names[start : start + BLOCK]
            block = convert_block(job.source, part, job.amplitude, job.settings, called)
            present[start : start + len(part)] = block.present
            outcomes.extend(block.outcomes)
            yield block.ecg
        if not job.source.is_dir():
            raise InputError(f"{job.source} is gone; make it available and start again to go on")

    with threadpool_limits(1, user_api="blas"):  # more threads only wait: twice the CPU time
        write_shard(job.folder, number, key=job.folder.name, shape=shape, blocks=blocks())
    return FinishedShard(number, present, outcomes)
