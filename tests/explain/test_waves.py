import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import wfdb
from neurokit2 import ecg_delineate

from data_modules.signals.band_filter import band_filter
from data_modules.signals.median_beat import find_r_peaks
from data_modules.simulation.ecg import simulate_ecg
from data_modules.simulation.heart import draw_patients
from lsemvae.core.leads import LEADS
from lsemvae.explain.delineation import delineate
from lsemvae.explain.waves import WAVES, label_waves, wave_shares
from tests.data_modules.conftest import corpora, unpack  # noqa: F401

P, QRS, T, OTHER = range(4)
LUDB_WAVES = {"p": P, "N": QRS, "t": T}


def healthy_ecg(rate_hz: float) -> "np.ndarray[tuple[int, int], np.dtype[np.float32]]":
    """Return a recording of a healthy heart at 60 per minute without noise."""
    one = np.ones(1)
    patients = draw_patients(
        60 * one, rv_strain=0 * one, left_strain=0 * one, age_years=60 * one,
        atrial_fibrillation=np.zeros(1, bool), rng=np.random.default_rng(0),
    )  # fmt: skip
    ecg = simulate_ecg(patients, sampling_rate_hz=rate_hz, noise=0.0, rng=np.random.default_rng(1))[
        0
    ]
    return ecg - np.median(ecg, axis=-1, keepdims=True)


@pytest.mark.parametrize("rate_hz", [100.0, 250.0, 500.0])
def test_waves_of_a_synthetic_heart_are_found_where_they_were_put(rate_hz: float) -> None:
    ecg = healthy_ecg(rate_hz)
    peaks = find_r_peaks(ecg, rate_hz)
    labels = label_waves(ecg, peaks.tolist(), rate_hz)

    def at(delay_s: float) -> set[int]:
        return set(labels[peaks[1:-1] + round(delay_s * rate_hz)].tolist())

    # The heart's P waves peak 165 and 130 ms before the R peak, its T wave 290 ms after it.
    assert at(-0.145) == {P}
    assert at(0.0) == {QRS}
    assert at(0.28) == {T}
    assert at(-0.30) == {OTHER}


def test_half_of_the_leads_decide() -> None:
    ecg = healthy_ecg(250.0)
    peaks = find_r_peaks(ecg, 250.0).tolist()
    noise = np.random.default_rng(2).normal(0, 0.3, (5, ecg.shape[-1]))
    calm = label_waves(ecg, peaks, 250.0)
    disturbed = label_waves(np.concatenate([ecg[:7], noise]), peaks, 250.0)
    assert (calm == disturbed).mean() > 0.9


def test_no_library_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "neurokit2", None)
    assert set(label_waves(healthy_ecg(100.0), [50, 150, 250], 100.0)) == {P, QRS, T, OTHER}


@pytest.mark.parametrize(("rate_hz", "noise", "digits"), [(100.0, 0.0, 9), (250.0, 0.3, 1)])
def test_marks_are_those_of_neurokit(rate_hz: float, noise: float, digits: int) -> None:
    rng = np.random.default_rng(4)  # rounded: plateaus, and prominences that are equal
    ecg = healthy_ecg(rate_hz)[::4]
    ecg = np.round(ecg + noise * rng.normal(size=ecg.shape), digits).astype(np.float32)
    peaks = find_r_peaks(healthy_ecg(rate_hz), rate_hz)
    found = delineate(ecg, peaks, rate_hz)
    for row, lead in enumerate(ecg):
        _, theirs = ecg_delineate(lead, peaks, sampling_rate=rate_hz, method="prominence")
        for name, at in found.items():
            assert at[row].shape == peaks.shape
            reference = np.asarray(theirs[f"ECG_{name}"], float)
            known, expected = (each[np.isfinite(each)] for each in (at[row], reference))
            np.testing.assert_array_equal(known, expected)
            assert len(known) > 0


def test_a_flat_lead_has_no_marks() -> None:
    found = delineate(np.zeros((1, 400), np.float32), np.array([50, 150, 250]), 100.0)
    assert all(np.isnan(at).all() for at in found.values())


def test_shares_of_waves_by_hand() -> None:
    value = np.array([[[1.0, -2.0, 0.0, 1.0], [0.0, 4.0, -2.0, 0.0]]])
    share, time_share = wave_shares(value, np.array([[P, QRS, QRS, OTHER]], np.int8))
    assert share[0].tolist() == [[0.1, 0.2, 0.0, 0.1], [0.0, 0.6, 0.0, 0.0]]
    assert time_share[0].tolist() == [0.25, 0.5, 0.0, 0.25]


def test_shares_of_a_record_sum_to_one() -> None:
    rng = np.random.default_rng(3)
    labels = rng.integers(0, len(WAVES), (5, 50)).astype(np.int8)
    share, time_share = wave_shares(rng.normal(size=(5, 12, 50)), labels)
    assert share.sum((1, 2)) == pytest.approx(1.0)
    assert time_share.sum(1) == pytest.approx(1.0)


def annotated(annotations: Path, record: str, lead: str) -> dict[int, int]:
    """Return the wave of every sample from the first to the last mark."""
    marks = wfdb.rdann(str(annotations / record), lead.lower())
    waves = np.full(marks.sample[-1] + 1, OTHER)
    begin, wave = None, None
    for sample, symbol in zip(marks.sample, marks.symbol, strict=True):
        if symbol == "(":
            begin = sample
        elif symbol in LUDB_WAVES:
            wave = LUDB_WAVES[symbol]
        elif begin is not None and wave is not None:
            waves[begin : sample + 1] = wave
            begin, wave = None, None
    return dict(enumerate(waves[marks.sample[0] :].tolist(), start=int(marks.sample[0])))


@pytest.mark.slow
def test_waves_of_ludb_are_found(
    corpora: Path,  # noqa: F811
    unpack: Callable[[str], Path],  # noqa: F811
) -> None:
    annotations = unpack("ludb/annotations.tar.xz") / "data"
    counts = np.zeros((3, 3))  # by wave: right, found, annotated samples
    for header in sorted((corpora / "ludb/data").glob("*.hea"))[::12]:
        ecg = np.nan_to_num(wfdb.rdrecord(str(header.with_suffix(""))).p_signal.T)
        ecg = band_filter(
            ecg.astype(np.float32), sampling_rate_hz=500, low_hz=0.5, high_hz=40, powerline_hz=None
        )
        found = label_waves(ecg, find_r_peaks(ecg, 500).tolist(), 500.0)
        for lead in LEADS:
            truth = annotated(annotations, header.stem, lead)
            true, own = np.array(list(truth.values())), found[list(truth)]
            for wave in (P, QRS, T):
                pair = true == wave, own == wave
                counts[wave] += (pair[0] & pair[1]).sum(), pair[1].sum(), pair[0].sum()
    recall, precision = counts[:, 0] / counts[:, 2], counts[:, 0] / counts[:, 1]
    print(f"recall {recall.round(3)}, precision {precision.round(3)}")
    assert (recall > [0.75, 0.87, 0.83]).all()
    assert (precision > [0.72, 0.83, 0.79]).all()
