"""Find recordings whose heart could not be one: a wrong sampling rate, exchanged arm electrodes.

Measured on 762 recordings with all leads of CinC 2011 and 2021, CPSC 2018, LUDB and a set shaped
like MIMIC-IV-ECG. Many recordings at once cost a third of one by one.
"""

import numpy as np
import numpy.typing as npt
from scipy.ndimage import maximum_filter1d, uniform_filter1d

from data_modules.signals.settings import SignalSettings

COARSE_HZ = 100.0  # enough for the place of a QRS complex
SMOOTHING_S = 0.06
AROUND_S = 0.2
REFRACTORY_S = 0.2  # 300 beats per minute, more than any sound recording has
BLOCK_S = 2.0
THRESHOLD_SHARE = 0.35  # of the usual peak of the energy, as in `median_beat`
RATES_PER_MIN = (25.0, 220.0)
# Logarithm of the beats per minute over the width of a complex in ms: a wrong sampling rate moves
# both, in opposite directions.
RATIO = (-1.0, 1.0)
OPPOSITE, WITH = -0.5, 0.3  # correlations of I with V5 and V6, of aVR with V6
_JUDGED = [1, 7, 0, 3, 10, 11]  # II, V2, I, aVR, V5, V6
_BEATS, _ARMS = slice(0, 3), slice(2, 6)

Floats = npt.NDArray[np.floating]
Reasons = tuple[tuple[str, str], ...]


def heart_doubts(
    ecg: npt.NDArray[np.int16], present: npt.NDArray[np.bool_], *, sampling_rate_hz: float
) -> list[Reasons]:
    """Return code and message of each doubt, for each recording; see `judge_hearts`."""
    return judge_hearts(ecg, present, sampling_rate_hz=sampling_rate_hz)[0]


def judge_hearts(
    ecg: npt.NDArray[np.int16], present: npt.NDArray[np.bool_], *, sampling_rate_hz: float
) -> tuple[list[Reasons], npt.NDArray[np.float64]]:
    """Return code and message of each doubt, for each recording, and beats per minute (N,).

    Args:
        ecg: counts, (N, 12, T).
        present: leads that hold a signal, (N, 12).
        sampling_rate_hz: of the counts.
    """
    step = max(1, round(sampling_rate_hz / COARSE_HZ))
    n_coarse = ecg.shape[-1] // step
    fine = ecg[:, _JUDGED, : n_coarse * step].reshape(len(ecg), len(_JUDGED), n_coarse, step)
    coarse = fine.mean(axis=-1, dtype=np.float32)
    there = present[:, _JUDGED]
    beats, widths = rhythm(coarse[:, _BEATS], there[:, _BEATS], sampling_rate_hz / step)
    arms = there[:, _ARMS].all(axis=1) & _arms_exchanged(coarse[:, _ARMS])
    doubts = [
        (*_rate(*pair), *_arms(exchanged=bool(exchanged)))
        for *pair, exchanged in zip(beats.tolist(), widths.tolist(), arms, strict=True)
    ]
    return doubts, beats


def doubts_of_one(
    ecg: npt.NDArray[np.int16], present: npt.NDArray[np.bool_], settings: SignalSettings
) -> Reasons:
    """Return the doubts about one recording (12, T); a median beat raises none."""
    if settings.segment != "record":
        return ()
    rate = settings.sampling_rate_hz
    return heart_doubts(ecg[None], present[None], sampling_rate_hz=rate)[0]


def _rate(beats: float, width_ms: float) -> Reasons:
    ratio = np.log(beats / width_ms) if width_ms > 0 else np.nan
    if RATES_PER_MIN[0] <= beats <= RATES_PER_MIN[1] and RATIO[0] <= ratio <= RATIO[1]:
        return ()
    if not np.isfinite(ratio):
        return ()  # no beats to judge by
    text = (
        f"the heart would beat {beats:.0f} times a minute with complexes of about {width_ms:.0f} "
        "ms: is the sampling rate right?"
    )
    return (("rate_doubtful", text),)


def _arms(*, exchanged: bool) -> Reasons:
    text = (
        "I runs against V5 and V6, and aVR with V6: arm electrodes exchanged, the heart on the "
        "right, or I and aVR wrong"
    )
    return (("arm_leads_doubtful", text),) if exchanged else ()


def rhythm(
    ecg: Floats, present: npt.NDArray[np.bool_], rate: float
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return beats per minute, and the width of a complex in ms.

    Args:
        ecg: leads in any unit, (N, 12, T).
        present: leads that hold a signal, (N, 12).
        rate: samples per second, about 100.

    Returns:
        Two arrays (N,), NaN where fewer than three beats were found.
    """
    energy = _energy(ecg, present, rate)
    block = min(round(BLOCK_S * rate), energy.shape[-1])
    whole = energy[:, : energy.shape[-1] // block * block].reshape(len(energy), -1, block)
    usual = np.median(whole.max(axis=2), axis=1)
    apart = 2 * round(REFRACTORY_S * rate) + 1
    peak = (energy == maximum_filter1d(energy, apart, axis=1)) & (
        energy >= np.maximum(THRESHOLD_SHARE * usual, 1e-9)[:, None]
    )
    beats, widths = np.full((2, len(energy)), np.nan)
    floor = np.median(energy, axis=1)
    half, last = round(AROUND_S * rate), energy.shape[1] - 1
    sums = np.cumsum(energy, axis=1, dtype=np.float64)
    for i in range(len(energy)):
        places = np.flatnonzero(peak[i])
        # of peaks of one height, as ideal signals have them, the first
        places = places[np.diff(places, prepend=-apart) > apart // 2]
        if len(places) > 2:
            beats[i] = 60 * rate / float(np.median(np.diff(places)))
            whole = places[(places > half) & (places + half <= last)]
            areas = sums[i, whole + half] - sums[i, whole - half - 1] - (2 * half + 1) * floor[i]
            heights = np.maximum(energy[i, whole] - floor[i], 1e-9)
            widths[i] = 1000 / rate * float(np.median(areas / heights)) if len(whole) else np.nan
    return beats, widths


def _energy(ecg: Floats, present: npt.NDArray[np.bool_], rate: float) -> Floats:
    """Return the mean over the leads present of their squared slopes, smoothed, (N, T - 1)."""
    slope = np.square(np.diff(ecg, axis=-1))
    mean = slope.mean(axis=-1)
    weight = np.where(present & (mean > 0), 1 / np.maximum(mean, 1e-12), 0.0)
    weight /= np.maximum(np.count_nonzero(weight, axis=1), 1)[:, None]
    energy = np.einsum("nlt,nl->nt", slope, weight.astype(np.float32))
    width = max(1, round(SMOOTHING_S * rate))
    return np.asarray(uniform_filter1d(uniform_filter1d(energy, width, axis=1), width, axis=1))


def _arms_exchanged(four: Floats) -> npt.NDArray[np.bool_]:
    """Tell by the directions of I and aVR against V5 and V6, (N, 4, T) -> (N,)."""
    centred = four - four.mean(axis=-1, keepdims=True)
    length = np.sqrt(np.square(centred).sum(axis=-1))
    dots = np.einsum("nlt,nkt->nlk", centred[:, :2], centred[:, 2:])
    likeness = dots / np.maximum(length[:, :2, None] * length[:, None, 2:], 1e-9)
    return np.asarray((likeness[:, 0] < OPPOSITE).all(axis=1) & (likeness[:, 1, 1] > WITH))
