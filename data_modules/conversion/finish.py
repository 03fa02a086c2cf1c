"""Turn a finished journal into a store and a quarantine list."""

import contextlib
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from data_modules.conversion.altered_copies import altered_copies
from data_modules.conversion.doubts import Doubts, added, cohort_doubts, subject_doubts
from data_modules.conversion.heart_rates import heart_rate_doubts
from data_modules.conversion.journal import Journal
from data_modules.conversion.other_folder import meant_source
from data_modules.conversion.quarantine import (
    ConversionSummary,
    RecordFate,
    count_text,
    summarise,
    write_quarantine,
)
from data_modules.conversion.recorded_days import recorded_day_doubts
from data_modules.signals.likeness import N_NUMBERS, as_counts, unpack
from data_modules.store.content import StoreDescription
from data_modules.store.mark import failed_list, quarantine_list
from data_modules.store.shards import ShardPlan, shard_signal
from data_modules.store.write import Accepted, write_store
from lsemvae.core.counted import counted
from lsemvae.core.errors import InputError
from lsemvae.core.leads import LEADS


class _Columns(NamedTuple):
    """What the journal knows of all n listed recordings, 134 bytes for each.

    Equal subjects are one text.
    """

    accepted: npt.NDArray[np.bool_]
    present: npt.NDArray[np.bool_]
    signal_sha256: npt.NDArray[np.bytes_]
    synthetic: npt.NDArray[np.bool_]
    amplitude: npt.NDArray[np.float64]
    step_mv: npt.NDArray[np.float64]
    subject: npt.NDArray[np.object_]
    beats_per_min: npt.NDArray[np.float64]
    fingerprint: npt.NDArray[np.float32]


def finish_conversion(
    table: pd.DataFrame,
    out: Path,
    journal: Journal,
    plan: ShardPlan,
    description: StoreDescription,
    *,
    start: float,
    subjects: pd.Series | None = None,
    source: Path | None = None,
) -> ConversionSummary:
    """Put store and quarantine list in their places.

    Args:
        table: of the listed recordings.
        out: the store.
        journal: with every shard finished, in their folder.
        plan: how the recordings were dealt to shards.
        description: the store's attributes.
        start: when the conversion began, by `time.monotonic`.
        subjects: see `convert`.
        source: the folder that the recordings were looked for in; None where it may not be told.

    Raises:
        InputError: no recording was usable; older files stay as they were, and the reasons are in
            a list of their own.
        OSError: the disk is full or cannot be written.
    """
    quarantine = quarantine_list(out)
    columns = _columns(journal, plan.n_listed)
    foreign = subject_doubts(table, columns.subject, subjects)
    columns.accepted[list(foreign.refused)] = False
    columns.signal_sha256[list(foreign.refused)] = b""
    doubts, of_the_set = cohort_doubts(
        table, columns.signal_sha256, columns.amplitude, columns.step_mv
    )
    rates, of_the_rates = heart_rate_doubts(table, columns.beats_per_min)
    folder = journal.path.parent
    copies, of_the_copies = altered_copies(
        table, columns.signal_sha256, columns.fingerprint,
        lambda row: shard_signal(folder, plan, row, key=folder.name),
    )  # fmt: skip
    doubts = added(added(added(doubts, foreign.doubts), rates), copies)
    of_the_set += foreign.of_the_set + of_the_rates + of_the_copies
    of_the_set += () if source is None else recorded_day_doubts(table, source)

    def outcomes() -> Iterator[RecordFate]:
        return _outcomes(journal, doubts, foreign.refused)

    summary = summarise(outcomes(), out, quarantine, seconds=monotonic() - start)
    if not summary.accepted:
        _refuse(out, journal, summary, outcomes, source)
    summary = summary._replace(doubts=of_the_set)
    rows = np.flatnonzero(columns.accepted)
    accepted = Accepted(
        table.iloc[rows].assign(signal_sha256=columns.signal_sha256[rows].astype(str)),
        rows,
        columns.present[rows],
        synthetic=bool(columns.synthetic.any()),
        reasons=_told(summary),
        fingerprint=as_counts(columns.fingerprint[rows]),
    )
    written = quarantine.with_name(f"{out.name}.quarantine.tmp")
    write_quarantine(written, outcomes())
    write_store(out, journal.path.parent, accepted, plan=plan, description=description)
    os.replace(written, quarantine)
    failed_list(out).unlink(missing_ok=True)
    return summary._replace(seconds=monotonic() - start)


def _told(summary: ConversionSummary) -> dict[str, dict[str, int]]:
    """Return what the store says of all listed recordings; notes where there are any."""
    counts = {"rejected": summary.rejected, "warnings": summary.warnings}
    return counts | ({"notes": summary.notes} if summary.notes else {})


def _outcomes(journal: Journal, doubts: Doubts, refused: Doubts) -> Iterator[RecordFate]:
    """Yield what became of each recording, in the order of the list, doubts among the reasons."""
    outcomes = (outcome for shard in journal.read() for outcome in shard.outcomes)
    for position, outcome in enumerate(outcomes):
        if position in refused:
            yield outcome._replace(accepted=False, reasons=refused[position])
        else:
            yield outcome._replace(reasons=outcome.reasons + doubts.get(position, ()))


def _columns(journal: Journal, n_listed: int) -> _Columns:
    columns = _Columns(
        np.zeros(n_listed, np.bool_),
        np.zeros((n_listed, len(LEADS)), np.bool_),
        np.zeros(n_listed, "S16"),
        np.zeros(n_listed, np.bool_),
        np.full(n_listed, np.nan),
        np.full(n_listed, np.nan),
        np.full(n_listed, "", object),
        np.full(n_listed, np.nan),
        np.full((n_listed, N_NUMBERS), np.nan, np.float32),
    )
    start = 0
    for shard in journal.read():
        rows = slice(start, start := start + len(shard.outcomes))
        columns.accepted[rows] = [outcome.accepted for outcome in shard.outcomes]
        columns.present[rows] = shard.present
        columns.signal_sha256[rows] = [outcome.signal_sha256 for outcome in shard.outcomes]
        columns.synthetic[rows] = [outcome.synthetic for outcome in shard.outcomes]
        columns.amplitude[rows] = _known([outcome.amplitude for outcome in shard.outcomes])
        columns.subject[rows] = [sys.intern(outcome.subject) for outcome in shard.outcomes]
        columns.beats_per_min[rows] = _known([one.beats_per_min for one in shard.outcomes])
        columns.fingerprint[rows] = [unpack(one.fingerprint) for one in shard.outcomes]
        columns.step_mv[rows] = _known([outcome.step_mv for outcome in shard.outcomes])
    return columns


def _known(values: list[float | None]) -> npt.NDArray[np.float64]:
    """Return numbers, NaN for None."""
    return np.array(values, dtype=np.float64)


def _refuse(
    out: Path,
    journal: Journal,
    summary: ConversionSummary,
    outcomes: Callable[[], Iterator[RecordFate]],
    source: Path | None,
) -> None:
    """Write down why nothing was usable, beside the older files, and end the run."""
    failed = failed_list(out)
    write_quarantine(failed, outcomes())
    first = next(outcomes())
    folder = journal.path.parent
    shutil.rmtree(folder)  # the next run reads the recordings again
    with contextlib.suppress(OSError):  # shards of the older store may be beside it
        folder.parent.rmdir()
    all_missing = set(summary.rejected) == {"file_missing"}
    meant = meant_source(source, first.record) if source and all_missing else ""
    raise InputError(
        f"none of the {counted(summary.listed, 'recording')} was usable "
        f"({count_text(summary.rejected)}); {failed} says why for each; first: {first.record}: "
        f"{first.reasons[0][1]}{meant}"
    )
