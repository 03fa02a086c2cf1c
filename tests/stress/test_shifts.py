import numpy as np
import pytest

from data_modules.signals.settings import SignalSettings
from lsemvae.core.leads import LEADS, limb_lead_residual
from lsemvae.stress import shifts
from lsemvae.stress.electrodes import (
    ELECTRODES,
    LEADS_FROM_ELECTRODES,
    electrodes_of,
    exchange_matrix,
    from_potentials,
    frontal_vector,
    limb_potentials,
)
from lsemvae.stress.grid import STRESSES, Stress, changed, not_possible
from lsemvae.stress.shifts import Signals

RANDOM = np.random.default_rng(0)
WIDE = SignalSettings(sampling_rate_hz=500.0, low_hz=None, high_hz=None)
BEATS = SignalSettings(sampling_rate_hz=100.0, segment="median_beat")


def row(name: str) -> int:
    return LEADS.index(name)


def noisy(settings: SignalSettings, n: int = 3) -> Signals:
    """Return leads of smooth random potentials, which obey the law and nothing else."""
    wave = RANDOM.normal(size=(n, len(ELECTRODES), settings.n_samples // 10))
    smooth = np.repeat(wave, 10, axis=-1)[..., : settings.n_samples]
    return Signals(from_potentials(smooth), settings)


@pytest.mark.parametrize("settings", [WIDE, BEATS], ids=["record", "beat"])
@pytest.mark.parametrize("stress", STRESSES, ids=lambda stress: stress.name)
def test_dose_zero_changes_no_bit_and_every_dose_keeps_einthovens_law(
    stress: Stress, settings: SignalSettings
) -> None:
    signals = noisy(settings, n=10)
    before = signals.ecg.copy()
    assert changed(stress, signals, 0.0, 0) is signals.ecg
    if not_possible(stress, signals, "mV"):
        return
    for dose in stress.doses:
        found = changed(stress, signals, dose, 0)
        assert found.shape == before.shape
        assert limb_lead_residual(found[:, :6]).max() < 1e-4
        assert not np.array_equal(found, before)
        again = changed(stress, signals, dose, 0)
        np.testing.assert_array_equal(found, again)
    np.testing.assert_array_equal(signals.ecg, before)


def test_the_leads_of_potentials_are_the_textbooks() -> None:
    potential = RANDOM.normal(size=(1, 9, 5))
    ra, la, ll, v1 = potential[0, :4]
    leads = from_potentials(potential)[0]
    np.testing.assert_allclose(leads[row("II")], ll - ra)
    np.testing.assert_allclose(leads[row("aVL")], la - (ra + ll) / 2)
    np.testing.assert_allclose(leads[row("V1")], v1 - (ra + la + ll) / 3)
    np.testing.assert_allclose(LEADS_FROM_ELECTRODES.sum(1), 0, atol=1e-12)  # no reference needed


@pytest.mark.parametrize("pair", [("RA", "LA"), ("RA", "LL"), ("LA", "LL"), ("V1", "V2")])
def test_exchanged_leads_are_those_of_exchanged_electrodes(pair: tuple[str, str]) -> None:
    potential = RANDOM.normal(size=(2, 9, 7))
    order = list(range(9))
    one, other = (ELECTRODES.index(name) for name in pair)
    order[one], order[other] = other, one
    expected = from_potentials(potential[:, order])
    np.testing.assert_allclose(exchange_matrix(*pair) @ from_potentials(potential), expected)


def test_exchange_touches_the_share_that_is_asked_for() -> None:
    signals = noisy(BEATS, n=20)
    found = shifts.exchange("RA", "LA")(signals, 25.0, np.random.default_rng(0))
    assert (found != signals.ecg).any((1, 2)).sum() == 5


def test_lead_i_and_avl_grow_and_avf_and_chest_stay() -> None:
    signals = noisy(BEATS)
    found = shifts.scale_lateral(signals, 20.0, RANDOM)
    np.testing.assert_allclose(found[:, row("I")], 1.2 * signals.ecg[:, row("I")])
    for name in ("aVF", "V1", "V6"):
        np.testing.assert_allclose(found[:, row(name)], signals.ecg[:, row(name)], atol=1e-12)
    gain = found[:, row("aVL")] - signals.ecg[:, row("aVL")]
    np.testing.assert_allclose(gain, 0.75 * 0.2 * signals.ecg[:, row("I")], atol=1e-12)


def test_the_axis_turns_by_the_dose_and_its_length_stays() -> None:
    lead_i, lead_avf = np.full((1, 120), 0.5), np.full((1, 120), 0.5 * np.sqrt(3) / 2)
    signals = Signals(from_potentials(limb_potentials(lead_i, lead_avf)), BEATS)
    angles, lengths = [], []
    for dose in (0.0, 30.0):
        x, y = frontal_vector(shifts.rotate_axis(signals, dose, RANDOM))
        angles.append(np.degrees(np.arctan2(y, x))[0, 0])
        lengths.append(np.hypot(x, y)[0, 0])
    assert angles == pytest.approx([45.0, 75.0])
    assert lengths[0] == pytest.approx(lengths[1])


def test_noise_of_an_electrode_spreads_by_the_law_and_not_to_one_lead() -> None:
    signals = noisy(BEATS, n=40)
    change = shifts.electrode_noise(signals, 0.2, np.random.default_rng(1)) - signals.ecg
    touched = (np.ptp(change, axis=-1) > 1e-9).sum(1)
    assert set(touched) <= {1, 11, 12}
    limb = change[touched > 1][0]
    share = limb[row("V1")] / limb[row("V6")]
    np.testing.assert_allclose(share, 1, atol=1e-6)  # Wilson's terminal, in every chest lead


def test_noise_reaches_every_recording_of_a_model_of_limb_leads() -> None:
    assert electrodes_of(LEADS[:6]) == [0, 1, 2]
    assert electrodes_of(("V2",)) == [0, 1, 2, 4]
    signals = noisy(BEATS, n=40)._replace(electrodes=electrodes_of(LEADS[:6]))
    change = shifts.electrode_noise(signals, 0.2, np.random.default_rng(1)) - signals.ecg
    assert (np.ptp(change[:, :6], axis=-1) > 1e-9).any(axis=1).all()


def test_wander_is_slow_and_of_its_dose() -> None:
    signals = Signals(np.zeros((1, 12, WIDE.n_samples)), WIDE)
    change = shifts.wander(signals, 0.3, np.random.default_rng(2))[0, row("V3")]
    power = np.abs(np.fft.rfft(change * np.hanning(len(change)))) ** 2
    below = np.fft.rfftfreq(len(change), 1 / 500) < 0.7
    assert power[below].sum() / power.sum() > 0.999
    assert 0.1 < np.abs(change).max() < 0.7
    cleaned = Signals(signals.ecg, SignalSettings(sampling_rate_hz=500.0))
    left = shifts.wander(cleaned, 0.3, np.random.default_rng(2))[0, row("V3")]
    assert left.std() < 0.5 * change.std()  # the filter of the cleaning takes most of it


def test_a_spike_stands_before_the_r_peak_with_its_axis() -> None:
    signals = Signals(np.zeros((1, 12, BEATS.n_samples)), BEATS)
    change = shifts.pacing_spikes(signals, 3.0, RANDOM)[0]
    assert np.abs(change[row("aVF")]).argmax() == 45 - 4
    at = change[:, 41]
    assert np.degrees(np.arctan2(at[row("aVF")] * 2 / np.sqrt(3), at[0])) == pytest.approx(-60)


def test_a_narrow_band_keeps_what_is_slow() -> None:
    time_s = np.arange(WIDE.n_samples) / 500
    both = np.stack([np.sin(2 * np.pi * 5 * time_s), np.sin(2 * np.pi * 80 * time_s)])
    signals = Signals(np.tile(both, (1, 6, 1)), WIDE)
    middle = shifts.upper_edge(signals, 30.0, RANDOM)[0, :2, 1000:4000]
    assert middle.std(1) == pytest.approx([np.sqrt(0.5), 0], abs=0.02)


def test_a_rate_of_250_hz_loses_only_what_it_cannot_hold() -> None:
    time_s = np.arange(WIDE.n_samples) / 500
    both = np.stack([np.sin(2 * np.pi * 20 * time_s), np.sin(2 * np.pi * 180 * time_s)])
    signals = Signals(np.tile(both, (1, 6, 1)), WIDE)
    middle = shifts.sampled_at(signals, 250.0, RANDOM)[0, :2, 1000:4000]
    np.testing.assert_allclose(middle[0], both[0, 1000:4000], atol=0.01)
    assert np.abs(middle[1]).max() < 0.05


def test_a_faster_heart_has_shorter_diastoles_and_the_same_beats() -> None:
    length, peaks = 5000, np.arange(250, 5000, 500)  # 60 per minute at 500 Hz
    place = shifts._sooner(peaks, length, 500.0, 10.0)
    new = np.interp(peaks, place, np.arange(length))
    np.testing.assert_allclose(np.diff(new[:9]), 500 * 60 / 70, atol=0.01)
    assert place[300] - place[200] == pytest.approx(100)  # around an R peak nothing is squeezed


def test_what_a_store_cannot_show_is_said() -> None:
    signals = noisy(SignalSettings(sampling_rate_hz=100.0))
    said = {stress.name: not_possible(stress, signals, "NU") for stress in STRESSES}
    assert "limb leads in mV" in said["axis turned"]
    assert said["band 0.05-150 Hz"] == "the store holds 0.5 to 40 Hz only"
    assert said["sampled and back"] == "the store's own rate is 100 Hz"
    assert said["upper edge"] == said["heart rate higher"] == ""
