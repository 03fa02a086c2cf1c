import numpy as np
import pytest
from scipy.special import expit

from lsemvae.core.errors import InputError
from lsemvae.evaluation.statistics.calibration import calibration_intercept
from lsemvae.evaluation.statistics.local_recalibration import learning_curve
from tests.evaluation.simulated import logistic, predictions


def test_many_patients_put_planted_intercept_and_slope_right() -> None:
    rng = np.random.default_rng(3)
    odds = rng.normal(0, 1.5, 3000)
    label = logistic(-1 + 0.5 * odds, rng)
    curve = learning_curve(label, expit(odds), sizes=[10, 1000], n_draws=20).set_index(
        ["n_patients", "way"]
    )
    assert curve.loc[(1000, "as locked"), "slope"] == pytest.approx(0.5, abs=0.08)
    assert curve.loc[(1000, "intercept"), "intercept"] == pytest.approx(0, abs=0.1)
    assert curve.loc[(1000, "intercept"), "slope"] == pytest.approx(0.5, abs=0.08)
    assert curve.loc[(1000, "intercept and slope"), "slope"] == pytest.approx(1, abs=0.15)
    losses = curve.loc[1000, "log_loss"]
    assert losses["as locked"] > losses["intercept"] > losses["intercept and slope"]
    # ten patients know too little of a slope
    assert curve.loc[(10, "intercept and slope"), "reversed"] > 0
    assert (curve.xs("as locked", level="way")["reversed"] == 0).all()


def test_as_locked_the_others_need_what_calibration_in_the_large_says() -> None:
    table = predictions(400)
    curve = learning_curve(table["label"], table["probability"], sizes=[10], n_draws=30)
    wanted = calibration_intercept(table["label"], table["probability"]).value
    assert curve.iloc[0]["intercept"] == pytest.approx(wanted, abs=0.05)


def test_patients_are_drawn_with_all_their_records() -> None:
    # two records of each patient, one positive and one negative: every draw has as many of both
    odds = np.repeat(np.linspace(-1, 1, 40), 2)
    label = np.tile([0, 1], 40)
    curve = learning_curve(label, expit(odds), np.repeat(np.arange(40), 2), sizes=[20], n_draws=10)
    one_record = learning_curve(label, expit(odds), sizes=[40], n_draws=10)
    spread = [found.iloc[0]["intercept_high"] - found.iloc[0]["intercept_low"]
              for found in (curve, one_record)]  # fmt: skip
    assert spread[0] < spread[1] / 3


def test_sizes_above_half_of_the_patients_are_left_out() -> None:
    table = predictions(50)
    assert set(learning_curve(table["label"], table["probability"], n_draws=20)["n_patients"]) == {
        10,
        20,
    }
    with pytest.raises(InputError, match="12 patients are too few to recalibrate with 10"):
        learning_curve([0, 1] * 6, np.linspace(0.1, 0.9, 12))
    with pytest.raises(InputError, match="all probabilities are equal"):
        learning_curve([0, 1] * 20, [0.5] * 40)


def test_the_same_seed_gives_the_same_curve() -> None:
    table = predictions(60)
    one, other = (learning_curve(table["label"], table["probability"], n_draws=20) for _ in "ab")
    assert one.equals(other)
