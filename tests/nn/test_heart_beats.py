"""Beats are found where they were put, whatever the leads, and counted into the right rhythm."""

import numpy as np
import pytest
import torch
from torch import Tensor

from data_modules.signals.median_beat import find_r_peaks, median_beat
from lsemvae.core.errors import InputError
from lsemvae.nn.heart_beats import (
    BeatWindow,
    cut_beats,
    find_beats,
    median_of_beats,
    rhythm_figures,
)

RATE = 100.0
WINDOW = BeatWindow()


def recording(peaks: list[int], n_samples: int = 1000, n_leads: int = 12) -> Tensor:
    """Return (1, L, T): narrow R waves of a different height in each lead, and a slow T wave."""
    time = torch.arange(n_samples, dtype=torch.float32)
    at = torch.tensor(peaks, dtype=torch.float32)[:, None]
    r_wave = torch.exp(-0.5 * ((time - at) / 1.5).square()).sum(0)
    t_wave = 0.2 * torch.exp(-0.5 * ((time - at - 28) / 6.0).square()).sum(0)
    height = torch.linspace(0.5, 1.5, n_leads)[:, None]
    ecg = height * r_wave + t_wave
    return (ecg - ecg.mean(-1, keepdim=True)).unsqueeze(0)


def everything(ecg: Tensor) -> Tensor:
    return torch.ones(ecg.shape[:2], dtype=torch.bool)


def test_beats_are_found_where_they_were_put() -> None:
    peaks = [90, 175, 270, 350, 440, 530, 610, 700, 790]
    ecg = recording(peaks)
    found = find_beats(ecg, everything(ecg), WINDOW)
    assert found.place[found.valid].tolist() == pytest.approx(peaks, abs=1)
    beats = cut_beats(ecg, found.place, WINDOW)
    assert beats.shape == (1, 9, 12, 120)
    assert (beats[0, :, -1].argmax(-1) - WINDOW.before).abs().max() <= 1


def test_they_are_the_beats_that_prepare_takes() -> None:
    torch.manual_seed(0)
    ecg = recording([95, 180, 262, 350, 431, 520, 611, 700, 801, 880])
    ecg = ecg + 0.03 * torch.randn_like(ecg)
    found = find_beats(ecg, everything(ecg), WINDOW)
    plain = find_r_peaks(ecg[0].numpy(), RATE)
    np.testing.assert_allclose(found.peak[0].nonzero()[:, 0].numpy(), plain, atol=1)
    typical = median_of_beats(cut_beats(ecg, found.place, WINDOW), found.valid)[0]
    expected = median_beat(ecg[0].numpy(), np.ones(12, bool), RATE)
    assert np.abs(typical.numpy() - expected).mean() < 0.01


def test_a_recording_in_a_batch_has_the_beats_that_it_has_alone() -> None:
    slow, fast = recording([200, 400, 600, 800]), recording(list(range(80, 960, 60)))
    both = torch.cat([slow, fast])
    together = find_beats(both, everything(both), WINDOW)
    for number, ecg in enumerate((slow, fast)):
        alone = find_beats(ecg, everything(ecg), WINDOW)
        assert together.place[number][together.valid[number]].tolist() == alone.place[0].tolist()


def test_absent_leads_have_no_say() -> None:
    ecg = recording([150, 300, 450, 600, 750])
    present = everything(ecg)
    present[:, 3:] = False
    hidden = torch.where(present.unsqueeze(-1), ecg, 0.0)
    some, alone = (
        find_beats(hidden, present, WINDOW),
        find_beats(ecg[:, :3], present[:, :3], WINDOW),
    )
    assert torch.equal(some.place, alone.place)


def test_a_recording_without_a_peak_still_has_one_beat() -> None:
    flat = torch.zeros(1, 12, 1000)
    found = find_beats(flat, everything(flat), WINDOW)
    assert found.valid.sum() == 1
    assert rhythm_figures(torch.zeros(1, 1000, dtype=torch.bool), RATE).eq(0).all()


def test_rhythm_figures_of_hand_made_intervals() -> None:
    peak = torch.zeros(1, 1000, dtype=torch.bool)
    peak[0, [100, 180, 280, 360]] = True  # RR .8, 1, .8 s
    figures = rhythm_figures(peak, RATE)[0]
    sd = np.std([0.8, 1.0, 0.8])
    expected = [np.log(0.8), sd / np.mean([0.8, 1.0, 0.8]), 0.2 / 0.8, 0.2 / 0.8, 1.0, 1.0 / 0.8,
                1.0, np.log(5)]  # fmt: skip
    np.testing.assert_allclose(figures.numpy(), expected, rtol=1e-5)


def test_too_short_recordings_are_refused() -> None:
    with pytest.raises(InputError, match="recordings of 120 samples hold no beat of 120"):
        WINDOW.inner(120)
