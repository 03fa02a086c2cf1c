"""Simulate seeded 12-lead ECGs: a moving dipole, seen through a published lead matrix.

A beat is a sum of Gaussian waves, each with a direction of its own in Frank's coordinates: X to
the left, Y to the feet, Z to the back. The model is that of McSharry et al. 2003 (IEEE Trans
Biomed Eng 50:289-294), in three dimensions as in Sameni et al. 2007 (EURASIP J Adv Signal
Process 043407). The eight independent leads follow from Dower's matrix; III, aVR, aVL and aVF
follow from I and II, noise included, so Einthoven's and Goldberger's relations hold exactly.

Shapes: N records, W waves, K beats, T samples. Units: seconds and mV unless the name says other.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from data_modules.simulation.heart import (
    ATRIAL,
    QRS,
    WAVE_NAMES,
    WAVES,
    PatientParameters,
    wave_dipoles,
)
from lsemvae.core.errors import InputError
from lsemvae.core.leads import LIMB_FROM_I_AND_II

FloatArray = npt.NDArray[np.floating[Any]]

INDEPENDENT_LEADS = ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")

# Dower, Machado & Osborne 1980, Clin Cardiol 3:87-95. Rows: INDEPENDENT_LEADS; columns: X, Y, Z.
LEADS_FROM_DIPOLE = np.array(
    [
        [0.632, -0.235, 0.059],
        [0.235, 1.066, -0.132],
        [-0.515, 0.157, -0.917],
        [0.044, 0.164, -1.387],
        [0.882, 0.098, -1.277],
        [1.213, 0.127, -0.601],
        [1.125, 0.127, -0.086],
        [0.831, 0.076, 0.230],
    ]
)

# Electrodes RA, LA, LL, V1..V6. I = LA - RA, II = LL - RA; the chest leads are taken against
# Wilson's terminal, the mean of the three limb electrodes.
LEADS_FROM_ELECTRODES = np.zeros((8, 9))
LEADS_FROM_ELECTRODES[:2, :3] = [[-1.0, 1.0, 0.0], [-1.0, 0.0, 1.0]]
LEADS_FROM_ELECTRODES[2:, :3] = -1.0 / 3.0
LEADS_FROM_ELECTRODES[2:, 3:] = np.eye(6)

MAINS_HZ = 60.0


def beat_times(
    patients: PatientParameters, *, duration_s: float, rng: np.random.Generator
) -> FloatArray:
    """Draw R-peak times that cover the recording with at least one beat before and after.

    Sinus rhythm has respiratory arrhythmia, which falls with age, and jitter; atrial fibrillation
    has independent, widely scattered RR intervals. The intervals are scaled so that the first of
    them, as many as fit the recording, have exactly the mean that the heart rate demands.

    Returns:
        Times in seconds, ascending, the first at or before 0, shape (N, K).
    """
    mean_rr = (60.0 / patients.heart_rate_bpm)[:, None]
    # 0.6..1.8, scaled by at least 1 / 1.8: no interval is below 0.3 of the mean.
    n, k = len(mean_rr), int(np.ceil(duration_s / (0.3 * mean_rr.min()))) + 2
    order = np.arange(k)
    breath = rng.uniform(0.2, 0.3, (n, 1)) * mean_rr * order + rng.random((n, 1))
    depth = 0.05 * np.exp(-(patients.age_years - 30.0) / 40.0)[:, None]
    sinus = 1.0 + depth * np.sin(2 * np.pi * breath) + rng.normal(0.0, 0.01, (n, k))
    irregular = rng.gamma(20.0, 1 / 20.0, (n, k))
    rr = np.where(patients.atrial_fibrillation[:, None], irregular, sinus).clip(0.6, 1.8)
    inside = order < np.maximum(np.round(duration_s / mean_rr), 1)
    rr *= mean_rr * inside.sum(axis=1, keepdims=True) / (rr * inside).sum(axis=1, keepdims=True)
    first = -mean_rr * rng.random((n, 1))
    return np.hstack([first, first + np.cumsum(rr, axis=1)])


def _neighbours(beats_s: FloatArray, *, n_samples: int, sampling_rate_hz: float) -> FloatArray:
    """Return the time of every sample after the beat before it and after the beat behind it.

    Returns:
        Seconds, the first not negative and the second negative, shape (2, N, T).
    """
    n, k = beats_s.shape
    first_sample = np.clip(np.ceil(beats_s * sampling_rate_hz), 0, n_samples).astype(np.intp)
    flat = (first_sample + np.arange(n)[:, None] * (n_samples + 1)).ravel()
    started = np.bincount(flat, minlength=n * (n_samples + 1)).reshape(n, -1)[:, :-1]
    following = np.minimum(np.cumsum(started, axis=1), k - 1)
    time = np.arange(n_samples) / sampling_rate_hz
    before = time - np.take_along_axis(beats_s, following - 1, axis=1)
    behind = time - np.take_along_axis(beats_s, following, axis=1)
    return np.stack([before, behind]).astype(np.float32)


def _pulses(patients: PatientParameters, around_s: FloatArray) -> FloatArray:
    """Return the course of every wave, 1 at its peak, from the (2, N, T) times, as (N, W, T).

    A sample sees the waves of the beat before and of the beat behind it; all others are over.
    """
    root_rr = np.sqrt(60.0 / patients.heart_rate_bpm)
    later = np.zeros((len(root_rr), len(WAVES)))
    later[:, WAVE_NAMES.index("P_left")] = 0.012 * patients.left_strain
    slow = np.ones((len(root_rr), len(WAVES)))
    # QT goes with the square root of RR (Bazett); PR lengthens with age, QRS with strain.
    slow[:, WAVE_NAMES.index("T")] = root_rr
    slow[:, ATRIAL] = (0.75 + 0.25 * root_rr + 0.001 * (patients.age_years - 60.0))[:, None]
    slow[:, QRS] = (1.0 + 0.10 * patients.left_strain + 0.08 * patients.rv_strain)[:, None]
    widen = patients.wave_width * slow
    widen[:, WAVE_NAMES.index("P_left")] *= 1.0 + 0.30 * patients.left_strain
    pulses = np.zeros((len(root_rr), len(WAVES), around_s.shape[-1]), np.float32)
    for w, wave in enumerate(WAVES.values()):
        centre = (wave.delay_s * slow[:, w] + later[:, w]).astype(np.float32)[:, None]
        rise, fall = ((s * widen[:, w]).astype(np.float32)[:, None] for s in wave[1:3])
        for time in around_s:
            off = time - centre
            off /= np.where(off < 0, rise, fall)
            pulses[:, w] += np.exp(np.float32(-0.5) * off * off)
    return pulses


def _fibrillation(
    patients: PatientParameters, time_s: FloatArray, *, rng: np.random.Generator
) -> FloatArray:
    """Return fibrillatory waves in the independent leads, zero in sinus rhythm, (N, 8, T)."""
    n = len(patients.heart_rate_bpm)
    hertz, drift_hz = rng.uniform(4.5, 7.5, (n, 1)), rng.uniform(0.2, 0.7, (n, 1))
    size_mv = rng.uniform(0.03, 0.08, (n, 1)) * patients.atrial_fibrillation[:, None]
    start = rng.random((2, n, 1))
    drift = np.sin(2 * np.pi * (drift_hz * time_s + start[0]))
    wave = (1 + 0.3 * drift) * np.sin(2 * np.pi * (hertz * time_s + start[1]) + 2 * drift)
    # Largest in V1 and II: the right atrium lies in front, and the waves run downwards.
    direction = LEADS_FROM_DIPOLE @ np.array([-0.2, 0.4, -0.8])
    return np.asarray(np.einsum("l,nt->nlt", direction, size_mv * wave), np.float32)


def _noise(
    n: int, time_s: FloatArray, *, sampling_rate_hz: float, rng: np.random.Generator
) -> FloatArray:
    """Return muscle noise, baseline wander and mains hum in the independent leads, (N, 8, T).

    Drawn per electrode, so that leads share noise as they share electrodes. At size 1, electrodes
    carry about 0.01 mV of muscle noise, 0.06 mV of wander below 0.5 Hz and 0.004 mV of hum.
    """
    n_samples, n_electrodes = len(time_s), LEADS_FROM_ELECTRODES.shape[1]
    electrodes = rng.standard_normal((n, n_electrodes, n_samples), dtype=np.float32)
    electrodes *= np.float32(0.010)
    knots = np.arange(-1.0, time_s[-1] + 3.0)  # one a second
    bells = np.exp(-0.5 * ((time_s - knots[:, None]) / 0.7) ** 2).astype(np.float32)
    wander = rng.standard_normal((n, n_electrodes, len(knots)), dtype=np.float32) @ bells
    electrodes += np.float32(0.055) * wander
    if sampling_rate_hz > 2 * MAINS_HZ:  # a recorder filters out what it cannot sample
        hum_mv = rng.exponential(0.004, (n, n_electrodes, 1)).astype(np.float32)
        phase = 2 * np.pi * (MAINS_HZ * time_s + rng.random((n, 1, 1)))
        electrodes += hum_mv * np.sin(phase).astype(np.float32)
    return np.asarray(LEADS_FROM_ELECTRODES.astype(np.float32) @ electrodes)


def with_derived_limb_leads(independent: FloatArray) -> FloatArray:
    """Return the 12 leads in canonical order from I, II, V1..V6, of shape (..., 8, T).

    III, aVR, aVL and aVF are computed in the type of the input from the I and II given.
    """
    limb = LIMB_FROM_I_AND_II.astype(independent.dtype) @ independent[..., :2, :]
    return np.concatenate([limb, independent[..., 2:, :]], axis=-2)


def simulate_ecg(
    patients: PatientParameters,
    *,
    sampling_rate_hz: float = 500.0,
    duration_s: float = 10.0,
    noise: float = 1.0,
    rng: np.random.Generator,
) -> npt.NDArray[np.float32]:
    """Simulate one 12-lead ECG for each patient.

    Args:
        patients: the N patients.
        sampling_rate_hz: samples per second; 100 or more, for QRS waves to be sampled.
        duration_s: length of the recordings.
        noise: size of muscle noise, wander and hum; 1 is an ordinary clinical recording, 0 none.
            Recordings differ from one another by a log-normal factor.
        rng: source of all randomness; the same state gives the same signals.

    Returns:
        ECGs in mV, leads in canonical order, shape (N, 12, T).

    Raises:
        InputError: a rate below 100 Hz, less than one second, or negative noise.
    """
    if not (sampling_rate_hz >= 100 and duration_s >= 1 and noise >= 0):
        raise InputError(
            "a synthetic ECG needs sampling_rate_hz >= 100, duration_s >= 1 and noise >= 0; "
            f"got {sampling_rate_hz}, {duration_s} and {noise}"
        )
    n, n_samples = len(patients.heart_rate_bpm), round(duration_s * sampling_rate_hz)
    time_s = np.arange(n_samples) / sampling_rate_hz
    beats_s = beat_times(patients, duration_s=duration_s, rng=rng)
    around_s = _neighbours(beats_s, n_samples=n_samples, sampling_rate_hz=sampling_rate_hz)
    seen = np.einsum("ld,nwd->nlw", LEADS_FROM_DIPOLE, wave_dipoles(patients))
    leads = seen.astype(np.float32) @ _pulses(patients, around_s)
    leads += _fibrillation(patients, time_s, rng=rng)
    if noise > 0:
        size = (noise * rng.lognormal(0.0, 0.35, (n, 1, 1))).astype(np.float32)
        leads += size * _noise(n, time_s, sampling_rate_hz=sampling_rate_hz, rng=rng)
    return with_derived_limb_leads(leads).astype(np.float32, copy=False)
