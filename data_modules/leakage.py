"""Find patients and recordings that pre-training, training and test parts share.

Patients are compared by a hash of their id, recordings by the digest that the store keeps of every
stored signal. Stores of equal settings give equal digests to equal recordings, whatever their
format; a copy that was altered is another signal. Of 55 public recordings that were copied to
another format and order of leads, the 49 unaltered ones are found, and none of the 6 that had lost
a lead or some samples.
"""

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from data_modules.dataset import EcgPool
from data_modules.near_copies import tell_altered_copies, tell_near_copies
from data_modules.parts import PRETRAINING, Part, fold_parts, part_of
from data_modules.store.content import signal_hashes
from data_modules.trained_on import FILE_NAME, read_trained_on
from lsemvae.core.counted import counted
from lsemvae.core.errors import InputError
from lsemvae.core.printable import say

N_EXAMPLES = 3
N_WARNED = 2  # patients and signals of the first pair of parts


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
        near: recordings that are nearly ones of another patient, as altered copies are, and of the
            pre-training; one recording may be both.
        same_names: whether patients of cohort and pre-training can be compared by their ids; not
            where the pre-training alone has pseudonyms.
    """

    leaks: list[Leak]
    pretraining_known: bool | None
    near: tuple[int, int] = (0, 0)
    same_names: bool = True

    def about(self) -> dict[str, Any]:
        """Return plain values for metrics.json, without names of patients or records."""
        leaks = [{"kind": k, "between": list(pair), "n": n} for k, pair, n, _ in self.leaks]
        known: dict[str, Any] = {"leaks": leaks, "pretraining_compared": self.pretraining_known}
        names = ("near_other_patients", "near_pretraining")
        known |= {name: n for name, n in zip(names, self.near, strict=True) if n}
        return known | ({} if self.same_names else {"patients_compared": False})


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
        return LeakageCheck(find_leaks(folds), None, (near, 0))
    before = read_trained_on(Path(encoder), trained_on)
    if before is None:
        seen = [store.table for store in pool.stores if store.sha256 in trained_on.split("+")]
        before = part_of(PRETRAINING, seen) if seen else None
    if before is None:
        say(
            f"note: no {FILE_NAME} lies beside {encoder}, so its recordings are not known and "
            "cannot be compared with this cohort's"
        )
        return LeakageCheck(find_leaks(folds), False, (near, 0))
    other = ~np.isin(signal_hashes(own["signal_sha256"]), before.signal.hashes)
    rows = np.flatnonzero(fold.notna() & other)
    near_before = tell_near_copies(pool, rows, before.near, seen="the pre-training")
    same_names = tell_other_names(before, part_of("cohort", [own]))
    leaks = find_leaks([before, *folds])
    return LeakageCheck(leaks, True, (near, near_before), same_names)


def tell_other_names(before: Part, cohort: Part) -> bool:
    """Warn where the pre-training alone has pseudonyms, and return whether ids can be compared."""
    if cohort.pseudonyms or not before.pseudonyms:
        return True
    say(
        "warning: the patients of the pre-training stand under pseudonyms, those of the cohort do "
        "not, so that nobody can tell whether the two share patients; recordings were compared. "
        "Prepare the cohort with `lsemvae link` and the same key, and leave its patients out with "
        "`lsemvae prepare archive --exclude`"
    )
    return False
