"""`lsemvae.encode`: arrays in, the features of a store out."""

import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from data_modules.base import StoreDataModule
from data_modules.store.read import EcgStore
from lsemvae import encode
from lsemvae.core.errors import InputError
from lsemvae.core.leads import LEADS, LIMB_LEADS
from lsemvae.crossval.features import encode_all
from lsemvae.encoding.arrays import settings_of
from lsemvae.models import load_pretrained
from tests.encoding.conftest import N


@pytest.fixture(scope="module")
def features(recordings_array: tuple[np.ndarray, float], encoder: Path) -> np.ndarray:
    return encode(*recordings_array, 12, encoder=str(encoder), batch_size=5)


@pytest.mark.parametrize("leads", [12, 6])
def test_features_are_those_of_prepare_and_a_store(
    leads: int, recordings_array: tuple[np.ndarray, float], cohort: Path, encoder: Path
) -> None:
    pretrained = load_pretrained(str(encoder))
    normalisation = pretrained.data.ecg_input.normalisation
    data = StoreDataModule(
        str(cohort), leads=leads, normalisation=normalisation, batch_size=8, num_workers=0
    )
    expected = encode_all(pretrained, data)[:N]
    found = encode(*recordings_array, 12, encoder=str(encoder), use=leads)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_order_spelling_and_unit_of_the_leads_change_nothing(
    recordings_array: tuple[np.ndarray, float], features: np.ndarray, encoder: Path
) -> None:
    ecg, rate = recordings_array
    order = np.random.default_rng(0).permutation(12)
    names = [LEADS[place].upper() for place in order]
    found = encode(ecg[:, order] * 1000, rate, names, encoder=str(encoder), unit="uV")
    np.testing.assert_allclose(found, features, rtol=1e-4, atol=1e-5)
    text = encode(ecg[:, order], rate, ",".join(names), encoder=str(encoder))
    np.testing.assert_allclose(text, features, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (lambda ecg: ecg[:, [1, 0, *range(2, 12)]], "it fits if I and II are exchanged"),
        (lambda ecg: ecg / 10, "times that of usual recordings"),
    ],
)
def test_leads_in_another_order_or_amplitudes_of_no_heart_are_told(
    recordings_array: tuple[np.ndarray, float], encoder: Path, told: str,
    wrong: Callable[[np.ndarray], np.ndarray],
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    ecg, rate = recordings_array
    encode(ecg, rate, 12, encoder=str(encoder))
    assert capsys.readouterr().out == ""
    encode(wrong(ecg), rate, 12, encoder=str(encoder))
    said = " ".join(capsys.readouterr().out.split())
    assert f"{len(ecg)} recordings of {len(ecg)} are doubtful, as recording 0: " in said
    assert told in said


def test_chest_leads_that_are_missing_are_as_if_they_were_not_in_the_array(
    recordings_array: tuple[np.ndarray, float], encoder: Path
) -> None:
    ecg, rate = recordings_array
    limb = encode(ecg[:, :6], rate, list(LIMB_LEADS), encoder=str(encoder))
    masked = ecg.copy()
    masked[:, 6:] = np.nan
    np.testing.assert_array_equal(limb, encode(masked, rate, 12, encoder=str(encoder)))
    assert np.isfinite(limb).all()


def test_a_recording_that_cannot_be_used_is_named_or_left_empty(
    recordings_array: tuple[np.ndarray, float], features: np.ndarray, encoder: Path
) -> None:
    ecg, rate = recordings_array[0].copy(), recordings_array[1]
    ecg[7] = 0.37  # flat in every lead
    with pytest.raises(InputError, match="recording 7: no usable lead"):
        encode(ecg, rate, 12, encoder=str(encoder))
    found = encode(ecg, rate, 12, encoder=str(encoder), bad="nan")
    assert np.isnan(found[7]).all()
    others = np.arange(N) != 7
    np.testing.assert_allclose(found[others], features[others], rtol=1e-5, atol=1e-6)


def test_memory_holds_a_batch_and_not_the_array(
    recordings_array: tuple[np.ndarray, float], encoder: Path, tmp_path: Path
) -> None:
    ecg, rate = recordings_array
    np.save(tmp_path / "ecg.npy", np.tile(ecg, (16, 1, 1)))
    mapped = np.load(tmp_path / "ecg.npy", mmap_mode="r")
    encode(mapped[:4], rate, 12, encoder=str(encoder))  # what is loaded once
    tracemalloc.start()
    try:
        encode(mapped, rate, 12, encoder=str(encoder), batch_size=8)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < mapped.nbytes / 4


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"ecg": np.zeros((12, 5000))}, r"expected recordings \(N, 12 leads, T samples\)"),
        ({"ecg": np.zeros((2, 8, 5000))}, "expected recordings"),
        ({"ecg": np.full((1, 12, 5000), "a")}, "expected numbers"),
        ({"leads": ["I", "II", "XYZ"]}, "unknown leads 'XYZ'"),
        ({"leads": ["I", "I"]}, "occurs twice"),
        ({"leads": []}, "leads is empty"),
        ({"sampling_rate_hz": 5}, "the sampling rate is 5"),
        ({"unit": "bar"}, "unit must be mV"),
        ({"unit": "arbitrary"}, "trained on recordings in mV"),
        ({"bad": "skip"}, "bad must be raise or nan"),
        ({"ecg": np.zeros((1, 12, 500))}, "recording 0: it lasts 1 s"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(
    change: dict[str, object], message: str, encoder: Path
) -> None:
    given = {"ecg": np.zeros((1, 12, 5000)), "sampling_rate_hz": 500, "leads": 12,
             "encoder": str(encoder)} | change  # fmt: skip
    with pytest.raises(InputError, match=message) as caught:
        encode(**given)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)


def test_settings_are_those_that_make_the_encoders_input(encoder: Path, cohort: Path) -> None:
    settings = settings_of(load_pretrained(str(encoder)).data.ecg_input)
    made = EcgStore(cohort).settings
    for name in ("sampling_rate_hz", "low_hz", "high_hz", "segment", "powerline_hz", "max_gap_s"):
        assert getattr(settings, name) == made[name]
