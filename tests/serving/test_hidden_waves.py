"""What a straight line in place of a wave moves."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from starlette.testclient import TestClient

from lsemvae.model_file.description import Skill
from lsemvae.predicting.sources import Loader, Source
from lsemvae.serving.hidden_waves import WINDOWS, hide_each_wave, window_spans
from tests.serving.conftest import WEIGHTS, PeakModel, ecg, send, text_of, visit


def waves_of(text: str) -> dict[str, tuple[float, int]]:
    """Return change of the log-odds and share, per cent, of each wave that a page shows."""
    found = re.findall(r" (P wave|QRS complex|ST and T wave) ([+-]\d\.\d\d) (\d+) %", text)
    return {name: (float(moved), int(share)) for name, moved, share in found}


def test_the_wave_that_holds_the_peaks_moves_what_the_peaks_weigh(
    browser: TestClient, model: PeakModel, tmp_path: Path
) -> None:
    send(browser, ecg("anna"))
    waves = waves_of(text_of(browser.get("/recordings/1")))
    for name, content in ecg("anna").items():
        (tmp_path / name).write_bytes(content)
    signal = Loader(model.description).load(Source("anna", tmp_path / "anna")).ecg / 1000
    phase = np.arange(1000) / 100 % 1.0 - 0.4  # R waves are a second apart, there is no P wave
    moved = {}
    for name, hidden in {
        "QRS complex": np.abs(phase) < 0.06,
        "ST and T wave": (phase > 0.06) & (phase < 0.42),
    }.items():
        rest = np.where(hidden, 0.0, np.abs(signal)).max(-1)
        moved[name] = float((np.abs(signal).max(-1) - rest) @ WEIGHTS)
        assert waves[name][0] == pytest.approx(moved[name], abs=0.03)
    total = sum(map(abs, moved.values()))
    assert waves["QRS complex"][1] == pytest.approx(100 * moved["QRS complex"] / total, abs=2)
    assert waves["P wave"] == (0.0, 0)


def test_windows_lie_about_their_r_peak_and_never_in_each_other() -> None:
    for rr in (25, 40, 60, 100, 170):
        peaks = np.arange(60, 900, rr)
        spans = sorted(span for one in WINDOWS for span in window_spans(one, peaks, 100.0))
        ends = np.array([last for _, last in spans[:-1]])
        assert (np.array([first for first, _ in spans[1:]]) >= ends).all()
    assert window_spans(WINDOWS[1], np.array([45]), 100.0) == [(39, 51)]
    assert window_spans(WINDOWS[0], np.array([100, 150, 400]), 100.0)[1] == (130, 144)


def test_a_network_that_finds_beats_is_not_asked_for_the_qrs(model: PeakModel) -> None:
    model.description = replace(model.description, networks=[{"class": "BeatLsEmvae"}])
    with visit(model) as client:
        send(client, ecg("anna"))
        shown = text_of(client.get("/recordings/1"))
    assert set(waves_of(shown)) == {"P wave", "ST and T wave"}
    assert "this model finds the beats by it" in shown


@pytest.mark.parametrize(("low", "shown"), [(0.49, False), (None, False), (0.51, True)])
def test_what_moves_a_guess_is_not_told(model: PeakModel, low: float | None, shown: bool) -> None:
    model.description = replace(model.description, skill=Skill(0.6, low, 0.7))
    with visit(model) as client:
        send(client, ecg("anna"))
        text = text_of(client.get("/recordings/1"))
    assert bool(waves_of(text)) == shown
    assert ("Change of log-odds" in text) == shown
    assert ("What moves a guess means nothing" in text) == (not shown)
    assert ("cannot be told from chance (AUROC 0.600 [0.490, 0.700])" in text) == (low == 0.49)


def test_a_median_beat_is_hidden_about_its_own_r_peak(model: PeakModel, tmp_path: Path) -> None:
    model.description.signal["segment"] = "median_beat"
    for name, content in ecg("anna").items():
        (tmp_path / name).write_bytes(content)
    loaded = Loader(model.description).load(Source("anna", tmp_path / "anna"))
    moved = {one.hidden.name: one.share for one in hide_each_wave(model, loaded)}
    assert moved["P wave"] < 0.01
    assert min(moved["QRS complex"], moved["ST and T wave"]) > 0.3
