"""Compute proportions with Wilson intervals."""

import numpy as np
import numpy.typing as npt

from lsemvae.core.errors import InputError
from lsemvae.evaluation.statistics.estimate import Estimate, Z, undefined

Ends = npt.NDArray[np.float64]


def wilson(successes: npt.ArrayLike, total: npt.ArrayLike) -> tuple[Ends, Ends]:
    """Return the ends of Wilson's score interval, NaN where the total is 0.

    Source: Wilson 1927, doi:10.1080/01621459.1927.10502953. scipy has it for one proportion at a
    time only.

    Args:
        successes: counts of any shape.
        total: counts of the same shape, at least as large.

    Raises:
        InputError: more successes than trials, or a negative count.
    """
    hits, trials = (np.asarray(count, dtype=np.float64) for count in (successes, total))
    if not ((hits >= 0) & (hits <= trials)).all():
        raise InputError(f"got {hits} successes of {trials}; expected 0 <= successes <= total")
    n = np.where(trials > 0, trials, np.nan)
    share = hits / n
    scale = 1 + Z**2 / n
    centre = (share + Z**2 / (2 * n)) / scale
    half = Z / scale * np.sqrt(share * (1 - share) / n + Z**2 / (4 * n**2))
    # Exact at the borders, where rounding would leave 1e-17.
    low = np.where(hits == 0, 0 * centre, centre - half)
    high = np.where(hits == trials, 1 + 0 * centre, centre + half)
    return low, high


def proportion(successes: float, total: float) -> Estimate:
    """Return successes / total with Wilson's interval; undefined where the total is 0."""
    if total == 0:
        return undefined("no record to count")
    low, high = wilson(successes, total)
    return Estimate(successes / total, float(low), float(high), "Wilson")
