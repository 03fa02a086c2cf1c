"""Resample (L, T) signals to another rate."""

from fractions import Fraction

import numpy as np
from scipy.signal import resample_poly

from data_modules.signals.band_filter import Signals


def resample(ecg: Signals, *, from_hz: float, to_hz: float) -> Signals:
    """Resample by a polyphase filter that also removes what the lower rate cannot hold.

    Args:
        ecg: signals, shape (L, T).
        from_hz: rate of `ecg`; rates are taken as fractions, exact to 1e-8.
        to_hz: wanted rate.

    Returns:
        Signals at `to_hz`, shape (L, ceil(T * to_hz / from_hz)).
    """
    ratio = (Fraction(to_hz) / Fraction(from_hz)).limit_denominator(10_000)
    up, down = ratio.numerator, ratio.denominator
    if up == down:
        return ecg
    # "line": the ends are no steps from zero, which would ring
    return np.asarray(resample_poly(ecg, up, down, axis=-1, padtype="line"))
