"""Tell recordings of one list that are altered copies of those of other patients."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.spatial import KDTree

from data_modules.conversion.doubts import Doubts, added
from data_modules.signals.likeness import likeness
from lsemvae.core.counted import counted

# Fingerprints of copies lie nearer (docs/data.md); of 1,442 recordings of other patients none does.
NEAR = 0.07
LIKE = 0.98  # by the signals themselves; other recordings of one heart reach 0.8
N_NEIGHBOURS = 4  # itself among them
MOST_PAIRS = 20_000  # compared by their signals, 1 ms each
# A recording that lies within twice NEAR of more than CROWD of SAMPLE, drawn from a longer list,
# is like many others: no copy of one, and the search among such grows with the square of their
# number.
SAMPLE, CROWD = 2_000, 10


def altered_copies(
    table: pd.DataFrame,
    signal_sha256: npt.NDArray[np.bytes_],
    fingerprint: npt.NDArray[np.float32],
    read: Callable[[int], npt.NDArray[np.int16]],
) -> tuple[Doubts, tuple[str, ...]]:
    """Return the recordings that are nearly one of another patient, and a sentence on the set.

    Args:
        table: record and patient_id of the N listed recordings.
        signal_sha256: digests (N,), empty where a recording was rejected.
        fingerprint: (N, 16), NaN where unknown.
        read: returns the counts (12, T) of one of them.
    """
    doubts: Doubts = {}
    rows = np.flatnonzero((signal_sha256 != b"") & ~np.isnan(fingerprint).any(axis=1))
    crowded = _in_crowds(fingerprint[rows])
    pairs = _near_pairs(table["patient_id"], signal_sha256, fingerprint, rows[~crowded])
    n_found = 0
    for first, second in pairs[:MOST_PAIRS]:
        found = likeness(read(first), read(second))
        if found >= LIKE:
            n_found += 1
            for one, other in ((first, second), (second, first)):
                text = _said(table.iloc[other], found)
                doubts = added(doubts, {one: (("signal_alike", text),)})
    said = []
    if n_found:
        said.append(
            f"{counted(n_found, 'pair')} of recordings under different patients are nearly the "
            "same signal, as scaled, cut or noisy copies are, and may land on both sides of a "
            "fold: find out whose they are (signal_alike), then --exclude or --same_patient"
        )
    if len(pairs) > MOST_PAIRS:
        said.append(
            f"{counted(len(pairs), 'pair')} of recordings have nearly the same leads, and only the "
            f"nearest {MOST_PAIRS:,} were compared: are many of them noise alone?"
        )
    if crowded.any():
        said.append(
            f"{counted(int(crowded.sum()), 'recording has', 'recordings have')} nearly the same "
            "leads as many others, so that altered copies among them cannot be told: are "
            "they noise alone, of one pacemaker or from a simulator?"
        )
    return doubts, tuple(said)


def _said(other: pd.Series, found: float) -> str:
    return (
        f"nearly the signal of {other['record']} of patient {other['patient_id']} (correlation "
        f"{found:.3f} where they lie over one another)"
    )


def _in_crowds(known: npt.NDArray[np.float32]) -> npt.NDArray[np.bool_]:
    """Tell which fingerprints (N, 16) are near those of many others."""
    if len(known) <= 2 * SAMPLE:
        return np.zeros(len(known), np.bool_)
    some = known[np.random.default_rng(0).choice(len(known), SAMPLE, replace=False)]
    found = KDTree(some).query(known, k=CROWD + 1, distance_upper_bound=2 * NEAR)
    distance = np.asarray(found[0])
    return np.asarray(np.isfinite(distance[:, -1]))


def _near_pairs(
    patient: pd.Series,
    signal_sha256: npt.NDArray[np.bytes_],
    fingerprint: npt.NDArray[np.float32],
    rows: npt.NDArray[np.int64],
) -> list[tuple[int, int]]:
    """Return pairs of different patients and signals whose fingerprints are near, nearest first."""
    if len(rows) < 2:
        return []
    known, code = fingerprint[rows], pd.factorize(patient)[0][rows]
    digest = signal_sha256[rows]
    found = KDTree(known).query(known, k=N_NEIGHBOURS, distance_upper_bound=NEAR)
    distance, near = np.asarray(found[0]), np.asarray(found[1])
    one, column = np.nonzero(np.isfinite(distance))
    other = near[one, column]
    wanted = (code[one] != code[other]) & (digest[one] != digest[other])
    order = np.argsort(distance[one, column][wanted], kind="stable")
    ends = rows[np.column_stack([one, other])[wanted][order]]
    return list(dict.fromkeys((int(min(pair)), int(max(pair))) for pair in ends))
