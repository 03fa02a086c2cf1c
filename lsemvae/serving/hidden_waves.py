"""Measure what each wave moves: draw a straight line in its place and look at the log-odds.

Waves are not delineated: each is a window about the R peaks, which is enough to tell which part of
the beat an answer hangs on.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from data_modules.signals.median_beat import find_r_peaks
from data_modules.signals.settings import BEFORE_R_S
from lsemvae.predicting.predictor import Predictor
from lsemvae.predicting.sources import Loaded
from lsemvae.serving.hidden import Hidden, given, moved_by


class Window(NamedTuple):
    """Where a wave lies about the R peak.

    Attributes:
        name: of the wave.
        start_s: seconds from the R peak, below zero before it.
        end_s: likewise.
        start_rr: at most this share of the RR interval before the peak.
        end_rr: of the one behind it; together with the next beat's `start_rr` 1 at most, so that
            windows do not overlap at any rate.
    """

    name: str
    start_s: float
    end_s: float
    start_rr: float = 0.4
    end_rr: float = 0.6


QRS = "QRS complex"
WINDOWS = (
    Window("P wave", -0.25, -0.06),
    Window(QRS, -0.06, 0.06),
    Window("ST and T wave", 0.06, 0.42),
)
FEWEST_SAMPLES = 3


class HiddenWave(NamedTuple):
    """What one wave moves, and its share of what all waves move together."""

    hidden: Hidden
    share: float


def hide_each_wave(predictor: Predictor, loaded: Loaded) -> list[HiddenWave]:
    """Return the waves in the order of the beat; none where no beat is found.

    All present leads lose the wave in every beat: a line from the sample before it to the sample
    behind it stands there. A network that finds the beats by itself loses them with the QRS
    complex, so of such a model the QRS complex is not asked.

    Args:
        predictor: the model.
        loaded: what it was given.
    """
    model, whole = predictor.description, given(predictor, loaded)
    rate = float(model.signal["sampling_rate_hz"])
    if model.signal["segment"] == "median_beat":
        peaks = np.array([round(BEFORE_R_S * rate)])
    else:
        peaks = find_r_peaks(whole.ecg[whole.present], rate)
    if not len(peaks):
        return []
    asked = [one for one in WINDOWS if not (model.finds_beats and one.name == QRS)]
    without = [
        whole._replace(ecg=_flattened(whole.ecg, window_spans(one, peaks, rate))) for one in asked
    ]
    found = moved_by(predictor, whole, [one.name for one in asked], without)
    total = sum(abs(one.moved) for one in found)
    return [HiddenWave(one, abs(one.moved) / total if total else 0.0) for one in found]


def window_spans(
    window: Window, peaks: npt.NDArray[np.intp], sampling_rate_hz: float
) -> list[tuple[int, int]]:
    """Return first and last sample of a wave about each R peak.

    Args:
        window: of the wave.
        peaks: samples of the R peaks, increasing.
        sampling_rate_hz: of the recording.
    """
    rr = np.diff(peaks)
    before = np.concatenate([rr[:1], rr]) if len(rr) else np.full(1, np.inf)
    behind = np.concatenate([rr, rr[-1:]]) if len(rr) else np.full(1, np.inf)
    start = np.maximum(window.start_s * sampling_rate_hz, -window.start_rr * before)
    end = np.minimum(window.end_s * sampling_rate_hz, window.end_rr * behind)
    first, last = np.rint(peaks + start).astype(int), np.rint(peaks + end).astype(int)
    return list(zip(first.tolist(), last.tolist(), strict=True))


def _flattened(
    ecg: npt.NDArray[np.float32], spans: list[tuple[int, int]]
) -> npt.NDArray[np.float32]:
    """Draw a line through (L, T) from the first to the last sample of each span."""
    flat = ecg.copy()
    for start, end in spans:  # beats, not samples: ten or twenty
        first, last = max(start, 0), min(end, ecg.shape[-1] - 1)
        if last - first + 1 >= FEWEST_SAMPLES:
            weight = np.linspace(0.0, 1.0, last - first + 1, dtype=np.float32)
            flat[:, first : last + 1] = (
                ecg[:, first : first + 1] * (1 - weight) + ecg[:, last : last + 1] * weight
            )
    return flat
