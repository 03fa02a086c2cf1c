"""Find recordings that are nearly ones of which nothing but a hash is kept.

The fingerprint is rounded to cells, and the cell is hashed: nobody can read a heart from it. Who
asks looks into every cell that lies within `REACH`, so that a copy is found on either side of an
edge. No signals are at hand to decide, so it is stricter than the search within one list.
"""

import hashlib
import itertools
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from data_modules.signals.likeness import COUNTS_PER_ONE, INDEPENDENT
from lsemvae.core.counted import counted
from lsemvae.core.findings import places

CELL = 0.03  # of 2,000 recordings of other patients no two lie in cells so near (docs/data.md)
REACH = 0.005
MOST_EDGES = 12  # 4,096 cells, of one recording in some millions more
LEAST_LEADS = 6  # independent ones; fewer are alike in too many hearts

Marks = npt.NDArray[np.uint64]
Counts = npt.NDArray[np.int16]


def near_marks(fingerprint: Counts, present: npt.NDArray[np.bool_]) -> Marks:
    """Return what may be kept of recordings, sorted and without repetition.

    Args:
        fingerprint: from `as_counts`, (N, 16), zeros where unknown.
        present: which leads hold a signal, (N, 12).
    """
    rows = fingerprint[_known(fingerprint, present)]
    return np.unique(_hashes(np.floor(_places(rows)).astype("<i2")))


def are_near(
    fingerprint: Counts, present: npt.NDArray[np.bool_], marks: Marks
) -> npt.NDArray[np.bool_]:
    """Tell which recordings (N,) are nearly one of those that `marks` are of.

    Args:
        fingerprint: from `as_counts`, (N, 16).
        present: which leads hold a signal, (N, 12).
        marks: from `near_marks`, sorted.
    """
    found = np.zeros(len(fingerprint), np.bool_)
    if len(marks):
        rows = np.flatnonzero(_known(fingerprint, present))
        for row, place in zip(rows, _places(fingerprint[rows]), strict=True):
            asked = _hashes(_cells_around(place))
            at = np.minimum(np.searchsorted(marks, asked), len(marks) - 1)
            found[row] = (marks[at] == asked).any()
    return found


def near_text(records: Sequence[str], seen: str) -> str:
    """Say that recordings are nearly ones that were seen before."""
    return (
        f"{counted(len(records), 'recording is', 'recordings are')} nearly the same as one of "
        f"{seen}, as scaled, shifted or noisy copies are ({places(records)}): find out whose they "
        "are, and leave copies out with `lsemvae prepare cohort --exclude`"
    )


def _known(fingerprint: Counts, present: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    enough = present[:, INDEPENDENT].sum(axis=1) >= LEAST_LEADS
    return np.asarray(fingerprint.any(axis=1) & enough)


def _places(fingerprint: Counts) -> npt.NDArray[np.float64]:
    """Return fingerprints in cells."""
    return np.asarray(fingerprint / (COUNTS_PER_ONE * CELL))


def _cells_around(place: npt.NDArray[np.float64]) -> npt.NDArray[np.int16]:
    """Return the cells within reach of a place (16,), (n, 16), its own first."""
    own = np.floor(place)
    step = np.where(place - own < 0.5, -1, 1)
    edge = np.minimum(place - own, own + 1 - place)
    order = np.argsort(edge, kind="stable")[:MOST_EDGES]
    near = order[edge[order] <= REACH / CELL]
    moved = np.array(list(itertools.product((0, 1), repeat=len(near))), dtype=np.float64)
    cells = np.tile(own, (len(moved), 1))
    cells[:, near] += moved * step[near]
    return cells.astype("<i2")


def _hashes(cells: npt.NDArray[np.int16]) -> Marks:
    digests = (hashlib.blake2b(cell.tobytes(), digest_size=8).digest() for cell in cells)
    return np.frombuffer(b"".join(digests), dtype="<u8").astype(np.uint64)
