"""Find patients and recordings that pre-training, training and test parts share.

Patients are compared by a hash of their id, recordings by the digest that the store keeps of every
stored signal. Stores of equal settings give equal digests to equal recordings, whatever their
format; a copy that was altered is another signal. Of 55 public recordings that were copied to
another format and order of leads, the 49 unaltered ones are found, and none of the 6 that had lost
a lead or some samples.
"""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from data_modules.cohort.identity import plain_ids
from data_modules.dataset import EcgPool
from data_modules.near_copies import marks_of, tell_altered_copies, tell_near_copies
from data_modules.store.content import Hashes, patient_hashes, signal_hashes
from lsemvae.core.counted import counted
from lsemvae.core.errors import InputError
from lsemvae.core.files import replacing
from lsemvae.core.npz_file import read_npz
from lsemvae.core.printable import say
from lsemvae.core.shipped_encoders import encoder_path

FILE_NAME = "trained_on.npz"
PRETRAINING = "pre-training"
NONE: Hashes = np.empty(0, np.uint64)
N_EXAMPLES = 3
N_WARNED = 2  # patients and signals of the first pair of parts


class Members(NamedTuple):
    """Patients or signals of a part.

    Attributes:
        hashes: sorted, without repetition.
        names: patient ids, or records; None where only hashes were kept.
    """

    hashes: Hashes
    names: npt.NDArray[Any] | None = None


class Part(NamedTuple):
    """Who and what is in one part of an experiment.

    Attributes:
        name: such as `pre-training` or `fold 0`.
        patient: its patients.
        signal: its recordings.
        patient_spelt: its patients, also as `plain_ids` writes their ids; None where `patient`
            holds these as well, as in a file of a pre-training.
        near: by what copies of its recordings are known again (`near_marks`), where it is kept.
    """

    name: str
    patient: Members
    signal: Members
    patient_spelt: Members | None = None
    near: Hashes = NONE

    def members(self, kind: str, *, spelt: bool = False) -> Members:
        """Return patients, signals or marks of these; patients in every spelling where asked."""
        if kind == "near":
            return Members(self.near)
        if kind == "patient" and spelt:
            return self.patient_spelt or self.patient
        return self.patient if kind == "patient" else self.signal


class Leak(NamedTuple):
    """What two parts share that must have nothing in common.

    Attributes:
        kind: `patient` or `signal`.
        between: names of the two parts.
        n: how many patients or signals they share.
        examples: some patient ids or records, where they are known.
    """

    kind: str
    between: tuple[str, str]
    n: int
    examples: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return the leak as one line."""
        named = f", such as {', '.join(self.examples)}" if self.examples else ""
        return f"{' and '.join(self.between)} share {counted(self.n, self.kind)}{named}"


class LeakageCheck(NamedTuple):
    """What was compared and what was found.

    Attributes:
        leaks: none where all is well.
        pretraining_known: whether the recordings of the pre-training could be compared, too;
            None where there was no pre-training.
        near: recordings that are nearly ones of another patient or of the pre-training, as altered
            copies are.
    """

    leaks: list[Leak]
    pretraining_known: bool | None
    near: int = 0

    def about(self) -> dict[str, Any]:
        """Return plain values for metrics.json, without names of patients or records."""
        leaks = [{"kind": k, "between": list(pair), "n": n} for k, pair, n, _ in self.leaks]
        known = {"leaks": leaks, "pretraining_compared": self.pretraining_known}
        return known | ({"near_copies": self.near} if self.near else {})


def part_of(name: str, tables: Iterable[pd.DataFrame]) -> Part:
    """Return the part that rows of one or several stores' tables make up.

    Args:
        name: of the part.
        tables: with record, patient_id and signal_sha256.
    """
    table = pd.concat([table[["record", "patient_id", "signal_sha256"]] for table in tables])
    patients = pd.unique(table["patient_id"].astype(str))
    spelt = np.concatenate([patients, plain_ids(pd.Series(patients)).to_numpy()])
    return Part(
        name,
        _members(patient_hashes(patients), np.asarray(patients)),
        _members(signal_hashes(table["signal_sha256"]), table["record"].to_numpy()),
        _members(patient_hashes(spelt), np.tile(np.asarray(patients), 2)),
    )


def fold_parts(table: pd.DataFrame, fold: pd.Series) -> list[Part]:
    """Return one part for each fold.

    Args:
        table: of the cohort.
        fold: number of the fold of each row, NaN where it is in none.
    """
    return [part_of(f"fold {number:g}", [rows]) for number, rows in table.groupby(fold)]


def find_leaks(parts: Sequence[Part]) -> list[Leak]:
    """Return what any two of the parts share; every fold is a test part once.

    A patient id that pre-training and cohort share is a leak even where no recording is the same:
    whether two hospitals number different patients alike is for the user to say. There the ids may
    be written in different ways (1 and 1.0); within one cohort `refuse_alike_ids` looks for that.
    """
    found = []
    for one, other in itertools.combinations(parts, 2):
        spelt = PRETRAINING in (one.name, other.name)
        for kind in ("patient", "signal"):
            ours, theirs = (part.members(kind, spelt=spelt) for part in (one, other))
            shared, left, right = np.intersect1d(
                ours.hashes, theirs.hashes, assume_unique=True, return_indices=True
            )
            if len(shared):
                known = theirs.names is not None
                names, at = (theirs.names, right) if known else (ours.names, left)
                named = [] if names is None else list(dict.fromkeys(map(str, names[at])))
                examples, n = tuple(named[:N_EXAMPLES]), len(named) or len(shared)
                found.append(Leak(kind, (one.name, other.name), n, examples))
    return found


def refuse_leaks(leaks: Sequence[Leak], allow: bool) -> None:
    """Stop a run that has a leak, unless the user has allowed it.

    Args:
        leaks: from `find_leaks`.
        allow: warn and go on; the report says so on its first page.

    Raises:
        InputError: there is a leak and it is not allowed.
    """
    if not leaks:
        return
    listed = "; ".join(map(str, leaks))
    if not allow:
        raise InputError(
            f"leakage: {listed}. Take the shared ones out of one part (ids that only look alike: "
            "give one cohort's a prefix, by `lsemvae prepare cohort --patient_prefix`), or run "
            "with --allow_leakage true; the report then says so"
        )
    more = f"; and {len(leaks) - N_WARNED} more like these" if len(leaks) > N_WARNED else ""
    say(f"warning: leakage, allowed: {'; '.join(map(str, leaks[:N_WARNED]))}{more}")


def check_leakage(
    pool: EcgPool,
    fold_of: Mapping[str, int],
    *,
    encoder: str | None = None,
    trained_on: str = "",
) -> LeakageCheck:
    """Compare the folds of a cohort with one another and with the pre-training.

    Args:
        pool: the cohort.
        fold_of: fold of each record.
        encoder: checkpoint of the pre-trained network, None without one.
        trained_on: digests of its stores as the checkpoint gives them, joined by "+".

    Raises:
        InputError: the file beside the checkpoint is damaged.
    """
    own = pd.concat([store.table for store in pool.stores], ignore_index=True)
    fold = pool.table["record"].map(fold_of)
    folds, near = fold_parts(own, fold), tell_altered_copies(pool)
    if encoder is None:
        return LeakageCheck(find_leaks(folds), None, near)
    before = read_trained_on(Path(encoder), trained_on)
    if before is None:
        seen = [store.table for store in pool.stores if store.sha256 in trained_on.split("+")]
        before = part_of(PRETRAINING, seen) if seen else None
    if before is None:
        say(
            f"note: no {FILE_NAME} lies beside {encoder}, so its recordings are not known and "
            "cannot be compared with this cohort's"
        )
        return LeakageCheck(find_leaks(folds), False, near)
    other = ~np.isin(signal_hashes(own["signal_sha256"]), before.signal.hashes)
    rows = np.flatnonzero(fold.notna() & other)
    near += tell_near_copies(pool, rows, before.near, seen="the pre-training")
    return LeakageCheck(find_leaks([before, *folds]), True, near)


def write_trained_on(
    folder: Path, pool: EcgPool, rows: npt.NDArray[np.int64], *, earlier: Part | None = None,
    sha256: str | None = None,
) -> None:  # fmt: skip
    """Write hashes of what a pre-training run is about to see beside its log.

    The file holds no ids, but whoever can guess an id can tell whether it is in there: it is not
    for publication beside the checkpoint of a private cohort.

    Args:
        folder: of the log.
        pool: the stores.
        rows: of the pool that the run may see.
        earlier: what the run that this one resumes had seen.
        sha256: digests of the stores of both; those of the pool by default.
    """
    columns = ["record", "patient_id", "signal_sha256"]
    own = pd.concat([store.select(columns) for store in pool.stores], ignore_index=True)
    part = part_of(PRETRAINING, [own.iloc[rows]])._replace(near=marks_of(pool, rows))
    parts = [part, *([] if earlier is None else [earlier])]
    patient, signal, near = (
        np.unique(np.concatenate([one.members(kind, spelt=True).hashes for one in parts]))
        for kind in ("patient", "signal", "near")
    )
    digests = np.array(sha256 or pool.sha256)
    with replacing(folder / FILE_NAME) as temporary:
        np.savez(temporary, patient=patient, signal=signal, near=near, sha256=digests)


def read_trained_on(encoder: Path, sha256: str) -> Part | None:
    """Return what a checkpoint was trained on, from the file beside its run.

    Args:
        encoder: the checkpoint; the file lies in its folder or in the one above.
        sha256: digests of the stores as the checkpoint gives them.

    Returns:
        None where there is no file, or one of another run: then nothing is known.

    Raises:
        InputError: the file cannot be read.
    """
    for folder in Path(encoder_path(str(encoder))).absolute().parents[:2]:
        file = folder / FILE_NAME
        if not file.is_file():
            continue
        try:
            kept = read_hashes(file, needs=["sha256"])
            if kept.sha256 == sha256:
                patient, signal = Members(kept.patient), Members(kept.signal)
                return Part(PRETRAINING, patient, signal, near=kept.near)
        except ValueError as error:
            raise InputError(
                f"{file} is damaged ({error}); remove it, or pre-train again"
            ) from error
    return None


class Kept(NamedTuple):
    """What `write_trained_on` writes; older programs wrote no `near`."""

    patient: Hashes
    signal: Hashes
    near: Hashes
    sha256: str


def read_hashes(file: Path, needs: Sequence[str] = ()) -> Kept:
    """Return the hashes of patients and of signals in a file, and the digest of their stores.

    Args:
        file: written by `write_trained_on`.
        needs: what else it must hold: `sha256`, where the digest is asked for.

    Raises:
        ValueError: it is not what `write_trained_on` writes.
    """
    kept = read_npz(file, ["patient", "signal", *needs])
    hashes = kept["patient"], kept["signal"], kept.get("near", NONE)
    if any(one.ndim != 1 or one.dtype != np.uint64 for one in hashes):
        raise ValueError("its hashes are no whole numbers")
    return Kept(*hashes, str(kept.get("sha256", "")))


def _members(hashes: Hashes, names: npt.NDArray[Any]) -> Members:
    unique, first = np.unique(hashes, return_index=True)
    return Members(unique, names[first])
