"""Compute the representative heartbeat of a recording: the median of its aligned beats.

A recording of ten seconds shows its beats at arbitrary times, which an encoder that flattens the
time axis must learn one by one; a median beat has its R peak at a fixed place and less noise. It is
what FactorECG was trained on (van de Leur et al. 2022, doi:10.1093/ehjdh/ztac038). Rhythm is lost.
"""

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view
from scipy.ndimage import gaussian_filter1d
from scipy.signal import butter, find_peaks, sosfiltfilt

from data_modules.signals.settings import AFTER_R_S, BEFORE_R_S

QRS_BAND_HZ = (8.0, 25.0)  # where the QRS complex stands out from P, T and muscle noise
SMOOTHING_S = 0.03  # as long as a QRS complex; a Gaussian peaks at its centre, a boxcar is flat
REFRACTORY_S = 0.3  # 200 beats per minute
# Share of the usual peak of the QRS energy that makes a peak a beat. On LUDB (200 records, 1,831
# annotated beats, within 75 ms) it finds .9951 of the beats, and .9978 of what it finds are beats;
# a share of .25 finds .9956 and .9978.
THRESHOLD_SHARE = 0.35
BLOCK_S = 2.0  # long enough to hold a beat at 30 per minute
MAX_SHIFT_S = 0.04
N_ALIGNMENTS = 2

Signal = npt.NDArray[np.floating]


def find_r_peaks(ecg: Signal, sampling_rate_hz: float) -> npt.NDArray[np.intp]:
    """Find the QRS complexes of a recording from the energy of all its leads.

    Args:
        ecg: leads that hold a signal, (L, T), any unit; at least 50 Hz.
        sampling_rate_hz: of the recording.

    Returns:
        Samples of the energy's peaks, increasing.
    """
    scale = np.maximum(ecg.std(-1, keepdims=True), np.finfo(np.float32).tiny)
    band_hz = QRS_BAND_HZ[0], min(QRS_BAND_HZ[1], 0.45 * sampling_rate_hz)
    band = butter(2, band_hz, "band", fs=sampling_rate_hz, output="sos")
    energy = (sosfiltfilt(band, ecg / scale) ** 2).mean(0)
    energy = gaussian_filter1d(energy, SMOOTHING_S * sampling_rate_hz)
    block = min(round(BLOCK_S * sampling_rate_hz), len(energy))
    whole = energy[: len(energy) // block * block].reshape(-1, block)
    usual_peak = np.median(whole.max(1))
    peaks, _ = find_peaks(
        energy, height=THRESHOLD_SHARE * usual_peak, distance=round(REFRACTORY_S * sampling_rate_hz)
    )
    return np.asarray(peaks)


def median_beat(ecg: Signal, present: npt.NDArray[np.bool_], sampling_rate_hz: float) -> Signal:
    """Return the median over the aligned beats of a recording.

    Beats are aligned to the median of all by the shift with the largest correlation over the leads
    that are present; beats that reach beyond the recording are left out.

    Args:
        ecg: filtered, (12, T).
        present: leads that hold a signal, (12,).
        sampling_rate_hz: of the recording.

    Returns:
        (12, n) with n samples from `BEFORE_R_S` before to `AFTER_R_S` after the R peak; (12, 0)
        where no whole beat was found.
    """
    before, after = round(BEFORE_R_S * sampling_rate_hz), round(AFTER_R_S * sampling_rate_hz)
    shift = max(1, round(MAX_SHIFT_S * sampling_rate_hz))
    first, last = before + 2 * shift, ecg.shape[-1] - after - 2 * shift
    if first > last:
        return ecg[:, :0]
    peaks = find_r_peaks(ecg[present], sampling_rate_hz)
    peaks = peaks[(peaks >= first) & (peaks <= last)]
    if not len(peaks):
        return ecg[:, :0]
    windows = sliding_window_view(ecg, before + after, axis=-1)  # (12, T', n), without a copy
    lags = np.arange(-shift, shift + 1)
    for _ in range(N_ALIGNMENTS):
        template = np.median(windows[:, peaks - before], axis=1)
        around = windows[:, (peaks - before)[:, None] + lags][present]
        likeness = np.einsum("lbsn,ln->bs", around, template[present])
        peaks = np.clip(peaks + lags[likeness.argmax(1)], before, ecg.shape[-1] - after)
    return np.asarray(np.median(windows[:, peaks - before], axis=1))
