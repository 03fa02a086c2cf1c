"""Tell which wave a sample belongs to: P, QRS, T or none of them.

The boundaries of a wave hardly differ between leads, while a single lead often hides a wave. Each
lead is delineated by itself (`lsemvae.explain.delineation`), and a sample belongs to a wave where
half of the leads at least say so.

Measured on LUDB (200 records, waves marked by cardiologists in every lead; samples between the
first and the last mark; 0.5 to 40 Hz; R peaks of `data_modules.signals.median_beat`), recall and
precision are .82 and .78 for P, .91 and .88 for QRS, .88 and .84 for T with twelve leads, and .82
and .74, .91 and .86, .88 and .84 with the six limb leads. NeuroKit2's `dwt` by the same vote finds
.52, .80 and .50 of the samples (10 of the records) and takes several times as long.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from lsemvae.explain.delineation import Index, Signal, delineate

WAVES = ("P", "QRS", "T", "other")
AGREEMENT = 0.5
QRS_MARKS = ("R_Onsets", "R_Offsets", "Q_Peaks", "S_Peaks")
QRS_REACH_S = 0.08  # marks further from the R peak than this belong to another wave
QRS_EDGE_S = 0.02  # from the peaks of Q and S, which are marked, to the ends of the complex
LONGEST_S = {"P": 0.25, "T": 0.6}

Labels = npt.NDArray[np.int8]


def label_waves(ecg: Signal, r_peaks: Sequence[int], sampling_rate_hz: float) -> Labels:
    """Label every sample of a recording with its wave.

    Args:
        ecg: leads that hold a signal, filtered, (L, T), any unit.
        r_peaks: samples of the QRS complexes.
        sampling_rate_hz: of the recording.

    Returns:
        (T,), index into `WAVES`.
    """
    votes = np.zeros((len(WAVES) - 1, ecg.shape[-1]))
    for marks in _marks(ecg, np.asarray(r_peaks), sampling_rate_hz):
        for number, spans in enumerate(_spans(marks, r_peaks, sampling_rate_hz)):
            own = np.zeros(ecg.shape[-1], bool)
            for first, last in spans:
                own[max(first, 0) : last + 1] = True
            votes[number] += own
    best = votes.argmax(0)
    agreed = votes.max(0) >= AGREEMENT * len(ecg)
    return np.where(agreed, best, WAVES.index("other")).astype(np.int8)


def _marks(ecg: Signal, r_peaks: Index, sampling_rate_hz: float) -> list[dict[str, Signal]]:
    """Return the marks of each lead, NaN where there is none.

    The delineation takes the R peak for a maximum; where the complex points down, its marks around
    the complex come from the lead turned over.
    """
    reach = round(QRS_REACH_S * sampling_rate_hz)
    around = [ecg[:, max(peak - reach, 0) : peak + reach + 1] for peak in r_peaks]
    middle = np.median([beat.max(1) + beat.min(1) for beat in around], axis=0)
    down = (middle < 0).nonzero()[0]
    both = delineate(np.concatenate([ecg, -ecg[down]]), r_peaks, sampling_rate_hz)
    for name in QRS_MARKS:
        both[name][down] = both[name][len(ecg) :]
    return [{name: at[lead] for name, at in both.items()} for lead in range(len(ecg))]


def _spans(
    marks: dict[str, Signal], r_peaks: Sequence[int], sampling_rate_hz: float
) -> list[list[tuple[int, int]]]:
    """Return first and last samples of the P waves, the QRS complexes and the T waves."""
    edge = QRS_EDGE_S * sampling_rate_hz
    events = np.concatenate(
        [marks["R_Onsets"], marks["R_Offsets"], marks["Q_Peaks"] - edge, marks["S_Peaks"] + edge]
    )
    complexes = []
    for peak in r_peaks:
        near = events[np.abs(events - peak) <= QRS_REACH_S * sampling_rate_hz]
        if len(near) > 1:
            complexes.append((int(near.min()), int(near.max())))
    return [_pairs(marks, "P", sampling_rate_hz), complexes, _pairs(marks, "T", sampling_rate_hz)]


def _pairs(marks: dict[str, Signal], wave: str, sampling_rate_hz: float) -> list[tuple[int, int]]:
    """Join each peak to the onset before and the offset behind it; either may be missing."""
    peak, onset, offset = (
        np.sort(at[np.isfinite(at)]).astype(int)
        for at in (marks[f"{wave}_Peaks"], marks[f"{wave}_Onsets"], marks[f"{wave}_Offsets"])
    )
    before = np.searchsorted(onset, peak, side="right") - 1
    behind = np.searchsorted(offset, peak, side="left")
    both = (before >= 0) & (behind < len(offset))
    first, last = onset[before[both]], offset[behind[both]]
    whole = last - first <= LONGEST_S[wave] * sampling_rate_hz
    return list(zip(first[whole].tolist(), last[whole].tolist(), strict=True))


def wave_shares(value: Signal, labels: Labels) -> tuple[Signal, Signal]:
    """Split the absolute attribution of recordings by lead and wave.

    Args:
        value: (B, L, T).
        labels: (B, T), index into `WAVES`.

    Returns:
        Shares of each record's absolute attribution (B, L, W), and of its duration (B, W).
    """
    member = (labels[:, None] == np.arange(len(WAVES))[:, None]).astype(np.float64)  # (B, W, T)
    size = np.abs(value) @ member.transpose(0, 2, 1)
    with np.errstate(invalid="ignore"):
        share = size / size.sum((1, 2), keepdims=True)
    return share, member.mean(-1)
