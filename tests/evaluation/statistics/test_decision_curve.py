import numpy as np
import pytest

from lsemvae.core.errors import InputError
from lsemvae.evaluation.statistics.decision_curve import THRESHOLDS, decision_curve
from lsemvae.evaluation.statistics.diagnostic_accuracy import count_outcomes
from tests.evaluation.simulated import predictions


def test_net_benefit_by_hand() -> None:
    # At .2, an exchange rate of 1/4: two true and one false positive of five: (2 - 1/4) / 5.
    curve = decision_curve(
        [1, 1, 0, 0, 0], [0.9, 0.2, 0.4, 0.1, 0.1], thresholds=np.array([0.2]), n_resamples=50
    )
    assert curve["net_benefit"][0] == pytest.approx(0.35)
    assert curve["treat_all"][0] == pytest.approx((2 - 3 / 4) / 5)
    assert curve["treat_none"][0] == 0.0


def test_net_benefit_equals_the_formula_at_every_threshold() -> None:
    table = predictions(150)
    curve = decision_curve(table["label"], table["probability"], n_resamples=50)
    for threshold, benefit in zip(curve["threshold"], curve["net_benefit"], strict=True):
        tp, fp, *_ = count_outcomes(table["label"], table["probability"] >= threshold)
        assert benefit == pytest.approx((tp - fp * threshold / (1 - threshold)) / 150)
    assert len(curve) == len(THRESHOLDS)


def test_a_model_that_calls_everybody_is_treat_all() -> None:
    curve = decision_curve([1, 0, 1, 0], [0.995] * 4, n_resamples=50)
    np.testing.assert_allclose(curve["net_benefit"], curve["treat_all"])


def test_true_probabilities_are_never_worse_than_the_defaults() -> None:
    table = predictions(20_000)
    curve = decision_curve(table["label"], table["probability"], n_resamples=20)
    assert (curve["net_benefit"] > np.maximum(curve["treat_all"], 0) - 0.003).all()


def test_another_prevalence_equals_data_of_that_prevalence() -> None:
    label, probability = [1, 1, 0, 0], [0.8, 0.2, 0.6, 0.1]
    thresholds = np.array([0.3, 0.5, 0.7])
    asked = decision_curve(label, probability, thresholds=thresholds, prevalence=0.1,
                           n_resamples=20)  # fmt: skip
    rare = decision_curve(label[:2] + 9 * label[2:], probability[:2] + 9 * probability[2:],
                          thresholds=thresholds, n_resamples=20)  # fmt: skip
    np.testing.assert_allclose(asked["net_benefit"], rare["net_benefit"])
    np.testing.assert_allclose(asked["treat_all"], rare["treat_all"])


def test_interval_holds_the_value_and_shrinks_with_the_records() -> None:
    few, many = (
        decision_curve(table["label"], table["probability"], n_resamples=400)
        for table in (predictions(200), predictions(3200))
    )
    assert ((few["low"] <= few["net_benefit"]) & (few["net_benefit"] <= few["high"])).mean() > 0.97
    ratio = (few["high"] - few["low"])[20:80].mean() / (many["high"] - many["low"])[20:80].mean()
    assert ratio == pytest.approx(4, rel=0.25)


def test_impossible_thresholds_are_refused() -> None:
    for given in ({"thresholds": np.array([0.0, 0.5])}, {"prevalence": 1.0}):
        with pytest.raises(InputError, match="between 0 and 1"):
            decision_curve([1, 0, 1, 0], [0.9, 0.2, 0.8, 0.1], **given)
