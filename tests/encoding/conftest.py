"""Recordings of the synthetic cohort as arrays, as their files hold them."""

from pathlib import Path

import numpy as np
import pytest

from data_modules.reading.read import read_recording
from data_modules.store.read import EcgStore
from lsemvae.core.leads import LEADS

N = 12


@pytest.fixture(scope="module")
def recordings_array(recordings: Path, cohort: Path) -> tuple[np.ndarray, float]:
    """Return the first recordings of the cohort's store (N, 12, T) in mV, and their rate."""
    names = EcgStore(cohort).table["record"][:N]
    read = [read_recording(recordings / "cohort/records", name, amplitude="calibrated")
            for name in names]  # fmt: skip
    assert all(one.leads == LEADS for one in read)
    return np.stack([one.ecg for one in read]), read[0].sampling_rate_hz
