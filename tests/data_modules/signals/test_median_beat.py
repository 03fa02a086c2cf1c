from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import wfdb

import data_modules.signals.median_beat as median_beat_module
from data_modules.signals.band_filter import band_filter
from data_modules.signals.median_beat import AFTER_R_S, BEFORE_R_S, find_r_peaks, median_beat
from lsemvae.core.leads import LEADS

RATE_HZ = 250.0
BEFORE, AFTER = round(BEFORE_R_S * RATE_HZ), round(AFTER_R_S * RATE_HZ)
ALL = np.ones(12, bool)
R_TIMES_S = np.array([0.9, 2.35, 3.7, 5.2, 6.53, 8.1, 9.15])

Signal = npt.NDArray[np.float64]


def beat(rate_hz: float = RATE_HZ, *, width_s: float = 0.015) -> Signal:
    """Return a P wave, a QRS complex at `BEFORE_R_S` and a T wave in mV, (12, n)."""
    before, after = round(BEFORE_R_S * rate_hz), round(AFTER_R_S * rate_hz)
    time = np.arange(-before, after) / rate_hz

    def wave(at_s: float, sd_s: float) -> Signal:
        return np.asarray(np.exp(-0.5 * ((time - at_s) / sd_s) ** 2))

    strength = np.array([[0.1, 0.6, 0.2], [0.15, 1.2, 0.3], [0.0, -0.9, -0.2]] * 4)
    strength *= np.linspace(0.5, 1.5, 12)[:, None]
    return strength @ np.stack([wave(-0.16, 0.02), wave(0, width_s), wave(0.28, 0.04)])


def planted(
    times_s: npt.ArrayLike, *, shape: Signal | None = None, rate_hz: float = RATE_HZ
) -> Signal:
    """Return ten seconds with a beat around each time, (12, T)."""
    shape = beat(rate_hz) if shape is None else shape
    ecg = np.zeros((12, round(10 * rate_hz)))
    for time in np.asarray(times_s):
        start = round(time * rate_hz) - round(BEFORE_R_S * rate_hz)
        into = slice(max(start, 0), min(start + shape.shape[1], ecg.shape[1]))
        ecg[:, into] += shape[:, into.start - start : into.stop - start]
    return ecg


@pytest.mark.parametrize("rate_hz", [50.0, 100.0, 250.0, 500.0])
def test_planted_beats_are_found_at_any_rate(rate_hz: float) -> None:
    found = find_r_peaks(planted(R_TIMES_S, rate_hz=rate_hz), rate_hz) / rate_hz
    np.testing.assert_allclose(found, R_TIMES_S, atol=1.01 / rate_hz)


@pytest.mark.parametrize("per_minute", [35, 60, 110, 170])
def test_every_beat_is_found_once_at_any_heart_rate(per_minute: int) -> None:
    times = np.arange(0.6, 9.7, 60 / per_minute)
    ecg = planted(times) + 0.03 * np.random.default_rng(0).standard_normal((12, 2500))
    found = find_r_peaks(ecg, RATE_HZ) / RATE_HZ
    np.testing.assert_allclose(found, times, atol=0.03)


def test_the_unit_and_the_sign_of_a_lead_do_not_matter() -> None:
    ecg = planted(R_TIMES_S) + 0.05 * np.random.default_rng(0).standard_normal((12, 2500))
    factor = np.array([1.0, -5.0, 200.0] * 4)[:, None]
    np.testing.assert_array_equal(find_r_peaks(factor * ecg, RATE_HZ), find_r_peaks(ecg, RATE_HZ))


def test_the_median_is_the_planted_beat() -> None:
    median = median_beat(planted(R_TIMES_S), ALL, RATE_HZ)
    np.testing.assert_allclose(median, beat(), atol=1e-9)
    assert np.abs(median[1]).argmax() == BEFORE


@pytest.mark.parametrize("n_absent", [0, 3])
def test_beats_that_were_found_early_or_late_are_aligned_by_the_present_leads(
    monkeypatch: pytest.MonkeyPatch, n_absent: int
) -> None:
    late = np.array([0, 6, -5, 0, 3, -6, 1])  # samples; 24 ms at most
    places = np.rint(R_TIMES_S * RATE_HZ).astype(int) + late
    monkeypatch.setattr(median_beat_module, "find_r_peaks", lambda *_: places)
    ecg, present = planted(R_TIMES_S), np.arange(12) >= n_absent
    ecg[~present] = 100 * np.random.default_rng(2).standard_normal((n_absent, 2500))
    median = median_beat(ecg, present, RATE_HZ)
    np.testing.assert_allclose(median[present], beat()[present], atol=1e-9)


def test_an_extrasystole_does_not_change_the_median() -> None:
    wide = -1.5 * beat(width_s=0.03)
    ecg = planted(np.delete(R_TIMES_S, 3)) + planted(R_TIMES_S[[3]], shape=wide)
    assert len(find_r_peaks(ecg, RATE_HZ)) == 7
    np.testing.assert_allclose(median_beat(ecg, ALL, RATE_HZ), beat(), atol=1e-9)


def test_noise_falls_and_the_beat_stays_sharp() -> None:
    generator = np.random.default_rng(1)
    times = np.arange(0.7, 9.6, 0.8)  # neighbours overlap in P and T, not in QRS
    ecg = planted(times) + 0.1 * generator.standard_normal((12, 2500))
    median = median_beat(ecg, ALL, RATE_HZ)
    error = (median - planted(times)[:, 775 - BEFORE : 775 + AFTER])[:, BEFORE - 40 : BEFORE + 60]
    assert error.std() < 0.06  # the median of about ten beats: .1 * 1.25 / sqrt(10) = .04
    assert median[1].max() > 0.93 * beat()[1].max()


def test_beats_are_looked_for_in_present_leads_only() -> None:
    present = np.arange(12) < 4
    ecg = planted(R_TIMES_S)
    ecg[~present] = planted(R_TIMES_S + 0.6)[~present]
    np.testing.assert_allclose(median_beat(ecg, present, RATE_HZ)[present], beat()[present])
    ecg[~present] = 0.0
    assert (median_beat(ecg, present, RATE_HZ)[~present] == 0).all()


@pytest.mark.parametrize(
    "ecg",
    [np.zeros((12, 2500)), beat()[:, : BEFORE + 20], np.zeros((12, 5)), planted([0.1])[:, :400]],
    ids=["flat", "cut", "five samples", "beat at the edge"],
)
def test_without_a_whole_beat_nothing_is_returned(ecg: Signal) -> None:
    assert median_beat(ecg, ALL, RATE_HZ).shape == (12, 0)


def annotated_r_s(annotations: Path, record: str) -> Signal:
    """Return the times of the annotated QRS complexes: the median over the leads that agree."""
    marks = []
    for lead in LEADS:
        annotation = wfdb.rdann(str(annotations / record), lead.lower())
        marks.append(annotation.sample[np.array(annotation.symbol) == "N"] / 500)
    usual = np.bincount([len(mark) for mark in marks]).argmax()
    return np.asarray(np.median([mark for mark in marks if len(mark) == usual], axis=0))


@pytest.mark.slow
def test_annotated_beats_of_ludb_are_found(corpora: Path, unpack: Callable[[str], Path]) -> None:
    annotations = unpack("ludb/annotations.tar.xz") / "data"
    n_annotated = n_found = n_detected = n_right = 0
    for header in sorted((corpora / "ludb/data").glob("*.hea")):
        ecg = np.nan_to_num(wfdb.rdrecord(str(header.with_suffix(""))).p_signal.T)
        ecg = band_filter(
            ecg.astype(np.float32), sampling_rate_hz=500, low_hz=0.5, high_hz=40, powerline_hz=None
        )
        truth = annotated_r_s(annotations, header.stem)
        found = find_r_peaks(ecg, 500) / 500
        # The first and the last beats of a recording are often not annotated.
        found = found[(found > truth[0] - 0.15) & (found < truth[-1] + 0.15)]
        close = np.abs(found[:, None] - truth) <= 0.075
        n_annotated, n_found = n_annotated + len(truth), n_found + close.any(0).sum()
        n_detected, n_right = n_detected + len(found), n_right + close.any(1).sum()
    print(f"sensitivity {n_found / n_annotated:.4f}, predictivity {n_right / n_detected:.4f}")
    assert n_annotated == 1831
    assert n_found / n_annotated > 0.99
    assert n_right / n_detected > 0.99
