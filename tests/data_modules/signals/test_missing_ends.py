"""Samples that a device did not store at an end: the rest of the recording is kept as it is."""

import numpy as np
import pytest

from data_modules.reading.reasons import RecordError
from data_modules.signals.clean import CleanEcg, clean_ecg
from data_modules.signals.settings import SignalSettings
from tests.data_modules.signals.test_clean import absent, codes, make_ecg_mv, recording

RATE = 500
SETTINGS = SignalSettings(sampling_rate_hz=500.0, duration_s=10.0)


def without(first: int, last: int, *, leads: slice = slice(None), seconds: int = 10) -> CleanEcg:
    """Clean a recording that lacks its first and last samples in some leads."""
    ecg = make_ecg_mv(seconds * RATE)
    ecg[leads, :first] = np.nan
    ecg[leads, seconds * RATE - last :] = np.nan
    return clean_ecg(recording(ecg), SETTINGS)


@pytest.mark.parametrize(("first", "last"), [(50, 0), (0, 50), (250, 0), (100, 150)])
def test_the_rest_is_what_a_shorter_recording_gives(first: int, last: int) -> None:
    clean = without(first, last)
    shorter = clean_ecg(recording(make_ecg_mv(5000)[:, first : 5000 - last]), SETTINGS)
    np.testing.assert_array_equal(clean.ecg, shorter.ecg)
    assert clean.present.all()
    assert codes(clean) == ["ends_left_out", "padded"]
    assert clean.warnings[0][1] == (
        f"{first / RATE:.3g} s at the start and {last / RATE:.3g} s at the end, of all leads"
    )


def test_a_longer_recording_is_kept_to_its_full_length() -> None:
    clean = without(50, 0, seconds=11)
    np.testing.assert_array_equal(
        clean.ecg, clean_ecg(recording(make_ecg_mv(5500)[:, 50:]), SETTINGS).ecg
    )
    assert codes(clean) == ["ends_left_out"]


def test_leads_that_alone_lack_an_end_are_masked_and_cost_the_others_nothing() -> None:
    clean = without(50, 0, leads=slice(6, 8))
    whole = clean_ecg(recording(make_ecg_mv(5000)), SETTINGS)
    assert absent(clean) == ["V1", "V2"]
    assert codes(clean) == ["lead_gap"]
    np.testing.assert_array_equal(clean.ecg[8:], whole.ecg[8:])


def test_more_than_a_twentieth_is_no_end_and_what_is_bridged_stays_bridged() -> None:
    with pytest.raises(RecordError, match="lead_gap"):
        without(251, 0)
    assert codes(without(25, 0)) == ["gap_interpolated"]


def test_a_recording_without_samples_is_too_short() -> None:
    with pytest.raises(RecordError, match="it lasts 0 s; min_duration_s is 5"):
        clean_ecg(recording(make_ecg_mv(5000)[:, :0]), SETTINGS)


PULSE = np.repeat([0.0, 1.0, 0.0], [25, 100, 25])


@pytest.mark.parametrize("backwards", [False, True])
def test_a_calibration_pulse_at_an_end_is_no_ecg(backwards: bool) -> None:
    heart = make_ecg_mv(5050)[:, 200:]  # at its beginning all leads are 0
    ecg = np.hstack([np.tile(PULSE, (12, 1)), heart])
    if backwards:
        ecg, heart = ecg[:, ::-1], heart[:, ::-1]
    clean = clean_ecg(recording(ecg), SETTINGS)
    np.testing.assert_array_equal(clean.ecg, clean_ecg(recording(heart), SETTINGS).ecg)
    assert codes(clean) == ["ends_left_out", "padded"]
    assert "calibration pulse" in clean.warnings[0][1]


def test_leads_that_begin_alike_without_a_pulse_stay_whole() -> None:
    ecg = make_ecg_mv(5000)
    ecg[:, :150] = 0.1 * PULSE
    assert "ends_left_out" not in codes(clean_ecg(recording(ecg), SETTINGS))
