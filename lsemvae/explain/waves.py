"""Tell which wave a sample belongs to: P, QRS, T or none of them.

The boundaries of a wave hardly differ between leads, while a single lead often hides a wave. Each
lead is delineated by itself with NeuroKit2's `prominence` method (Emrich et al. 2024, EUSIPCO), and
a sample belongs to a wave where half of the leads at least say so.

Measured on LUDB (200 records, waves marked by cardiologists in every lead; samples between the
first and the last mark; 0.5 to 40 Hz; R peaks of `data_modules.signals.median_beat`), recall and
precision are .82 and .78 for P, .91 and .88 for QRS, .88 and .84 for T with twelve leads, and .82
and .74, .91 and .86, .88 and .84 with the six limb leads. NeuroKit2's `dwt` by the same vote finds
.52, .80 and .50 of the samples (10 of the records) and takes several times as long.
"""

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from lsemvae.core.errors import InputError

WAVES = ("P", "QRS", "T", "other")
AGREEMENT = 0.5
QRS_MARKS = ("R_Onsets", "R_Offsets", "Q_Peaks", "S_Peaks")
QRS_REACH_S = 0.08  # marks further from the R peak than this belong to another wave
QRS_EDGE_S = 0.02  # from the peaks of Q and S, which the library marks, to the ends of the complex
LONGEST_S = {"P": 0.25, "T": 0.6}

Signal = npt.NDArray[np.floating]
Labels = npt.NDArray[np.int8]


def find_library() -> Callable[..., Any]:
    """Return the library's delineation of one lead.

    Raises:
        InputError: the library is not installed.
    """
    try:
        from neurokit2 import ecg_delineate
    except ImportError as error:
        raise InputError(
            "shares of waves need NeuroKit2; install it with `pip install -e '.[waves]'`, or do "
            "without them (--waves false)"
        ) from error
    delineate: Callable[..., Any] = ecg_delineate
    return delineate


def label_waves(ecg: Signal, r_peaks: Sequence[int], sampling_rate_hz: float) -> Labels:
    """Label every sample of a recording with its wave.

    Args:
        ecg: leads that hold a signal, filtered, (L, T), any unit.
        r_peaks: samples of the QRS complexes.
        sampling_rate_hz: of the recording.

    Returns:
        (T,), index into `WAVES`.

    Raises:
        InputError: the library is not installed.
    """
    votes = np.zeros((len(WAVES) - 1, ecg.shape[-1]))
    for lead in ecg:  # the library takes one lead at a time
        marks = _marks(lead, r_peaks, sampling_rate_hz)
        for number, spans in enumerate(_spans(marks, r_peaks, sampling_rate_hz)):
            own = np.zeros(ecg.shape[-1], bool)
            for first, last in spans:
                own[max(first, 0) : last + 1] = True
            votes[number] += own
    best = votes.argmax(0)
    agreed = votes.max(0) >= AGREEMENT * len(ecg)
    return np.where(agreed, best, WAVES.index("other")).astype(np.int8)


def _marks(lead: Signal, r_peaks: Sequence[int], sampling_rate_hz: float) -> dict[str, Signal]:
    """Return the samples of NeuroKit2's marks, NaN where it found none.

    The library takes the R peak for a maximum; where the complex points down, its marks around the
    complex come from the lead turned over.
    """
    marks = _delineated(lead, r_peaks, sampling_rate_hz)
    reach = round(QRS_REACH_S * sampling_rate_hz)
    around = [lead[max(peak - reach, 0) : peak + reach + 1] for peak in r_peaks]
    if np.median([beat.max() + beat.min() for beat in around]) < 0:
        turned = _delineated(-lead, r_peaks, sampling_rate_hz)
        marks |= {name: turned[name] for name in QRS_MARKS}
    return marks


def _delineated(lead: Signal, r_peaks: Sequence[int], sampling_rate_hz: float) -> dict[str, Signal]:
    with warnings.catch_warnings():  # the R peak of another lead need not be a peak in this one
        warnings.filterwarnings("ignore", "some peaks have a")
        _, marks = find_library()(
            lead, np.asarray(r_peaks), sampling_rate=sampling_rate_hz, method="prominence"
        )
    return {name.removeprefix("ECG_"): np.asarray(at, float) for name, at in marks.items()}


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
    """Join each peak to the onset before and the offset behind it; the library may lack either."""
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
