"""Cleaning: order, faults, derivation, length, counts."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_modules.reading.reasons import REASONS, RecordError
from data_modules.reading.recording import Recording
from data_modules.signals.clean import MAX_LIMB_RESIDUAL_MV, CleanEcg, clean_ecg
from data_modules.signals.settings import SignalSettings
from lsemvae.core.errors import InputError
from lsemvae.core.leads import LEADS, lead_indices, limb_lead_residual
from tests.data_modules.conftest import MIMIC_ORDER, make_ecg_mv

UNFILTERED = SignalSettings(low_hz=None, high_hz=None)


def recording(
    ecg: npt.ArrayLike | None = None,
    *,
    leads: tuple[str, ...] = LEADS,
    rate: float = 500.0,
    unit: str = "mV",
) -> Recording:
    signals = make_ecg_mv() if ecg is None else ecg
    return Recording("a/r1", np.asarray(signals, dtype=np.float32), leads, rate, unit, ())


def codes(clean: CleanEcg) -> list[str]:
    return [code for code, _ in clean.warnings]


def absent(clean: CleanEcg) -> list[str]:
    return [lead for lead, there in zip(LEADS, clean.present, strict=True) if not there]


def spoilt(**leads: npt.ArrayLike | float) -> npt.NDArray[np.float64]:
    ecg = make_ecg_mv()
    for lead, signal in leads.items():
        ecg[LEADS.index(lead)] = signal
    return ecg


def test_a_sound_recording_becomes_microvolts_in_canonical_order() -> None:
    ecg = make_ecg_mv()
    clean = clean_ecg(recording(ecg[lead_indices(MIMIC_ORDER)], leads=MIMIC_ORDER), UNFILTERED)
    assert clean.ecg.dtype == np.int16
    assert clean.present.all()
    assert clean.warnings == []
    np.testing.assert_allclose(clean.ecg, ecg * 1000, atol=0.51)


@settings(max_examples=25, deadline=None)
@given(st.permutations(LEADS))
def test_the_order_in_the_file_changes_nothing(order: list[str]) -> None:
    ecg = make_ecg_mv(2500)
    shuffled = clean_ecg(recording(ecg[lead_indices(order)], leads=tuple(order)), SignalSettings())
    np.testing.assert_array_equal(shuffled.ecg, clean_ecg(recording(ecg), SignalSettings()).ecg)


def test_the_default_band_removes_the_baseline_and_keeps_einthoven() -> None:
    drift = 2 + np.sin(2 * np.pi * 0.05 * np.arange(5000) / 500)
    ecg = make_ecg_mv()
    ecg[6:] += drift
    clean = clean_ecg(recording(ecg), SignalSettings())
    assert np.abs(clean.ecg[6:].mean(axis=1)).max() < 20
    assert limb_lead_residual(clean.ecg[:6].astype(float)) < 1


def test_a_flat_chest_lead_is_absent_and_zero() -> None:
    clean = clean_ecg(recording(spoilt(V3=0.37)), SignalSettings())
    assert absent(clean) == ["V3"]
    assert codes(clean) == ["lead_flat"]
    assert not clean.ecg[LEADS.index("V3")].any()


@pytest.mark.parametrize("lead", ["I", "II", "III", "aVR", "aVL", "aVF"])
def test_a_flat_limb_lead_is_derived_from_the_others(lead: str) -> None:
    clean = clean_ecg(recording(spoilt(**{lead: 0.0})), UNFILTERED)
    assert clean.present.all()
    assert codes(clean) == ["lead_flat", "limb_leads_derived"]
    np.testing.assert_allclose(clean.ecg, make_ecg_mv() * 1000, atol=0.6)


def test_two_limb_leads_give_six() -> None:
    clean = clean_ecg(recording(make_ecg_mv()[:2], leads=("I", "II")), UNFILTERED)
    assert absent(clean) == list(LEADS[6:])
    np.testing.assert_allclose(clean.ecg[:6], make_ecg_mv()[:6] * 1000, atol=0.6)


def test_arbitrary_amplitudes_derive_nothing_and_check_no_limb_leads() -> None:
    ecg = make_ecg_mv() / make_ecg_mv().std(axis=1, keepdims=True)
    ecg[0] = 0
    clean = clean_ecg(recording(ecg, unit="NU"), SignalSettings())
    assert absent(clean) == ["I"]
    assert codes(clean) == ["lead_flat"]


def test_a_limb_lead_that_the_others_make_flat_is_not_derived() -> None:
    one = make_ecg_mv()[0]
    lost = {"I": one, "II": 0, "III": -one, "aVR": -one / 2, "aVL": one, "aVF": -one / 2}
    assert "II" in absent(clean_ecg(recording(spoilt(**lost)), SignalSettings()))


def test_a_limb_lead_out_of_range_is_not_computed_anew() -> None:
    wrong_gain = make_ecg_mv()
    wrong_gain *= 11 / np.abs(wrong_gain[:6]).max()  # the largest limb lead alone exceeds 10 mV
    largest = LEADS[int(np.abs(wrong_gain[:6]).max(axis=1).argmax())]
    clean = clean_ecg(recording(wrong_gain[:6], leads=LEADS[:6]), UNFILTERED)
    assert largest in absent(clean)
    assert not clean.ecg[LEADS.index(largest)].any()


def test_what_a_store_cannot_hold_is_not_computed() -> None:
    """With II = 2 (I - aVL) two leads within the range give one of 36 mV, beyond 16 bits."""
    wave = 9 * make_ecg_mv()[0] / np.abs(make_ecg_mv()[0]).max()
    clean = clean_ecg(recording([wave, -wave], leads=("I", "aVL")), UNFILTERED)
    assert {"II", "III", "aVR", "aVF"} <= set(absent(clean))
    assert np.abs(clean.ecg.astype(int)).max() == pytest.approx(9000, abs=1)


SWAPS: dict[str, Any] = {
    "aVL and aVF swapped": {"aVL": make_ecg_mv()[5], "aVF": make_ecg_mv()[4]},
    "I inverted": {"I": -make_ecg_mv()[0]},
    "aVR inverted": {"aVR": -make_ecg_mv()[3]},
    "III in another scale": {"III": 2 * make_ecg_mv()[2]},
}


@pytest.mark.parametrize("change", SWAPS.values(), ids=SWAPS.keys())
def test_limb_leads_that_break_einthoven_are_reported(change: dict[str, Any]) -> None:
    clean = clean_ecg(recording(spoilt(**change)), SignalSettings())
    assert codes(clean) == ["limb_leads_inconsistent"]
    assert clean.present.all()


def test_inconsistent_limb_leads_derive_nothing() -> None:
    change = {"aVL": make_ecg_mv()[5], "aVF": make_ecg_mv()[4], "III": 0}
    clean = clean_ecg(recording(spoilt(**change)), SignalSettings())
    assert absent(clean) == ["III"]
    assert codes(clean) == ["lead_flat", "limb_leads_inconsistent"]


def test_steps_of_five_microvolts_are_not_inconsistent() -> None:
    coarse = np.rint(make_ecg_mv() * 200) / 200
    assert limb_lead_residual(coarse[:6]) < MAX_LIMB_RESIDUAL_MV / 5
    assert clean_ecg(recording(coarse), SignalSettings()).warnings == []


def test_leads_scaled_one_by_one_are_reported() -> None:
    ecg = make_ecg_mv()
    clean = clean_ecg(recording(ecg / np.ptp(ecg, axis=1, keepdims=True)), SignalSettings())
    assert "leads_scaled_separately" in codes(clean)


def test_gaps_are_bridged_or_mask_their_lead() -> None:
    ecg = spoilt()
    ecg[6, 1000:1010] = np.nan
    ecg[7, 1000:1100] = np.nan
    ecg[8] = np.nan
    clean = clean_ecg(recording(ecg), SignalSettings())
    assert absent(clean) == ["V2", "V3"]
    assert codes(clean) == ["lead_gap", "gap_interpolated"]
    assert "V1 10" in clean.warnings[1][1]
    assert not clean.ecg[7:9].any()


def test_a_gap_after_the_kept_part_does_not_matter() -> None:
    ecg = make_ecg_mv(8000)
    ecg[:, 6000:] = np.nan
    assert clean_ecg(recording(ecg), SignalSettings()).warnings == []


def test_a_wrong_unit_is_out_of_range() -> None:
    with pytest.raises(RecordError, match=r"lead_saturated|lead_out_of_range") as caught:
        clean_ecg(recording(make_ecg_mv() * 1000), SignalSettings())
    assert caught.value.code == "no_usable_lead"
    clean = clean_ecg(recording(spoilt(V4=100 * make_ecg_mv()[9])), SignalSettings())
    assert codes(clean) == ["lead_out_of_range"]
    assert absent(clean) == ["V4"]


def test_nothing_usable_rejects_the_record() -> None:
    with pytest.raises(
        RecordError, match=r"record a/r1: no usable lead .lead_flat: I, II"
    ) as caught:
        clean_ecg(recording(np.zeros((12, 5000))), SignalSettings())
    assert caught.value.code == "no_usable_lead"


def test_bad_leads_reject_where_asked() -> None:
    strict = SignalSettings(bad_leads="reject")
    with pytest.raises(RecordError, match="V3") as caught:
        clean_ecg(recording(spoilt(V3=0)), strict)
    assert caught.value.code == "lead_flat"
    with pytest.raises(RecordError) as caught:
        clean_ecg(recording(make_ecg_mv()[:6], leads=LEADS[:6]), strict)
    assert caught.value.code == "lead_missing"
    assert clean_ecg(recording(spoilt(III=0)), strict).present.all()


def test_longer_recordings_keep_their_first_seconds() -> None:
    clean = clean_ecg(recording(make_ecg_mv(7000)), UNFILTERED)
    np.testing.assert_allclose(clean.ecg, make_ecg_mv() * 1000, atol=0.51)
    assert clean.warnings == []


def test_shorter_recordings_end_in_zeros_after_the_filter() -> None:
    clean = clean_ecg(recording(make_ecg_mv(4000)), SignalSettings())
    whole = clean_ecg(recording(make_ecg_mv(4000)), SignalSettings(duration_s=8.0))
    np.testing.assert_array_equal(clean.ecg[:, :4000], whole.ecg)
    assert not clean.ecg[:, 4000:].any()
    assert codes(clean) == ["padded"]
    with pytest.raises(RecordError) as caught:
        clean_ecg(recording(make_ecg_mv(2000)), SignalSettings())
    assert caught.value.code == "too_short"


@pytest.mark.parametrize("rate", [100.0, 250.0, 360.0, 1000.0])
def test_other_rates_are_resampled(rate: float) -> None:
    fine = make_ecg_mv(round(rate * 10), rate)
    clean = clean_ecg(recording(fine, rate=rate), SignalSettings(high_hz=15.0))
    reference = clean_ecg(recording(), SignalSettings(high_hz=15.0))
    assert clean.warnings == []
    # bilinear transforms of one analogue filter differ by rate, at 100 Hz by some percent
    np.testing.assert_allclose(clean.ecg[:, 500:-500], reference.ecg[:, 500:-500], atol=30)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"low_hz": 50.0}, "low_hz must be in 0.01 to 5, got 50"),
        ({"high_hz": 300.0}, "high_hz must be in 10 to 250, got 300"),
        ({"duration_s": 0.0}, "duration_s"),
        ({"sampling_rate_hz": float("nan")}, "sampling_rate_hz"),
        ({"powerline_hz": 500.0}, "powerline_hz"),
        ({"min_duration_s": 20.0}, "min_duration_s must be in 1 to 10"),
        ({"max_gap_s": -1.0}, "max_gap_s"),
        ({"bad_leads": "drop"}, "bad_leads must be mask or reject"),
    ],
)
def test_settings_are_checked(bad: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        SignalSettings(**bad)


def test_every_reason_is_explained_and_every_code_has_one() -> None:
    assert all(len(text) > 20 for text in REASONS.values())
    with pytest.raises(KeyError):
        RecordError("no_such_code", record="r", problem="p")
