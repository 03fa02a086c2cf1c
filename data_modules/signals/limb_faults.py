"""Say which exchange or inversion of limb leads would explain a broken Einthoven relation.

What keeps the relations cannot be seen here: with the two arm electrodes exchanged lead I is
inverted and II, III and aVR, aVL trade places, which is what right axis deviation may look like.
"""

from itertools import combinations

import numpy as np
import numpy.typing as npt

from lsemvae.core.leads import LIMB_LEADS, limb_lead_residual


def explain_limb_fault(limb_mv: npt.NDArray[np.floating], *, limit_mv: float) -> str:
    """Return what would explain inconsistent limb leads; empty where no single fault does.

    Args:
        limb_mv: the six limb leads in the order of `LIMB_LEADS`, shape (6, T), mV.
        limit_mv: the largest residual of consistent leads, see `limb_lead_residual`.
    """
    pairs = list(combinations(range(len(LIMB_LEADS)), 2))
    names = [f"{LIMB_LEADS[a]} and {LIMB_LEADS[b]} are exchanged" for a, b in pairs]
    names += [f"{lead} is inverted" for lead in LIMB_LEADS]
    orders = np.tile(np.arange(len(LIMB_LEADS)), (len(pairs), 1))
    for row, (a, b) in enumerate(pairs):
        orders[row, [a, b]] = b, a
    # the residual depends on second moments alone, so six columns can stand for all samples
    signals = np.asarray(limb_mv, dtype=np.float64)
    moments, axes = np.linalg.eigh(signals @ signals.T / signals.shape[1])
    root = axes * np.sqrt(len(moments) * np.maximum(moments, 0.0))
    inverted = root * (1 - 2 * np.eye(len(LIMB_LEADS)))[:, :, None]
    residual = limb_lead_residual(np.concatenate([root[orders], inverted]))
    found = [name for name, value in zip(names, residual, strict=True) if value <= limit_mv]
    return " or ".join(found)
