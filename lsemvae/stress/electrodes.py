"""Write the twelve leads as differences of the potentials of nine electrodes."""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from lsemvae.core.leads import CHEST_LEADS, LEADS

Array = npt.NDArray[np.float64]

ELECTRODES = ("RA", "LA", "LL", *CHEST_LEADS)

# Rows follow LEADS, columns ELECTRODES. Einthoven: I = LA - RA, II = LL - RA, III = LL - LA.
# Goldberger: aVR = RA - (LA + LL)/2, and so on. Wilson: V = C - (RA + LA + LL)/3.
LEADS_FROM_ELECTRODES: Array = np.zeros((len(LEADS), len(ELECTRODES)))
LEADS_FROM_ELECTRODES[:6, :3] = np.array([
    [-1, 1, 0], [-1, 0, 1], [0, -1, 1], [1, -0.5, -0.5], [-0.5, 1, -0.5], [-0.5, -0.5, 1],
])  # fmt: skip
LEADS_FROM_ELECTRODES[6:, :3] = -1 / 3
LEADS_FROM_ELECTRODES[6:, 3:] = np.eye(len(CHEST_LEADS))

# Where two limb electrodes are exchanged, the leads are the others' (or their negatives); Wilson's
# terminal, and so the chest leads, stay as they are.
EXCHANGES = {
    "RA": {"LA": ("-I", "III", "II", "aVL", "aVR", "aVF"),
           "LL": ("-III", "-II", "-I", "aVF", "aVL", "aVR")},
    "LA": {"LL": ("II", "I", "-III", "aVR", "aVF", "aVL")},
}  # fmt: skip


def from_potentials(potential: Array) -> Array:
    """Return the leads (..., 12, T) of electrode potentials (..., 9, T), in the same unit."""
    return np.asarray(LEADS_FROM_ELECTRODES @ potential)


def electrodes_of(leads: Sequence[str]) -> list[int]:
    """Return the places in ELECTRODES of those without which these leads are not recorded."""
    rows = LEADS_FROM_ELECTRODES[[LEADS.index(lead) for lead in leads]]
    return np.flatnonzero(rows.any(axis=0)).tolist()


def limb_potentials(lead_i: Array, lead_avf: Array) -> Array:
    """Return potentials (N, 9, T) whose leads I and aVF are these (N, T), chest electrodes at zero.

    The mean of RA, LA and LL is zero, so that chest leads do not change.
    """
    foot = lead_avf / 1.5
    limbs = [-foot / 2 - lead_i / 2, -foot / 2 + lead_i / 2, foot]
    return np.stack([*limbs, *[np.zeros_like(foot)] * len(CHEST_LEADS)], axis=1)


def exchange_matrix(one: str, other: str) -> Array:
    """Return the matrix (12, 12) that exchanges two electrodes: two limb or two chest electrodes.

    Args:
        one: RA, LA or a chest electrode.
        other: LA, LL or another chest electrode.
    """
    matrix = np.eye(len(LEADS))
    if one in CHEST_LEADS:
        places = [LEADS.index(one), LEADS.index(other)]
        matrix[places] = matrix[places[::-1]]
        return matrix
    matrix[:6] = 0
    for row, name in enumerate(EXCHANGES[one][other]):
        matrix[row, LEADS.index(name.lstrip("-"))] = -1.0 if name.startswith("-") else 1.0
    return matrix


def frontal_vector(ecg: Array) -> tuple[Array, Array]:
    """Return the frontal heart vector, to the left and downwards, (N, T) each, of leads (N, 12, T).

    In Einthoven's equilateral triangle I = x and aVF = (sqrt(3) / 2) y.
    """
    return ecg[:, LEADS.index("I")], ecg[:, LEADS.index("aVF")] * 2 / math.sqrt(3)
