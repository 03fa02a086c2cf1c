"""The steps of docs/device.md, written again by its words alone, give what a model is fed with."""

import numpy as np
import numpy.typing as npt
import pytest
from scipy.ndimage import gaussian_filter1d
from scipy.signal import butter, find_peaks, resample_poly, sosfiltfilt

from benchmarks.recording_files import make_counts
from data_modules.reading.recording import Recording
from data_modules.signals.clean import clean_ecg
from data_modules.signals.settings import SignalSettings
from lsemvae.core.leads import LIMB_LEADS

Signals = npt.NDArray[np.float64]
DEVICE_HZ = 500


def filtered(ecg: Signals, settings: SignalSettings) -> Signals:
    """Steps 3 and 4."""
    sections = np.vstack([
        butter(2, settings.low_hz, "highpass", fs=DEVICE_HZ, output="sos"),
        butter(2, settings.high_hz, "lowpass", fs=DEVICE_HZ, output="sos"),
    ])  # fmt: skip
    padding = 3 * (2 * len(sections) + 1)
    ecg = sosfiltfilt(sections, ecg, padtype="odd", padlen=padding)
    rate = int(settings.sampling_rate_hz)
    return np.asarray(
        resample_poly(ecg, rate, DEVICE_HZ, axis=1, window=("kaiser", 5.0), padtype="line")
    )


def beat(ecg: Signals, rate: int) -> Signals:
    """Step 6, with loops."""
    sections = butter(2, (8, 25), "band", fs=rate, output="sos")
    energy = (sosfiltfilt(sections, ecg / ecg.std(1)[:, None]) ** 2).mean(0)
    energy = gaussian_filter1d(energy, 0.03 * rate)
    blocks = [energy[start : start + 2 * rate].max() for start in range(0, len(energy), 2 * rate)]
    height = 0.35 * np.median(blocks)
    peaks = find_peaks(energy, height=height, distance=round(0.3 * rate))[0]
    before, after, shift = round(0.45 * rate), round(0.75 * rate), round(0.04 * rate)
    last = ecg.shape[1] - after - 2 * shift
    at = [int(peak) for peak in peaks if before + 2 * shift <= peak <= last]
    for _ in range(2):
        template = np.median([ecg[:, p - before : p + after] for p in at], axis=0)
        at = [
            max(
                range(p - shift, p + shift + 1),
                key=lambda q: float((ecg[:, q - before : q + after] * template).sum()),
            )
            for p in at
        ]
    return np.asarray(np.median([ecg[:, p - before : p + after] for p in at], axis=0))


@pytest.mark.parametrize("segment", ["record", "median_beat"])
@pytest.mark.parametrize("rate", [500, 250])
def test_the_pages_steps_give_the_models_input(segment: str, rate: int) -> None:
    settings = SignalSettings(sampling_rate_hz=float(rate), segment=segment)  # type: ignore[arg-type]
    counts = make_counts(LIMB_LEADS, n_samples=10 * DEVICE_HZ, rate=DEVICE_HZ)
    two = counts[:2] / 200 + 0.02 * np.random.default_rng(0).normal(size=(2, counts.shape[1]))
    one_two = np.array([[1, 0], [0, 1], [-1, 1], [-0.5, -0.5], [1, -0.5], [-0.5, 1]])
    ecg = one_two @ two
    given = Recording("r1", ecg.astype(np.float32), LIMB_LEADS, float(DEVICE_HZ), "mV", ())
    clean = clean_ecg(given, settings)
    wanted = filtered(ecg, settings)
    if segment == "median_beat":
        wanted = beat(wanted, rate)
    assert clean.present.tolist() == [True] * 6 + [False] * 6
    np.testing.assert_allclose(clean.ecg[:6], np.rint(wanted * 1000), atol=2)  # microvolts
