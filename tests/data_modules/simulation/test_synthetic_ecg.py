"""Synthetic ECGs: lead relations, a slow reference, and what strain does to the waves."""

from typing import NamedTuple

import numpy as np
import pytest
from scipy.signal import find_peaks

from data_modules.simulation.ecg import (
    INDEPENDENT_LEADS,
    LEADS_FROM_DIPOLE,
    beat_times,
    simulate_ecg,
)
from data_modules.simulation.heart import WAVES, PatientParameters, draw_patients, wave_dipoles
from lsemvae.core.errors import InputError
from lsemvae.core.leads import LEADS, lead_indices

RATE_HZ = 500.0


def drawn(n, *, rv=0.0, left=0.0, af=False, heart_rate=70.0, age=60.0, seed=0):
    full = np.ones(n)
    return draw_patients(
        full * heart_rate,
        rv_strain=full * rv,
        left_strain=full * left,
        atrial_fibrillation=np.full(n, af),
        age_years=full * age,
        rng=np.random.default_rng(seed),
    )


def average(n=1, **parameters) -> PatientParameters:
    """Patients without individual deviations."""
    patients = drawn(n, **parameters)
    return patients._replace(
        wave_gain=np.ones_like(patients.wave_gain),
        wave_tilt=np.zeros_like(patients.wave_tilt),
        wave_width=np.ones_like(patients.wave_width),
        heart_turn_rad=np.zeros_like(patients.heart_turn_rad),
    )


def simulate(patients, *, noise=0.0, seed=1, **options):
    return simulate_ecg(patients, noise=noise, rng=np.random.default_rng(seed), **options)


def qrs_samples(ecg_mv):
    """Samples of the QRS complexes of one recording: peaks of the power over all leads."""
    power = (ecg_mv**2).sum(axis=0)
    return find_peaks(power, height=0.3 * power.max(), distance=int(0.25 * RATE_HZ))[0]


class Beat(NamedTuple):
    axis_degrees: float
    r_in_v1: float
    s_in_v1: float
    r_in_v5: float
    p_in_ii: float
    p_end_in_v1: float
    t: dict[str, float]


def measure(ecg_mv) -> Beat:
    """Measure a beat in the middle of a noise-free recording, amplitudes in mV."""
    peaks = qrs_samples(ecg_mv)
    r = peaks[len(peaks) // 2]
    lead = dict(zip(LEADS, ecg_mv, strict=True))
    qrs, p, t = slice(r - 30, r + 35), slice(r - 110, r - 45), slice(r + 60, r + 200)
    t_peak = 60 + np.abs(ecg_mv[:, t]).sum(axis=0).argmax()
    net_i, net_avf = lead["I"][qrs].sum(), lead["aVF"][qrs].sum()
    return Beat(
        axis_degrees=float(np.degrees(np.arctan2(2 / np.sqrt(3) * net_avf, net_i))),
        r_in_v1=float(lead["V1"][qrs].max()),
        s_in_v1=float(-lead["V1"][qrs].min()),
        r_in_v5=float(lead["V5"][qrs].max()),
        p_in_ii=float(lead["II"][p].max()),
        p_end_in_v1=float(lead["V1"][p].min()),
        t={name: float(lead[name][r + t_peak]) for name in LEADS},
    )


def rises(values):
    return bool(np.all(np.diff(values) > 0))


@pytest.mark.parametrize("noise", [0.0, 1.0, 20.0])
def test_limb_lead_relations_hold_to_the_last_bit(noise):
    ecg = simulate(drawn(5, rv=0.4, af=True), noise=noise, duration_s=2.0)
    i, ii, iii, avr, avl, avf = (ecg[:, k] for k in range(6))
    half = np.float32(0.5)
    np.testing.assert_array_equal(iii, ii - i)
    np.testing.assert_array_equal(avr, -(i + ii) * half)
    np.testing.assert_array_equal(avl, i - ii * half)
    np.testing.assert_array_equal(avf, ii - i * half)
    assert ecg.dtype == np.float32
    assert ecg.shape == (5, 12, 1000)


def test_t_wave_has_the_amplitudes_of_the_lead_matrix_by_hand():
    # T dipole (.38, .20, -.16); II = .235 * .38 + 1.066 * .20 + .132 * .16, and so on.
    t = measure(simulate(average())[0]).t
    assert t["I"] == pytest.approx(0.1837, abs=2e-3)
    assert t["II"] == pytest.approx(0.3236, abs=2e-3)
    assert t["V1"] == pytest.approx(-0.0176, abs=2e-3)
    assert t["V2"] == pytest.approx(0.2715, abs=2e-3)
    assert t["V6"] == pytest.approx(0.2942, abs=2e-3)
    assert t["aVR"] == pytest.approx(-0.2536, abs=2e-3)


def test_signals_equal_a_plain_sum_over_every_beat_wave_and_lead():
    patient = drawn(1, rv=0.3, left=0.5, heart_rate=60.0)
    ecg = simulate(patient, duration_s=3.0, sampling_rate_hz=100.0, seed=4)[0]
    beats = beat_times(patient, duration_s=3.0, rng=np.random.default_rng(4))[0]
    dipoles = wave_dipoles(patient)[0]
    widen = patient.wave_width[0].copy()
    for w, name in enumerate(WAVES):  # at 60 per minute and 60 years only strain changes widths
        if name == "P_left":
            widen[w] *= 1 + 0.30 * 0.5
        elif name not in ("P_right", "T"):
            widen[w] *= 1 + 0.10 * 0.5 + 0.08 * 0.3
    for row, name in zip(LEADS_FROM_DIPOLE, INDEPENDENT_LEADS, strict=True):
        for s in range(0, 300, 7):
            value = 0.0
            for beat in beats:
                for w, wave in enumerate(WAVES.values()):
                    slow = 1.074 if -0.1 < wave.delay_s < 0.1 else 1.0
                    centre = wave.delay_s * slow + (0.006 if list(WAVES)[w] == "P_left" else 0)
                    off = s / 100.0 - beat - centre
                    width = widen[w] * (wave.rise_s if off < 0 else wave.fall_s)
                    value += row @ dipoles[w] * np.exp(-0.5 * (off / width) ** 2)
            assert ecg[LEADS.index(name), s] == pytest.approx(value, abs=2e-3), (name, s)


def test_normal_ecg_looks_normal():
    ecg = simulate(average())[0]
    beat = measure(ecg)
    assert 0 < beat.axis_degrees < 75
    assert min(beat.t[name] for name in ("I", "II", "V3", "V4", "V5", "V6")) > 0.1
    assert beat.t["aVR"] < -0.1
    assert 0.1 < beat.p_in_ii < 0.25
    r = ecg[lead_indices(["V1", "V2", "V3", "V4"])].max(axis=1)
    assert rises(r), "R grows from V1 to V4"
    assert beat.s_in_v1 > 1.5 * beat.r_in_v1
    avr = ecg[LEADS.index("aVR")]
    assert -avr.min() > 3 * avr.max()


@pytest.mark.parametrize("heart_rate", [60.0, 80.0, 100.0])
def test_right_ventricular_strain_acts_monotonically(heart_rate):
    levels = np.linspace(0, 1, 6)
    patients = average(6, heart_rate=heart_rate)._replace(rv_strain=levels)
    beats = [measure(ecg) for ecg in simulate(patients)]
    assert rises([beat.axis_degrees for beat in beats])
    assert beats[-1].axis_degrees > 95
    ratio = [beat.r_in_v1 / beat.s_in_v1 for beat in beats if beat.s_in_v1 > 0.01]
    assert rises(ratio)
    assert rises([beat.r_in_v1 for beat in beats[1:]])
    assert beats[-1].r_in_v1 > 0.7
    for name in ("V1", "V2", "V3"):
        assert rises([-beat.t[name] for beat in beats])
        assert beats[-1].t[name] < 0
    assert rises([beat.p_in_ii for beat in beats])
    assert beats[-1].p_in_ii > 0.25  # P pulmonale


def test_right_ventricular_strain_acts_the_same_way_in_nearly_every_individual():
    patients = drawn(60)
    none, marked = (
        [measure(ecg) for ecg in simulate(patients._replace(rv_strain=np.full(60, level)))]
        for level in (0.0, 1.0)
    )
    pairs = list(zip(none, marked, strict=True))
    turned = [(b.axis_degrees - a.axis_degrees) % 360 for a, b in pairs]
    assert np.mean([20 < turn < 180 for turn in turned]) > 0.95
    assert np.mean([b.r_in_v1 / b.s_in_v1 > a.r_in_v1 / a.s_in_v1 for a, b in pairs]) > 0.95
    assert np.mean([b.p_in_ii > a.p_in_ii for a, b in pairs]) == 1
    assert np.mean([b.t["V2"] < a.t["V2"] for a, b in pairs]) == 1


def test_left_strain_acts_monotonically():
    levels = np.linspace(0, 1, 6)
    beats = [measure(ecg) for ecg in simulate(average(6)._replace(left_strain=levels))]
    assert rises([-beat.axis_degrees for beat in beats])
    assert rises([beat.s_in_v1 for beat in beats])
    assert rises([beat.r_in_v5 for beat in beats])
    assert beats[-1].s_in_v1 + beats[-1].r_in_v5 > 3.5  # Sokolow & Lyon 1949
    assert rises([-beat.p_end_in_v1 for beat in beats])
    assert beats[-1].p_end_in_v1 < -0.1  # Morris et al. 1964
    for name in ("I", "V5", "V6"):
        assert rises([-beat.t[name] for beat in beats])


@pytest.mark.parametrize("heart_rate", [45.0, 72.0, 120.0])
@pytest.mark.parametrize("af", [False, True])
def test_heart_rate_of_the_signal_is_the_parameter(heart_rate, af):
    ecg = simulate(drawn(4, heart_rate=heart_rate, af=af), duration_s=30.0)
    for record in ecg:
        peaks = qrs_samples(record)
        measured = 60 * RATE_HZ * (len(peaks) - 1) / (peaks[-1] - peaks[0])
        assert measured == pytest.approx(heart_rate, rel=0.03)


def test_beats_cover_the_recording_and_their_mean_interval_is_exact():
    patients = drawn(50, heart_rate=75.0, af=True)
    patients = patients._replace(heart_rate_bpm=np.linspace(40, 150, 50))
    beats = beat_times(patients, duration_s=10.0, rng=np.random.default_rng(0))
    assert np.all(beats[:, 0] <= 0)
    assert np.all(beats[:, -1] > 10)
    intervals = np.diff(beats, axis=1)
    assert intervals.min() > 0.2
    for rate, rr in zip(patients.heart_rate_bpm, intervals, strict=True):
        n = int(np.round(10 * rate / 60))
        assert rr[:n].mean() == pytest.approx(60 / rate, rel=1e-12)


def test_atrial_fibrillation_is_irregular_and_without_p_waves():
    sinus, af = drawn(30), drawn(30, af=True)
    spread = [
        np.diff(beat_times(p, duration_s=10, rng=np.random.default_rng(0)), axis=1).std(axis=1)
        for p in (sinus, af)
    ]
    assert spread[1].min() > 1.5 * spread[0].max()
    p_rows = [list(WAVES).index(name) for name in ("P_right", "P_left")]
    assert np.all(wave_dipoles(af)[:, p_rows] == 0)
    assert np.all(np.abs(wave_dipoles(sinus)[:, p_rows]).max(axis=-1) > 0)


def test_noise_grows_with_its_parameter_and_drifts_below_one_hertz():
    patients = average(40)
    clean, little, much = (simulate(patients, noise=noise) for noise in (0.0, 1.0, 3.0))
    np.testing.assert_allclose(much - clean, 3 * (little - clean), atol=1e-4)
    residual = (little - clean)[:, LEADS.index("V3")]
    power = np.abs(np.fft.rfft(residual, axis=1)) ** 2
    hertz = np.fft.rfftfreq(residual.shape[1], 1 / RATE_HZ)
    assert power[:, hertz < 1].sum() > 5 * power[:, hertz > 1].sum()
    assert 0.03 < residual.std(axis=1).mean() < 0.15


def test_same_seed_same_signals_other_seed_others():
    patients = drawn(3)
    first = simulate(patients, noise=1.0, seed=5)
    np.testing.assert_array_equal(first, simulate(patients, noise=1.0, seed=5))
    assert not np.array_equal(first, simulate(patients, noise=1.0, seed=6))


@pytest.mark.parametrize(
    "option", [{"sampling_rate_hz": 50.0}, {"duration_s": 0.5}, {"noise": -1.0}]
)
def test_impossible_recordings_are_refused(option):
    with pytest.raises(InputError, match="synthetic ECG needs"):
        simulate(drawn(1), **option)
