"""Tell recordings that are nearly ones of another patient or of another store."""

import numpy as np
import numpy.typing as npt

from data_modules.dataset import EcgPool
from data_modules.signals.likeness import N_NUMBERS
from data_modules.signals.near_marks import Counts, Marks, are_near, near_marks, near_text
from lsemvae.core.counted import counted
from lsemvae.core.printable import say


def tell_altered_copies(pool: EcgPool) -> int:
    """Warn of altered copies under other patients that `prepare` found, and return how many."""
    n = sum(store.reasons.get("warnings", {}).get("signal_alike", 0) for store in pool.stores)
    if n:
        say(
            f"warning: {counted(n, 'recording is', 'recordings are')} nearly the same as one of "
            "another patient by `lsemvae prepare`, and may land on both sides of a fold; `lsemvae "
            "check cohort --store` names them (signal_alike)"
        )
    return n


def marks_of(pool: EcgPool, rows: npt.NDArray[np.int64]) -> Marks:
    """Return by what copies of some recordings are known again, see `near_marks`.

    Args:
        pool: the stores; of one that an older program made, nothing is known.
        rows: of the pool.
    """
    return near_marks(_fingerprints(pool)[rows], pool.present[rows])


def tell_near_copies(pool: EcgPool, rows: npt.NDArray[np.int64], marks: Marks, *, seen: str) -> int:
    """Warn of recordings that are nearly ones of another store, and return how many.

    Args:
        pool: the cohort.
        rows: of it that are asked for, without those that are equal to one.
        marks: of the other recordings.
        seen: names those.
    """
    near = rows[are_near(_fingerprints(pool)[rows], pool.present[rows], marks)]
    if len(near):
        say(f"warning: {near_text(pool.names('record', near).tolist(), seen)}")
    return len(near)


def _fingerprints(pool: EcgPool) -> Counts:
    known = [store.fingerprint for store in pool.stores]
    lengths = [len(store) for store in pool.stores]
    return np.concatenate([
        np.zeros((n, N_NUMBERS), np.int16) if one is None else one
        for one, n in zip(known, lengths, strict=True)
    ])  # fmt: skip
