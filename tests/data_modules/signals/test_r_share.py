"""R / (R + S) of beats drawn by hand, and of recordings with a known V1."""

import numpy as np
import pytest

from data_modules.signals.r_share import r_share
from data_modules.signals.settings import BEFORE_R_S

RATE = 500.0


def beat(r: float, s: float, level: float = 0.0) -> np.ndarray:
    """Return 1.2 s with an R wave of r and an S wave of s 30 ms later, on a level."""
    time = np.arange(600) / RATE - BEFORE_R_S
    waves = r * np.maximum(1 - np.abs(time) / 0.015, 0)
    waves -= s * np.maximum(1 - np.abs(time - 0.03) / 0.015, 0)
    return level + waves + 0.2 * np.exp(-(((time - 0.3) / 0.05) ** 2))  # a T wave


@pytest.mark.parametrize("level", [0.0, 0.4])
def test_the_share_is_that_of_the_waves_whatever_the_level(level: float) -> None:
    found = r_share(np.stack([beat(0.3, 0.9, level), beat(0.5, 0.0, level)]), RATE)
    assert found == pytest.approx([0.25, 1.0], abs=1e-6)


def test_unit_and_sign_matter_as_they_should() -> None:
    one = beat(0.3, 0.9)
    assert r_share(1000 * one, RATE) == pytest.approx(r_share(one, RATE))
    flipped = r_share(-one, RATE)  # R and S change places
    assert flipped == pytest.approx(0.75, abs=1e-6)


def test_no_wave_and_no_beat_have_no_share() -> None:
    assert np.isnan(r_share(np.zeros((2, 600)), RATE)).all()
    assert np.isnan(r_share(np.zeros((2, 0)), RATE)).all()
    assert np.isnan(r_share(np.full((1, 600), np.nan), RATE)).all()
