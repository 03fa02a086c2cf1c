"""Draw the patients whose labels may be used, the same for every row of a table."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from lsemvae.core.errors import InputError

LEAST_PATIENTS = 2  # of each class: a probe needs as many

Mask = npt.NDArray[np.bool_]


def draw_patients(
    label: npt.NDArray[Any], patient: npt.NDArray[Any], fraction: float, *, seed: int
) -> Mask:
    """Choose a share of the patients of a training part, the classes in the part's proportion.

    The smaller share of two with one seed lies within the larger. Every class keeps two patients at
    least: with 5 % of few positives that is more than their share.

    Args:
        label: (N,), 0 or 1.
        patient: (N,) identifiers.
        fraction: of the patients, in (0, 1].
        seed: of the draw.

    Returns:
        (N,) True for the records of the chosen patients.

    Raises:
        InputError: the fraction is not in (0, 1].
    """
    if not 0 < fraction <= 1:
        raise InputError(f"a label fraction must be in (0, 1], got {fraction:g}")
    _, codes = np.unique(patient, return_inverse=True)
    positive = np.bincount(codes, label) > 0
    random = np.random.default_rng(seed)
    chosen = np.zeros(len(positive), bool)
    for group in (np.flatnonzero(positive), np.flatnonzero(~positive)):
        n_taken = max(LEAST_PATIENTS, round(fraction * len(group)))
        chosen[random.permutation(group)[:n_taken]] = True
    return chosen[codes]


def check_fractions(fractions: Sequence[float], name: str = "fractions") -> tuple[float, ...]:
    """Return the shares from large to small, 1 first.

    Args:
        fractions: of the labels.
        name: of the argument that gives them.

    Raises:
        InputError: one is not in (0, 1], or 1 is missing.
    """
    ordered = tuple(sorted(set(fractions), reverse=True))
    if not ordered or ordered[0] != 1 or ordered[-1] <= 0:
        raise InputError(
            f"{name} must be in (0, 1] and hold 1, got {list(fractions)}; "
            "such as [1, 0.25, 0.1, 0.05]"
        )
    return ordered
