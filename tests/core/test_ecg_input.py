from lsemvae.core.ecg_input import EcgInput

PUBLIC = EcgInput(100.0, 1000, (0.5, 40.0), "record")


def test_the_options_that_make_recordings_like_these_are_named() -> None:
    """A store of the defaults: 500 Hz; the duration is the same 10 s."""
    usual = EcgInput(500.0, 5000, (0.5, 40.0), "record")
    assert PUBLIC.signal_options(usual) == "--signal.sampling_rate_hz 100"
    assert PUBLIC.signal_options(PUBLIC) == ""


def test_a_filter_that_is_wanted_without_is_null() -> None:
    given = PUBLIC._replace(band_hz=(0.5, 150.0), powerline_hz=50.0, n_samples=500)
    assert PUBLIC.signal_options(given) == (
        "--signal.high_hz 40 --signal.powerline_hz null --signal.duration_s 10"
    )


def test_a_median_beat_has_no_duration_to_ask_for() -> None:
    beats = EcgInput(250.0, 300, (0.5, 40.0), "record", segment="median_beat")
    assert beats.signal_options(PUBLIC) == (
        "--signal.segment median_beat --signal.sampling_rate_hz 250"
    )
