"""List the shifts with their doses, and say which a store allows."""

from typing import NamedTuple

import numpy as np

from lsemvae.stress import shifts
from lsemvae.stress.electrodes import Array
from lsemvae.stress.shifts import Shift, Signals


class Stress(NamedTuple):
    """A shift with its doses.

    Attributes:
        name: what a reader sees.
        shift: the function.
        doses: all but 0, which changes nothing.
        unit: of a dose.
        by_law: whether it needs limb leads that obey Einthoven, in mV.
    """

    name: str
    shift: Shift
    doses: tuple[float, ...]
    unit: str
    by_law: bool = True


SHARES = (10.0, 50.0, 100.0)
STRESSES = (
    Stress("I and aVL scaled", shifts.scale_lateral, (-40.0, -20.0, 20.0, 40.0), "%"),
    Stress("axis turned", shifts.rotate_axis, (-30.0, -15.0, 15.0, 30.0), "degrees"),
    Stress("baseline wander", shifts.wander, (0.1, 0.3, 1.0), "mV"),
    Stress("noise of one electrode", shifts.electrode_noise, (0.05, 0.1, 0.3), "mV"),
    Stress("pacing spikes", shifts.pacing_spikes, (1.0, 3.0, 10.0), "mV"),
    Stress("RA and LA exchanged", shifts.exchange("RA", "LA"), SHARES, "% of recordings"),
    Stress("RA and LL exchanged", shifts.exchange("RA", "LL"), SHARES, "% of recordings"),
    Stress("LA and LL exchanged", shifts.exchange("LA", "LL"), SHARES, "% of recordings"),
    Stress("V1 and V2 exchanged", shifts.exchange("V1", "V2"), SHARES, "% of recordings",
           by_law=False),
    Stress("upper edge", shifts.upper_edge, (30.0, 20.0), "Hz", by_law=False),
    Stress("band 0.05-150 Hz", shifts.wide_band, (1.0,), "(applied)", by_law=False),
    Stress("sampled and back", shifts.sampled_at, (250.0, 300.0), "Hz", by_law=False),
    Stress("heart rate higher", shifts.faster, (5.0, 10.0), "beats per minute", by_law=False),
)  # fmt: skip


def not_possible(stress: Stress, signals: Signals, unit: str) -> str:
    """Return why a shift says nothing about recordings like these; empty where it does.

    Args:
        stress: the shift.
        signals: the recordings.
        unit: mV, or NU where amplitudes are arbitrary.
    """
    settings = signals.settings
    if stress.by_law and unit != "mV":
        return "it needs limb leads in mV; the store's amplitudes are arbitrary"
    if stress.shift is shifts.wide_band:
        low, high = settings.low_hz or 0.0, settings.high_hz or settings.sampling_rate_hz / 2
        if low > 0.05 or high < 150:
            return f"the store holds {low:g} to {high:g} Hz only"
    if stress.shift is shifts.sampled_at and settings.sampling_rate_hz <= max(stress.doses):
        return f"the store's own rate is {settings.sampling_rate_hz:g} Hz"
    if stress.shift is shifts.faster and signals.is_beat:
        return "the store holds median beats, which have no heart rate"
    return ""


def changed(stress: Stress, signals: Signals, dose: float, seed: int) -> Array:
    """Return changed recordings (N, 12, T); a dose of 0 returns them as they are.

    Args:
        stress: the shift.
        signals: the recordings.
        dose: one of its doses, or 0.
        seed: of whatever is drawn.
    """
    if dose == 0:
        return signals.ecg
    return stress.shift(signals, dose, np.random.default_rng(seed))
