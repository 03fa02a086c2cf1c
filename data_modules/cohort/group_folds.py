"""Divide patients into folds of like shares of each class, as StratifiedGroupKFold does.

The folds are scikit-learn's, to the record. It weighs one fold after the other in Python, a
millisecond for each patient, and its import takes a second.
"""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

Counts = npt.NDArray[np.float64]
Folds = npt.NDArray[np.int64]
RELATIVE, ABSOLUTE = 1e-5, 1e-8  # numpy.isclose's, by which sklearn calls two spreads equal


def stratified_group_folds(
    label: npt.NDArray[np.int64], group: npt.NDArray[Any], n_folds: int, seed: int
) -> Folds:
    """Return the fold of every record; all records of a group are in one.

    Groups are shuffled; those whose classes are most uneven come first. Each goes to the fold with
    which the folds' shares of every class are most alike; of equals, to that of fewest records.

    Args:
        label: class of every record, (N,).
        group: whose record it is, (N,).
        n_folds: K.
        seed: of the shuffle.

    Returns:
        (N,), 0 to K - 1.
    """
    _, of_class, n_of_class = np.unique(label, return_inverse=True, return_counts=True)
    _, of_group = np.unique(group, return_inverse=True)
    counts = np.zeros((int(of_group.max()) + 1, len(n_of_class)))
    np.add.at(counts, (of_group, of_class), 1.0)
    shuffled = np.random.RandomState(seed).permutation(len(counts))
    uneven = np.std(counts[shuffled], axis=1)
    order = shuffled[np.argsort(-uneven, kind="stable")]
    fold_of_group = np.empty(len(counts), dtype=np.int64)
    dealt = np.zeros((n_folds, len(n_of_class)))
    for one in order:
        chosen = _best_fold(dealt, counts[one], n_of_class)
        dealt[chosen] += counts[one]
        fold_of_group[one] = chosen
    return fold_of_group[of_group]


def _best_fold(dealt: Counts, counts: Counts, n_of_class: npt.NDArray[np.int64]) -> int:
    """Return the fold that a group of `counts` (C,) goes to; `dealt` is (K, C)."""
    proposed = np.repeat(dealt[None], len(dealt), axis=0)
    each = np.arange(len(dealt))
    proposed[each, each] += counts
    spreads = (proposed / n_of_class).std(axis=1).mean(axis=1).tolist()
    best, smallest, fewest = 0, math.inf, math.inf
    for number, (spread, n_dealt) in enumerate(zip(spreads, dealt.sum(1).tolist(), strict=True)):
        alike = abs(spread - smallest) <= ABSOLUTE + RELATIVE * abs(smallest)
        if spread < smallest or (alike and n_dealt < fewest):
            best, smallest, fewest = number, spread, n_dealt
    return best
