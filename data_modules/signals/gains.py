"""Find recordings, and whole cohorts, whose amplitudes speak for a wrong gain.

A heart's amplitudes differ between people by a factor of 1.3 (SD), so a gain that is wrong by 2
cannot be told from a large heart by the amplitude alone. Where nearly all recordings of a cohort
have one ADC step, a recording with another step is judged by both.
"""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from data_modules.signals.clean import CleanEcg
from data_modules.store.content import COUNTS_PER_UNIT
from lsemvae.core.counted import counted
from lsemvae.core.leads import LEADS

if TYPE_CHECKING:
    from data_modules.store.read import EcgStore

FloatArray = npt.NDArray[np.float64]

# Median over the 613 recordings of CinC 2011, CinC 2021 and CPSC 2018 that have a usable lead, of
# the median over seconds of the peak-to-peak amplitude, in mV, filtered to 0.5-40 Hz.
USUAL_MV = dict(
    zip(LEADS, (0.79, 0.78, 0.64, 0.72, 0.61, 0.59, 0.89, 1.34, 1.43, 1.34, 1.19, 0.95),
        strict=True)
)  # fmt: skip
# Medians of the three sets, and of our synthetic cohort: 0.93 to 1.14 of the usual.
COHORT_RANGE = (0.62, 1.6)
N_LEAST = 20  # recordings, below which each is compared with usual ones in place of the median
Z_MAX = 3.5
SD_LEAST, SD_MOST = 0.2, 0.45  # of the logarithm; real sets have 0.23 to 0.45
SAME_STEP_SHARE = 0.8
N_GROUP = 10  # recordings of one ADC step, below which their median says too little
Z_GROUPS = 3.0
STEP_FACTOR = 1.5
N_STEP_SAMPLES = 2000
BLOCK = 256  # records in memory at once: 31 MB of signals


class GainDoubts(NamedTuple):
    """What the amplitudes of a cohort say about its gains.

    Attributes:
        outlying: position of each doubtful recording and why it is.
        cohort: one sentence where the cohort as a whole is off, empty where it is not.
        median: amplitude of the cohort's median recording, 1 is usual; NaN for few recordings.
    """

    outlying: dict[int, str]
    cohort: str
    median: float


def relative_amplitude(
    ecg: npt.NDArray[np.int16], present: npt.NDArray[np.bool_], *, sampling_rate_hz: float
) -> FloatArray:
    """Compare recordings with usual ones, lead by lead, and average over the leads.

    Args:
        ecg: counts of 1/1000 mV, shape (N, 12, T).
        present: which leads hold a signal, shape (N, 12).
        sampling_rate_hz: of the counts.

    Returns:
        (N,), the geometric mean over leads of amplitude / usual amplitude; NaN without a lead.
    """
    n_records, n_leads, n_samples = ecg.shape
    second = min(round(sampling_rate_hz), n_samples)
    windows = ecg[..., : n_samples // second * second].reshape(n_records, n_leads, -1, second)
    span = windows.max(-1).astype(np.float64) - windows.min(-1)
    padded = ~span.any(axis=1, keepdims=True)
    span[np.broadcast_to(padded, span.shape)] = np.nan
    usual = COUNTS_PER_UNIT * np.array(list(USUAL_MV.values()))
    known = present & ~padded.all(axis=-1)
    out = np.full(n_records, np.nan)
    rows = np.flatnonzero(known.any(axis=1))
    ratio = np.log(np.maximum(np.nanmedian(span[rows], axis=-1), 1.0) / usual)
    out[rows] = np.exp(np.nanmean(np.where(known[rows], ratio, np.nan), axis=1))
    return out


def adc_step(ecg: npt.NDArray[np.float32]) -> float | None:
    """Return the smallest step in mV of a recording as it was read, None where nothing moves.

    Args:
        ecg: unfiltered leads in mV, shape (L, T).
    """
    part = ecg[:, :N_STEP_SAMPLES]
    # the larger and the smaller of two numbers, NaN left out where one of them is a number
    moving = np.fmax.reduce(part, axis=1) > np.fmin.reduce(part, axis=1)
    if not moving.any():
        return None
    lead = part[moving.argmax()]
    levels = np.unique(lead[np.isfinite(lead)])
    steps = np.diff(levels)
    steps = steps[steps > 1e-5]  # below is the rounding of float32
    return float(f"{steps.min():.2g}") if len(steps) else None


def gain_doubts(amplitude: FloatArray, step_mv: FloatArray | None = None) -> GainDoubts:
    """Judge each recording by the cohort's distribution, and the cohort by the usual range.

    Args:
        amplitude: from `relative_amplitude`, (N,), NaN where unknown.
        step_mv: from `adc_step`, (N,), NaN where unknown; None judges by the amplitude alone.
    """
    known = np.isfinite(amplitude) & (amplitude > 0)
    if known.sum() < N_LEAST:
        return _few(amplitude, known)
    logarithm = np.log(np.where(known, amplitude, np.nan))
    median = float(np.nanmedian(logarithm))
    off = logarithm - median
    sd = max(1.4826 * float(np.nanmedian(np.abs(off))), SD_LEAST)
    outlying = {
        int(i): f"amplitude {np.exp(off[i]):.2g} times the cohort's median (robust z "
        f"{off[i] / sd:+.1f}, at most {Z_MAX} expected): look at gain and unit"
        for i in np.flatnonzero(np.abs(off) > Z_MAX * sd)
    }
    whole = [_whole(np.exp(median))]
    if not whole[0]:  # two groups far from one another widen the distribution
        outlying = _few(amplitude, known).outlying | outlying
    if step_mv is not None:
        outlying |= _other_steps(off, step_mv)
        whole += _step_groups(logarithm, step_mv)
    of_all = "; ".join(text for text in whole if text)
    return GainDoubts(dict(sorted(outlying.items())), of_all, np.exp(median))


def _few(amplitude: FloatArray, known: npt.NDArray[np.bool_]) -> GainDoubts:
    """Judge recordings too few for a distribution by the widest of the real sets: factors of 5."""
    off = np.log(np.where(known, amplitude, np.nan))
    outlying = {
        int(i): f"amplitude {np.exp(off[i]):.2g} times that of usual recordings "
        f"({np.exp(-Z_MAX * SD_MOST):.2g} to {np.exp(Z_MAX * SD_MOST):.2g} expected): look at gain "
        "and unit"
        for i in np.flatnonzero(np.abs(off) > Z_MAX * SD_MOST)
    }
    return GainDoubts(outlying, "", float("nan"))


def gain_warnings(
    clean: CleanEcg, *, sampling_rate_hz: float, calibrated: bool
) -> list[tuple[str, str]]:
    """Compare the amplitude of one recording with usual ones, as `prepare` does with few.

    Args:
        clean: the recording.
        sampling_rate_hz: of its counts.
        calibrated: whether its unit is mV; elsewhere, and where leads were scaled one by one,
            amplitudes mean nothing.

    Returns:
        (`gain_doubtful`, message) where it is far off, else nothing.
    """
    if not calibrated or "leads_scaled_separately" in dict(clean.warnings):
        return []
    amplitude = relative_amplitude(
        clean.ecg[None], clean.present[None], sampling_rate_hz=sampling_rate_hz
    )
    return [("gain_doubtful", text) for text in gain_doubts(amplitude).outlying.values()]


def store_amplitudes(store: "EcgStore", n_records: int | None = None) -> FloatArray:
    """Measure the recordings of a store.

    Args:
        store: its unit is mV; elsewhere amplitudes mean nothing.
        n_records: so many at equal distances; None reads the whole store.

    Returns:
        (N,) from `relative_amplitude`, NaN where the unit is not mV.
    """
    n = len(store) if n_records is None else min(n_records, len(store))
    rows = np.linspace(0, len(store) - 1, n).astype(np.int64)
    if store.unit != "mV":
        return np.full(n, np.nan)
    parts = [
        relative_amplitude(
            store.read(part), store.present[part], sampling_rate_hz=store.sampling_rate_hz
        )
        for part in np.array_split(rows, -(-n // BLOCK))
    ]
    return np.concatenate(parts)


def _other_steps(off: FloatArray, step_mv: FloatArray) -> dict[int, str]:
    """Find recordings whose amplitude and ADC step are off in the same direction.

    Told is what lies nearer to a gain that is wrong by the ratio of the steps than to none.
    """
    steps, counts = np.unique(step_mv[np.isfinite(step_mv)], return_counts=True)
    if not len(steps) or counts.max() < SAME_STEP_SHARE * np.isfinite(off).sum():
        return {}
    usual = steps[counts.argmax()]
    factor = np.log(step_mv / usual)
    with np.errstate(invalid="ignore", divide="ignore"):
        told = (np.abs(factor) > np.log(STEP_FACTOR)) & (off / factor > 0.5)
    return {
        int(i): f"amplitude {np.exp(off[i]):.2g} times the cohort's median and ADC step "
        f"{step_mv[i]:g} mV, where {counted(counts.max(), 'recording has', 'recordings have')} "
        f"{usual:g}: look at the gain"
        for i in np.flatnonzero(told)
    }


def _step_groups(logarithm: FloatArray, step_mv: FloatArray) -> list[str]:
    """Compare recordings of one ADC step with those of another: two devices of one population.

    Told is a difference beyond chance that lies nearer to the ratio of the steps than to none:
    then the gain of one of the two groups is wrong by about that ratio.
    """
    known = np.isfinite(step_mv) & np.isfinite(logarithm)
    groups = {step: logarithm[known & (step_mv == step)] for step in np.unique(step_mv[known])}
    large = {step: group for step, group in groups.items() if len(group) >= N_GROUP}
    if not large:
        return []
    usual, first = max(large.items(), key=lambda item: len(item[1]))
    told = []
    for step, group in large.items():
        if step == usual:
            continue
        off, factor = float(np.median(group) - np.median(first)), np.log(step / usual)
        error = SD_MOST * np.sqrt(1 / len(group) + 1 / len(first))
        if abs(factor) > np.log(STEP_FACTOR) and off / factor > 0.5 and abs(off) > Z_GROUPS * error:
            told.append(
                f"{counted(len(group), 'recording')} with an ADC step of {step:g} mV have "
                f"{np.exp(off):.2g} times the amplitude of the {len(first)} with {usual:g} mV: "
                "look at the gain of both"
            )
    return told


def _whole(median: float) -> str:
    low, high = COHORT_RANGE
    if low <= median <= high:
        return ""
    return (
        f"the median recording has {median:.2g} times the amplitude of usual ones (expected "
        f"{low:g} to {high:g}): look at the gain and unit of the whole set"
    )
