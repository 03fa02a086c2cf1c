"""Change recordings in ways whose law is known; a dose of 0 changes nothing, to the bit.

Whatever changes potentials does so at the electrodes, so that the limb leads keep the relations of
Einthoven and Goldberger. What is added goes through the band that the recordings were cleaned with.
"""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from data_modules.signals.band_filter import band_filter
from data_modules.signals.median_beat import find_r_peaks
from data_modules.signals.resampling import resample
from data_modules.signals.settings import BEFORE_R_S, SignalSettings
from lsemvae.core.leads import LEADS
from lsemvae.stress.electrodes import (
    ELECTRODES,
    Array,
    exchange_matrix,
    from_potentials,
    frontal_vector,
    limb_potentials,
)

WANDER_HZ = (0.15, 0.45)  # breathing at 9 to 27 per minute
SPIKE_S = 0.002  # 0.5 to 2 ms in pacemakers; the longest is the worst
SPIKE_BEFORE_R_S = 0.04
SPIKE_AXIS_DEG = -60.0  # of pacing at the right ventricle's apex: upwards
SPIKE_CHEST = -0.5  # of the spike's size at chest electrodes; chosen, no measurement says so
DIASTOLE_S = (0.40, 0.25)  # from this long after an R peak to this long before the next


class Signals(NamedTuple):
    """Recordings to be changed.

    Attributes:
        ecg: (N, 12, T) in mV, or in an arbitrary unit for shifts that need no law.
        settings: that they were cleaned with.
        electrodes: places in ELECTRODES of those that the model's leads are recorded with.
    """

    ecg: Array
    settings: SignalSettings
    electrodes: Sequence[int] = range(len(ELECTRODES))

    @property
    def rate_hz(self) -> float:
        """Samples per second."""
        return self.settings.sampling_rate_hz

    @property
    def is_beat(self) -> bool:
        """Whether they are median beats."""
        return self.settings.segment == "median_beat"


Shift = Callable[[Signals, float, np.random.Generator], Array]


def scale_lateral(signals: Signals, dose: float, _random: np.random.Generator) -> Array:
    """Make lead I larger by `dose` percent while aVF stays; aVL follows by the law."""
    lead_i = dose / 100 * signals.ecg[:, LEADS.index("I")]
    return signals.ecg + from_potentials(limb_potentials(lead_i, np.zeros_like(lead_i)))


def rotate_axis(signals: Signals, dose: float, _random: np.random.Generator) -> Array:
    """Turn the frontal heart vector by `dose` degrees, clockwise as the axis is counted.

    Chest leads stay as they are: what posture does to them is not known from the limb leads.
    """
    x, y = frontal_vector(signals.ecg)
    angle = math.radians(dose)
    turned_x = math.cos(angle) * x - math.sin(angle) * y
    turned_y = math.sin(angle) * x + math.cos(angle) * y
    change = limb_potentials(turned_x - x, (turned_y - y) * math.sqrt(3) / 2)
    return signals.ecg + from_potentials(change)


def wander(signals: Signals, dose: float, random: np.random.Generator) -> Array:
    """Let the potential of every electrode drift by a sine of `dose` mV, each at its own pace."""
    shape = (len(signals.ecg), len(ELECTRODES), 1)
    pace, phase = random.uniform(*WANDER_HZ, shape), random.uniform(0, 2 * np.pi, shape)
    time_s = np.arange(signals.settings.n_recorded) / signals.rate_hz
    drift = dose * np.sin(2 * np.pi * pace * time_s + phase)
    return signals.ecg + from_potentials(_as_cleaned(signals, drift))


def electrode_noise(signals: Signals, dose: float, random: np.random.Generator) -> Array:
    """Add white noise of `dose` mV (SD, before the filter) to one electrode of each recording."""
    n = len(signals.ecg)
    noise = np.zeros((n, len(ELECTRODES), signals.settings.n_recorded))
    electrode = random.choice(signals.electrodes, size=n)
    noise[np.arange(n), electrode] = dose * random.normal(size=(n, noise.shape[-1]))
    return signals.ecg + from_potentials(_as_cleaned(signals, noise))


def pacing_spikes(signals: Signals, dose: float, _random: np.random.Generator) -> Array:
    """Put a spike of `dose` mV and 2 ms, 40 ms before every R peak."""
    n, rate = len(signals.ecg), signals.rate_hz
    train = np.zeros((n, signals.ecg.shape[-1]))
    for row, peaks in enumerate(_r_peaks(signals)):
        places = peaks - round(SPIKE_BEFORE_R_S * rate)
        train[row, places[places >= 0]] = 1.0
    width = max(1, round(SPIKE_S * rate))
    height = dose * SPIKE_S * rate / width  # a sample is longer than the spike at low rates
    spikes = height * np.stack([np.roll(train, k, axis=-1) for k in range(width)]).sum(0)
    angle = math.radians(SPIKE_AXIS_DEG)
    potential = limb_potentials(
        math.cos(angle) * spikes, math.sin(angle) * spikes * math.sqrt(3) / 2
    )
    potential[:, 3:] = SPIKE_CHEST * spikes[:, None]
    return signals.ecg + from_potentials(_filtered(signals, potential))


def exchange(one: str, other: str) -> Shift:
    """Return the shift that exchanges two electrodes in `dose` percent of the recordings."""
    matrix = exchange_matrix(one, other)

    def shift(signals: Signals, dose: float, random: np.random.Generator) -> Array:
        chosen = random.permutation(len(signals.ecg))[: round(dose / 100 * len(signals.ecg))]
        changed = signals.ecg.copy()
        changed[chosen] = matrix @ signals.ecg[chosen]
        return changed

    return shift


def upper_edge(signals: Signals, dose: float, _random: np.random.Generator) -> Array:
    """Filter away what lies above `dose` Hz, as a narrow device or its setting would."""
    return _banded(signals.ecg, signals.rate_hz, None, dose)


def wide_band(signals: Signals, _dose: float, _random: np.random.Generator) -> Array:
    """Keep 0.05 to 150 Hz, as a diagnostic electrocardiograph does."""
    return _banded(signals.ecg, signals.rate_hz, 0.05, 150.0)


def sampled_at(signals: Signals, dose: float, _random: np.random.Generator) -> Array:
    """Resample to `dose` Hz and back."""
    n, n_leads, length = signals.ecg.shape
    flat = signals.ecg.reshape(n * n_leads, length).astype(np.float32)
    there = resample(flat, from_hz=signals.rate_hz, to_hz=dose)
    back = resample(there, from_hz=dose, to_hz=signals.rate_hz)[:, :length]
    padded = np.pad(back, ((0, 0), (0, length - back.shape[-1])))
    return np.asarray(padded.reshape(signals.ecg.shape), np.float64)


def faster(signals: Signals, dose: float, _random: np.random.Generator) -> Array:
    """Make the heart `dose` beats per minute faster: diastole is shortened, the beat itself stays.

    The end is filled with zeros, as of any recording that is too short. Recordings of fewer than
    two beats stay as they are.
    """
    changed = np.zeros_like(signals.ecg)
    for row, peaks in enumerate(_r_peaks(signals)):
        place = _sooner(peaks, signals.ecg.shape[-1], signals.rate_hz, dose)
        inside = place <= signals.ecg.shape[-1] - 1
        for lead in range(len(LEADS)):
            changed[row, lead, inside] = np.interp(
                place[inside], np.arange(signals.ecg.shape[-1]), signals.ecg[row, lead]
            )
    return changed


def _sooner(peaks: npt.NDArray[np.intp], length: int, rate: float, dose: float) -> Array:
    """Return for each new sample the old place (length,) that it is taken from."""
    if len(peaks) < 2:
        return np.arange(length, dtype=np.float64)
    pace = 60 * rate / np.diff(peaks).mean()  # beats per minute
    share = pace / (pace + dose)  # of every interval between beats that stays
    old, new = [0.0], [0.0]
    after, before = (seconds * rate for seconds in DIASTOLE_S)
    for first, second in pairwise(peaks):
        start, end = first + after, second - before
        saved = (1 - share) * (second - first)
        if end - start > saved:  # else there is no diastole to shorten
            new += [new[-1] + start - old[-1], new[-1] + end - old[-1] - saved]
            old += [start, end]
    old.append(2.0 * length)
    new.append(new[-1] + old[-1] - old[-2])
    return np.interp(np.arange(length), new, old)


def _r_peaks(signals: Signals) -> list[npt.NDArray[np.intp]]:
    """Return the R peaks of each recording; a median beat has its one at a known place."""
    if signals.is_beat:
        return [np.array([round(BEFORE_R_S * signals.rate_hz)])] * len(signals.ecg)
    present = np.ptp(signals.ecg, axis=-1) > 0
    return [find_r_peaks(one[there], signals.rate_hz)
            for one, there in zip(signals.ecg, present, strict=True)]  # fmt: skip


def _as_cleaned(signals: Signals, potential: Array) -> Array:
    """Filter potentials (N, 9, recorded) as recordings were; of beats take a piece from the middle.

    A median beat averages over beats what is added here whole: it is the worst case.
    """
    filtered, length = _filtered(signals, potential), signals.ecg.shape[-1]
    start = (filtered.shape[-1] - length) // 2
    return filtered[..., start : start + length]


def _filtered(signals: Signals, potential: Array) -> Array:
    settings = signals.settings
    return _banded(potential, signals.rate_hz, settings.low_hz, settings.high_hz)


def _banded(values: Array, rate_hz: float, low_hz: float | None, high_hz: float | None) -> Array:
    flat = values.reshape(-1, values.shape[-1]).astype(np.float32)
    found = band_filter(
        flat, sampling_rate_hz=rate_hz, low_hz=low_hz, high_hz=high_hz, powerline_hz=None
    )
    return np.asarray(found.reshape(values.shape), np.float64)
