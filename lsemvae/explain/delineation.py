"""Mark P, QRS and T in leads by the prominence of their peaks.

The rules are those of Emrich et al. 2024 (EUSIPCO, "Physiology-Informed ECG Delineation Based on
Peak Prominence") as NeuroKit2 0.2 has them, whose marks are the tests' reference: each beat is a
segment that reaches half of the way to its neighbours; within bounds that physiology sets, the most
prominent peaks are the waves, and the bases of their prominence the ends. Here all beats of all
leads are the rows of one array, with infinity around each, which no prominence reaches across.

Shape legend: S signals, T samples, K beats, N = S K segments, W samples of the longest and two.
"""

import warnings
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.signal import find_peaks, peak_prominences

Signal = npt.NDArray[np.floating]
Index = npt.NDArray[np.intp]
Mask = npt.NDArray[np.bool_]

MARKS = (
    "P_Onsets", "P_Peaks", "P_Offsets", "Q_Peaks", "R_Onsets", "R_Offsets", "S_Peaks",
    "T_Onsets", "T_Peaks", "T_Offsets",
)  # fmt: skip
# Bounds in milliseconds (Emrich et al. 2024): R rises, QRS, PR, from S to T; bases of P, R and T.
RISE_MS, QRS_MS, PR_MS, ST_MS = 120, 180, 300, 150
P_BASES_MS, R_BASES_MS, T_BASES_MS = 100, 100, 200
R_REACH_S = 0.02


@dataclass(frozen=True)
class _Segments:
    """The beats of all signals.

    Attributes:
        ecg: (N, W), infinite around each segment.
        turned: the same of the signals turned over, infinite at the same places.
        first: sample of the signal where each segment begins, less one, (N,).
        r_peak: column of each R peak, (N,).
    """

    ecg: Signal
    turned: Signal
    first: Index
    r_peak: Index


def delineate(signals: Signal, r_peaks: Index, sampling_rate_hz: float) -> dict[str, Signal]:
    """Return the samples of each mark in every beat, (S, K), NaN where there is none.

    Args:
        signals: leads that hold a signal, filtered, (S, T), any unit.
        r_peaks: samples of two QRS complexes or more, ascending, (K,).
        sampling_rate_hz: of the signals.
    """
    beats = _cut(signals, r_peaks)
    found = _find_waves(beats, sampling_rate_hz)
    marks = {}
    for name in MARKS:
        at = found[name]
        sample = np.where(at >= 0, at + beats.first, 0)
        marks[name] = np.where(sample > 0, sample, np.nan).reshape(len(signals), -1)
    return marks


def _cut(signals: Signal, r_peaks: Index) -> _Segments:
    gap = np.diff(r_peaks)
    before = np.concatenate([[min(gap[0], 2 * r_peaks[0])], gap]) // 2
    behind = np.concatenate([gap, gap[-1:]]) // 2
    first = r_peaks - np.minimum(r_peaks, before)
    end = np.minimum(r_peaks + behind, signals.shape[-1])
    column = np.arange((end - first).max() + 2)
    sample = first[:, None] + column - 1
    inside = (column > 0) & (sample < end[:, None])
    cut = signals[:, np.where(inside, sample, 0)]
    shape = (-1, len(column))
    return _Segments(
        np.where(inside, cut, np.inf).reshape(shape), np.where(inside, -cut, np.inf).reshape(shape),
        np.tile(first - 1, len(signals)), np.tile(r_peaks - first + 1, len(signals)),
    )  # fmt: skip


def _find_waves(beats: _Segments, rate: float) -> dict[str, Index]:
    """Return the column of each mark, (N,), -1 where there is none."""

    def samples(milliseconds: float) -> int:
        return int(milliseconds * rate / 1000)

    column, r_peak = np.arange(beats.ecg.shape[1]), beats.r_peak[:, None]
    high, low = (_prominence(side, beats.r_peak) for side in (beats.ecg, beats.turned))
    some = (high.peak | low.peak).any(1)
    rise = (column >= np.maximum(r_peak - samples(RISE_MS), 1)) & (column < r_peak)
    q = _first_largest(low.size, rise)
    within = (column >= r_peak) & (column < q[:, None] + samples(QRS_MS))
    dip = _first_largest((low.size > 0).astype(np.int8), within & (low.size > 0))
    s = np.where(dip >= 0, dip, _first_largest(-beats.ecg, within & np.isfinite(beats.ecg)))
    before = (column >= q[:, None] - samples(PR_MS)) & (column <= q[:, None])
    p = _first_largest(high.size, high.peak & before)
    behind = column >= s[:, None] + samples(ST_MS)
    up, down = (_first_largest(side.size, side.peak & behind) for side in (high, low))
    inverted = _at(low.size, down) > _at(high.size, up)
    r = _corrected(beats, int(R_REACH_S * rate))
    found = {"Q_Peaks": q, "S_Peaks": s, "P_Peaks": p, "T_Peaks": np.where(inverted, down, up)}
    found |= _bases("P", beats.ecg, p, samples(P_BASES_MS))
    found |= _bases("R", beats.ecg, r, samples(R_BASES_MS))
    rising = _bases("T", beats.ecg, np.where(inverted, -1, up), samples(T_BASES_MS))
    falling = _bases("T", beats.turned, np.where(inverted, down, -1), samples(T_BASES_MS))
    found |= {name: np.maximum(rising[name], falling[name]) for name in rising}
    return {name: np.where(some, at, -1) for name, at in found.items()}


@dataclass(frozen=True)
class _Peaks:
    """Peaks of the segments, (N, W) bool, and their prominence, (N, W), zero at the R peak."""

    peak: Mask
    size: Signal


def _prominence(side: Signal, r_peak: Index) -> _Peaks:
    flat = side.ravel()
    at = find_peaks(flat)[0]
    at = at[np.isfinite(flat[at])]
    peak, size = np.zeros(side.shape, bool), np.zeros(side.shape, side.dtype)
    peak.ravel()[at], size.ravel()[at] = True, peak_prominences(flat, at)[0]
    size[np.arange(len(size)), r_peak] = 0.0
    return _Peaks(peak, size)


def _first_largest(values: Signal | npt.NDArray[np.int8], among: Mask) -> Index:
    """Return the first column of the largest value among some, (N,), -1 where there are none."""
    best = np.where(among, values, -np.inf).argmax(1)
    return np.where(among.any(1), best, -1)


def _at(values: Signal, column: Index) -> Signal:
    """Return the value of each row's column, (N,), -1 where there is none."""
    chosen: Signal = np.where(column >= 0, values[np.arange(len(values)), column], -1.0)
    return chosen


def _corrected(beats: _Segments, reach: int) -> Index:
    """Return the largest sample around each R peak, which another lead may have set; columns."""
    column, r_peak = np.arange(beats.ecg.shape[1]), beats.r_peak[:, None]
    around = (column >= r_peak - reach) & (column < r_peak + reach) & np.isfinite(beats.ecg)
    moved = _first_largest(beats.ecg, around)
    return np.where((beats.r_peak > reach) & (moved >= 0), moved, beats.r_peak)


def _bases(wave: str, side: Signal, peak: Index, n_samples: int) -> dict[str, Index]:
    """Return where the prominence of each peak, within so many samples, has its bases."""
    known = peak >= 0
    begin = np.arange(len(side)) * side.shape[1]
    on, off = np.full(len(side), -1), np.full(len(side), -1)
    with warnings.catch_warnings():  # the R peak of another lead need not be a peak in this one
        warnings.filterwarnings("ignore", "some peaks have a")
        _, left, right = peak_prominences(side.ravel(), (begin + peak)[known], wlen=n_samples)
    on[known], off[known] = left - begin[known], right - begin[known]
    return {f"{wave}_Onsets": on, f"{wave}_Offsets": off}
