"""Name the leads, sets of leads and the identities between the six limb leads.

The canonical order is the one of the paper (section 2): I, II, III, aVR, aVL, aVF, V1..V6.
Leads are always found by name; MIMIC-IV-ECG, for one, stores aVF before aVL.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from lsemvae.core.errors import InputError

LIMB_LEADS = ("I", "II", "III", "aVR", "aVL", "aVF")
CHEST_LEADS = ("V1", "V2", "V3", "V4", "V5", "V6")
LEADS = LIMB_LEADS + CHEST_LEADS

_CANONICAL = {name.upper(): name for name in LEADS}

# Einthoven: III = II - I. Goldberger: aVR = -(I + II)/2, aVL = I - II/2, aVF = II - I/2.
# Rows follow LIMB_LEADS, columns are I and II.
LIMB_FROM_I_AND_II = np.array(
    [[1.0, 0.0], [0.0, 1.0], [-1.0, 1.0], [-0.5, -0.5], [1.0, -0.5], [-0.5, 1.0]]
)


def canonical_lead(name: str) -> str:
    """Return the canonical spelling of a lead name.

    Args:
        name: a lead name in any case, with or without the word "lead" (`avr`, `Lead II`, `v1`).

    Raises:
        InputError: the name is none of the twelve standard leads; `-aVR` is the inverted one.
    """
    key = name.strip().upper()
    if key.startswith("LEAD"):
        key = key.removeprefix("LEAD").lstrip(" _-")
    if key not in _CANONICAL:
        raise InputError(
            f"unknown lead name {name!r}; expected one of {', '.join(LEADS)}, "
            "or 12, or 6 for the limb leads"
        )
    return _CANONICAL[key]


def parse_leads(leads: int | str | Sequence[str]) -> tuple[str, ...]:
    """Return the chosen leads in canonical order.

    Args:
        leads: 12 (all), 6 (the limb leads), or lead names, as a list or separated by commas.

    Raises:
        InputError: a number other than 6 and 12, an unknown or a repeated name, or no lead.
    """
    if isinstance(leads, int) or (isinstance(leads, str) and leads.strip().isdecimal()):
        sets = {12: LEADS, 6: LIMB_LEADS}
        if int(leads) not in sets:
            raise InputError(
                f"leads must be 12, 6 (the limb leads) or lead names such as I,II,V1; got {leads}"
            )
        return sets[int(leads)]
    names = [part for part in leads.split(",") if part.strip()] if isinstance(leads, str) else leads
    chosen = [canonical_lead(name) for name in names]
    if not chosen:
        raise InputError("leads is empty; give 12, 6 or lead names such as I,II,V1")
    if len(set(chosen)) != len(chosen):
        raise InputError(f"leads names a lead twice: {', '.join(chosen)}")
    return tuple(lead for lead in LEADS if lead in chosen)


def lead_indices(leads: Sequence[str]) -> list[int]:
    """Return the position of each lead in the canonical order `LEADS`, in the order given."""
    return [LEADS.index(canonical_lead(lead)) for lead in leads]


def canonical_order(leads: Sequence[str]) -> list[int]:
    """Return the positions in `leads` that bring them into canonical order."""
    index = lead_indices(leads)
    return sorted(range(len(index)), key=index.__getitem__)


def lead_set_name(leads: Sequence[str]) -> str:
    """Name a lead set for folders and tables: `12L`, `6L` (limb leads) or e.g. `2L-I-II`."""
    chosen = parse_leads(list(leads))
    if chosen in (LEADS, LIMB_LEADS):
        return f"{len(chosen)}L"
    return "-".join([f"{len(chosen)}L", *chosen])


def derive_limb_leads(
    limb_mv: npt.NDArray[np.floating], present: npt.NDArray[np.bool_]
) -> npt.NDArray[np.floating]:
    """Complete the six limb leads from any two that determine them.

    The six limb leads are linear in I and II (Einthoven, Goldberger), so any two of them determine
    the other four; with more than two the least-squares solution is taken. Present leads are
    returned as they are.

    Args:
        limb_mv: limb leads in the order of `LIMB_LEADS`, shape (6, T), any unit.
        present: which of the six hold a signal, shape (6,).

    Returns:
        All six limb leads, shape (6, T).

    Raises:
        InputError: fewer than two limb leads are present.
    """
    if int(present.sum()) < 2:
        raise InputError("deriving limb leads needs two of them; fewer are present")
    completed = limb_mv.copy()
    first_two = np.linalg.pinv(LIMB_FROM_I_AND_II[present]) @ limb_mv[present]
    completed[~present] = LIMB_FROM_I_AND_II[~present] @ first_two
    return completed


def limb_lead_residual(limb_mv: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
    """Measure how far six limb leads are from Einthoven's and Goldberger's relations.

    Args:
        limb_mv: limb leads in the order of `LIMB_LEADS`, shape (..., 6, T), in mV.

    Returns:
        The largest of the root-mean-square residuals of the four derived leads, in the unit of the
        input, shape (...).
    """
    relations = np.concatenate([-LIMB_FROM_I_AND_II[2:], np.eye(4)], axis=1)
    wrong = relations.astype(limb_mv.dtype) @ limb_mv
    rms = np.sqrt(np.einsum("...dt,...dt->...d", wrong, wrong) / limb_mv.shape[-1])
    return np.asarray(rms.max(axis=-1))
