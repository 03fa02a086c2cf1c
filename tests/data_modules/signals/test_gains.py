import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.recording_files import make_counts, wfdb_files
from data_modules.signals.gains import USUAL_MV, adc_step, gain_doubts, relative_amplitude
from lsemvae.cli import main
from tests.conftest import BEATS

RATE = 100


def usual_ecg(times: float = 1.0, *, seconds: int = 10) -> np.ndarray:
    """Return counts (1, 12, T) whose leads have `times` their usual peak-to-peak amplitudes."""
    wave = np.sin(2 * np.pi * 2 * np.arange(seconds * RATE) / RATE + np.pi / 8)
    wave = (wave - wave.min()) / np.ptp(wave) - 0.5
    return np.rint(1000 * times * np.outer(list(USUAL_MV.values()), wave))[None].astype(np.int16)


def amplitude_of(ecg: np.ndarray, present: np.ndarray | None = None) -> float:
    flags = np.ones((1, 12), bool) if present is None else present[None]
    return float(relative_amplitude(ecg, flags, sampling_rate_hz=RATE)[0])


@pytest.mark.parametrize("times", [0.25, 1.0, 3.0])
def test_amplitude_is_the_factor_from_usual_leads(times: float) -> None:
    assert amplitude_of(usual_ecg(times)) == pytest.approx(times, rel=0.01)


def test_absent_leads_padding_and_one_artefact_change_nothing() -> None:
    ecg, present = usual_ecg(), np.ones(12, bool)
    present[5:] = False
    ecg[:, 5:] = 0
    ecg[:, :, 400:] = 0  # six of ten seconds are padding
    ecg[:, 0, 50] = 9000
    assert amplitude_of(ecg, present) == pytest.approx(1, rel=0.01)


def test_recording_without_a_lead_has_no_amplitude() -> None:
    assert np.isnan(amplitude_of(usual_ecg(), np.zeros(12, bool)))


def test_step_is_that_of_the_adc() -> None:
    counts = np.random.default_rng(0).integers(-300, 300, (3, 5000))
    counts[0] = 7
    assert adc_step((counts * 0.005).astype(np.float32)) == pytest.approx(0.005)
    assert adc_step(np.zeros((2, 10), np.float32)) is None
    assert adc_step(np.full((2, 10), np.nan, np.float32)) is None


def hearts(n: int = 200, sd: float = 0.3, seed: int = 0) -> np.ndarray:
    return np.exp(np.random.default_rng(seed).normal(0, sd, n))


def test_sound_cohort_raises_no_doubt() -> None:
    found = gain_doubts(hearts(), np.full(200, 0.005))
    assert (found.outlying, found.cohort) == ({}, "")
    assert found.median == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize("factor", [6.0, 1 / 6.0])
def test_gain_wrong_by_six_is_found_by_the_amplitude_alone(factor: float) -> None:
    amplitude = hearts()
    amplitude[7] = factor
    assert list(gain_doubts(amplitude).outlying) == [7]


@pytest.mark.parametrize("factor", [2.0, 0.5])
def test_gain_wrong_by_two_is_found_where_the_adc_step_tells_it_too(factor: float) -> None:
    amplitude, step = hearts(), np.full(200, 0.005)
    amplitude[7], step[7] = factor, 0.005 * factor
    assert gain_doubts(amplitude).outlying == {}
    assert list(gain_doubts(amplitude, step).outlying) == [7]
    amplitude[7] = 1.0  # another device of the right gain
    assert gain_doubts(amplitude, step).outlying == {}


def test_mixed_devices_are_judged_by_the_amplitude_alone() -> None:
    amplitude, step = hearts(), np.repeat([0.005, 0.001], 100)
    assert gain_doubts(amplitude, step).outlying == {}


@pytest.mark.parametrize("factor", [2.0, 0.5, 6.0])
def test_cohort_that_is_off_as_a_whole_is_found(factor: float) -> None:
    found = gain_doubts(factor * hearts())
    assert "gain and unit of the whole set" in found.cohort
    assert found.outlying == {}


@pytest.mark.parametrize("factor", [2, 5, 10])
def test_a_device_whose_gain_is_wrong_is_found_beside_another_device(factor: float) -> None:
    amplitude, step = hearts(60), np.full(60, 0.001)
    assert gain_doubts(amplitude, step).cohort == ""
    step[30:] *= factor
    assert gain_doubts(amplitude, step).cohort == ""  # another step, the same hearts
    amplitude[30:] *= factor
    told = gain_doubts(amplitude, step).cohort
    assert f"30 recordings with an ADC step of {0.001 * factor:g} mV have" in told
    assert "the amplitude of the 30 with 0.001 mV" in told
    few = gain_doubts(amplitude[:39], step[:39])
    assert "ADC step" not in few.cohort  # nine recordings are too few


def test_half_a_cohort_that_is_off_by_ten_does_not_hide_in_the_spread() -> None:
    amplitude = hearts(60)
    amplitude[31:] *= 10
    assert {*range(31, 60)} == set(gain_doubts(amplitude).outlying)


def test_few_recordings_are_compared_with_usual_ones() -> None:
    assert gain_doubts(np.array([1.0] * 18 + [3.0])).outlying == {}
    found = gain_doubts(np.array([1.0, 9.0, np.nan, 0.1])).outlying
    assert list(found) == [1, 3]
    assert "9 times that of usual recordings (0.21 to 4.8 expected)" in found[1]


@given(st.floats(0.1, 10))
def test_who_is_outlying_does_not_depend_on_the_common_gain(factor: float) -> None:
    amplitude = hearts(60)
    amplitude[3] = 20
    assert list(gain_doubts(amplitude * factor).outlying) == [3]


def planted(recordings: Path, folder: Path, gains: dict[str, float]) -> tuple[int, Path]:
    """Divide gains in headers, so that amplitudes are multiplied, and prepare a store."""
    source, out = folder / "records", folder / "store.h5"
    shutil.copytree(recordings / "cohort/records", source)
    for record, factor in gains.items():
        header = source / f"{record}.hea"
        text = header.read_text()
        assert "1000.0(0)/mV" in text
        header.write_text(text.replace("1000.0(0)/mV", f"{1000 / factor:.6g}(0)/mV"))
    table = recordings / "cohort/cohort.csv"
    arguments = ["--table", str(table), "--source", str(source), "--out", str(out)]
    return main(["prepare", "cohort", *arguments, *BEATS]), out


def test_wrong_gains_of_two_records_are_told_by_every_command(
    recordings: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = pd.read_csv(recordings / "cohort/cohort.csv", dtype=str)["record"]
    code, store = planted(recordings, tmp_path, {names[3]: 4.0, names[8]: 1 / 3})
    assert code == 0
    assert "gain_doubtful 2" in capsys.readouterr().out
    quarantine = pd.read_csv(f"{store}.quarantine.csv", dtype=str)
    doubted = quarantine[quarantine["code"] == "gain_doubtful"]["record"].tolist()
    assert doubted == [names[3], names[8]]
    assert main(["check", "cohort", "--store", str(store)]) == 1
    text = capsys.readouterr().out
    assert f"{names[3]}: amplitude" in text
    assert f"{names[8]}: amplitude" in text
    assert main(["inspect", str(store)]) == 0
    assert "gain_doubtful 2" in capsys.readouterr().out


def test_wrong_gain_of_the_whole_set_is_told_by_every_command(
    recordings: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = pd.read_csv(recordings / "cohort/cohort.csv", dtype=str)["record"]
    code, store = planted(recordings, tmp_path, dict.fromkeys(names, 2.0))
    assert code == 0
    wanted = "look at the gain and unit of the whole set"
    assert wanted in capsys.readouterr().out
    assert main(["check", "cohort", "--store", str(store)]) == 1
    assert wanted in capsys.readouterr().out
    assert main(["inspect", str(store)]) == 0
    assert wanted in capsys.readouterr().out


def test_leads_scaled_one_by_one_are_one_finding(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = ["record,patient_id"]
    for k in range(3):
        counts = np.roll(make_counts(n_samples=2500), 5 * k, axis=0).astype(np.float64)
        counts *= 200 / np.ptp(counts, axis=1, keepdims=True)
        (tmp_path / f"p{k}").mkdir()
        for name, content in wfdb_files(np.rint(counts).astype(np.int16)).items():
            (tmp_path / f"p{k}" / name).write_bytes(content)
        rows.append(f"p{k}/r1,{k}")
    (tmp_path / "t.csv").write_text("\n".join(rows))
    out = tmp_path / "s.h5"
    arguments = ["--table", str(tmp_path / "t.csv"), "--source", str(tmp_path), "--out", str(out)]
    assert main(["prepare", "cohort", *arguments]) == 0
    assert "gain_doubtful" not in capsys.readouterr().out
    assert main(["check", "cohort", "--store", str(out)]) == 1
    text = capsys.readouterr().out
    assert "3 of 3 recordings have leads that were scaled one by one" in text
    assert "1 finding" in text
