"""What an exported graph computes of heartbeats is what the network computes."""

import numpy as np
import pytest
import torch
from torch import Tensor

from lsemvae.core.leads import LEADS
from lsemvae.models import BeatLsEmvae
from lsemvae.nn.beats_in_graphs import band_kernel, likeness_by_lag
from lsemvae.nn.heart_beats import BeatWindow, find_beats, most_peaks, qrs_energy
from tests.nn.test_heart_beats import recording

WINDOW = BeatWindow()


@pytest.fixture
def ecg() -> Tensor:
    """Return recordings of unlike rates, the first as fast as peaks can follow one another."""
    torch.manual_seed(0)
    peaks = (list(range(20, 1000, 30)), [130, 300, 480, 660], [90, 175, 350, 440, 610, 700, 790])
    clean = torch.cat([recording(one) for one in peaks])
    return clean + 0.05 * torch.randn_like(clean)


def exporting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the forms of a graph."""
    monkeypatch.setattr(torch.compiler, "is_exporting", lambda: True)


def test_a_graph_finds_the_same_beats(ecg: Tensor, monkeypatch: pytest.MonkeyPatch) -> None:
    present = torch.rand(3, 12) < 0.5
    present[:, 4] = True
    shown = torch.where(present.unsqueeze(-1), ecg, 0.0)
    expected, energy = find_beats(shown, present, WINDOW), qrs_energy(shown, present, 100.0)
    exporting(monkeypatch)
    torch.testing.assert_close(
        qrs_energy(shown, present, 100.0), energy, atol=1e-6 * float(energy.max()), rtol=0
    )
    found = find_beats(shown, present, WINDOW)
    assert found.place.shape[1] == WINDOW.most_beats(1000) == 29
    assert torch.equal(found.peak, expected.peak)
    for mine, theirs in zip(range(3), range(3), strict=True):
        assert found.place[mine][found.valid[mine]].tolist() == (
            expected.place[theirs][expected.valid[theirs]].tolist()
        )


def test_a_graph_gives_the_same_features_for_any_leads(
    ecg: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(1)
    network, present = BeatLsEmvae(1000, 4).eval(), torch.rand(3, 12) < 0.6
    present[:, 1] = True
    with torch.inference_mode():
        features, unsure = network.encode_with_uncertainty(ecg, LEADS, present)
        exporting(monkeypatch)
        found, found_unsure = network.encode_with_uncertainty(ecg, LEADS, present)
    torch.testing.assert_close(found, features, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(found_unsure, unsure, atol=1e-5, rtol=1e-5)


def test_no_recording_has_more_peaks_than_a_graph_has_places() -> None:
    assert most_peaks(1, 100.0) == 1
    assert most_peaks(31, 100.0) == 2  # 30 samples apart
    assert most_peaks(30, 100.0) == 1


def test_what_is_cut_off_the_band_filter_is_nothing() -> None:
    whole = band_kernel(1200, 100.0, (8.0, 25.0), 599)
    assert np.abs(whole[np.abs(np.arange(-599, 600)) > 100]).max() < 3e-6 * np.abs(whole).max()


def test_likeness_by_lag_is_the_sum_of_products() -> None:
    around, typical = torch.randn(2, 3, 4, 9), torch.randn(2, 4, 5)
    expected = torch.stack(
        [(around[..., lag : lag + 5] * typical.unsqueeze(1)).sum((2, 3)) for lag in range(5)], -1
    )
    torch.testing.assert_close(likeness_by_lag(around, typical), expected)
