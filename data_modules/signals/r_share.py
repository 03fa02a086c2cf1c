"""Measure in one lead how much of the QRS complex is its R wave."""

import numpy as np
import numpy.typing as npt

from data_modules.signals.median_beat import Signal
from data_modules.signals.settings import BEFORE_R_S

QRS_S = 0.06  # on either side of the R peak
LEVEL_S = 0.03  # length of the segment before the QRS complex that counts as zero


def r_share(beat: Signal, sampling_rate_hz: float) -> npt.NDArray[np.float64]:
    """Return R / (R + S) of beats: 0 without an R wave, 1 without an S wave, (...).

    It says the same as the ratio R / S, and is bounded. NaN where there is neither wave, or no
    beat.

    Args:
        beat: median beats of a lead from `median_beat`, (..., n), any unit.
        sampling_rate_hz: of the beats.
    """
    peak, half = round(BEFORE_R_S * sampling_rate_hz), round(QRS_S * sampling_rate_hz)
    level = max(1, round(LEVEL_S * sampling_rate_hz))
    if beat.shape[-1] <= peak + half:
        return np.full(beat.shape[:-1], np.nan)
    zero = np.median(beat[..., peak - half - level : peak - half], axis=-1)
    complexes = beat[..., peak - half : peak + half + 1]
    r = np.maximum(complexes.max(-1) - zero, 0.0).astype(np.float64)
    s = np.maximum(zero - complexes.min(-1), 0.0)
    with np.errstate(invalid="ignore"):
        return np.asarray(r / (r + s))
