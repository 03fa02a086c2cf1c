import pytest
import torch

from benchmarks.median_beats import MedianBeatReader, markdown
from lsemvae.core.leads import LIMB_LEADS
from lsemvae.models import BeatLsEmvae
from tests.nn.test_heart_beats import recording


def test_where_all_beats_are_alike_the_median_beat_says_the_same() -> None:
    torch.manual_seed(0)
    network, ecg = BeatLsEmvae(1000, 4).eval(), recording(list(range(100, 950, 100)))[:, :6]
    reader = MedianBeatReader(network).eval()
    whole, median = (each.encode(ecg, LIMB_LEADS) for each in (network, reader))
    assert median.shape == (1, reader.feature_dim(LIMB_LEADS))
    spread_and_rhythm = [*range(4, 8), *range(whole.shape[1] - 8, whole.shape[1])]
    shared = [n for n in range(whole.shape[1]) if n not in spread_and_rhythm]
    torch.testing.assert_close(median, whole[:, shared], atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize(("difference", "n_within"), [(-0.019, 1), (-0.021, 0), (0.1, 1)])
def test_lines_within_the_margin_are_counted(difference: float, n_within: int) -> None:
    low, high = difference - 0.01, difference + 0.01
    line = {"task": "CD", "leads": "12L", "whole": 0.9, "median": 0.9 - difference}
    line |= {"difference": difference, "low": low, "high": high}
    said = markdown([line], 3)
    assert f"{difference:+.3f} [{low:+.3f}, {high:+.3f}]" in said
    assert f"on {n_within} of 1 lines" in said
