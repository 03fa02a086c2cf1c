import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lsemvae.evaluation.statistics.operating_points import (
    RULES,
    apply_rule,
    sensitivity_threshold,
    specificity_threshold,
    youden_threshold,
)
from tests.evaluation.simulated import inner_of, predictions

LABEL = np.array([True] * 10 + [False] * 10)
SCORE = np.r_[np.arange(10, 20), np.arange(5, 15)] / 20  # positives .50 to .95, negatives .25 to .7


def rates(label: np.ndarray, score: np.ndarray, threshold: float) -> tuple[float, float]:
    """Return sensitivity and specificity."""
    called = score >= threshold
    return called[label].mean(), (~called)[~label].mean()


def test_thresholds_by_hand() -> None:
    assert sensitivity_threshold(LABEL, SCORE, 0.9) == 0.55
    assert specificity_threshold(LABEL, SCORE, 0.9) == np.nextafter(0.65, 1)
    # Sensitivity + specificity: 1.5 at .50 and at every step to .70, 1.5 at .75; the highest wins.
    assert youden_threshold(LABEL, SCORE) == 0.75


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.integers(0, 8), min_size=1, max_size=25),
    st.lists(st.integers(0, 8), min_size=1, max_size=25),
    st.sampled_from([0.5, 0.8, 0.9, 1.0]),
)
def test_thresholds_are_the_best_that_keep_their_promise(
    positive: list[int], negative: list[int], target: float
) -> None:
    label = np.array([True] * len(positive) + [False] * len(negative))
    score = np.array(positive + negative, dtype=float)
    every = np.r_[np.unique(score), np.nextafter(np.unique(score), np.inf)]
    sensitive = sensitivity_threshold(label, score, target)
    specific = specificity_threshold(label, score, target)
    assert rates(label, score, sensitive)[0] >= target
    assert rates(label, score, specific)[1] >= target
    assert all(rates(label, score, t)[0] < target for t in every if t > sensitive)
    assert all(rates(label, score, t)[1] < target for t in every if t < specific)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.integers(0, 8), min_size=1, max_size=25),
    st.lists(st.integers(0, 8), min_size=1, max_size=25),
)
def test_youden_takes_the_highest_of_the_best_thresholds(
    positive: list[int], negative: list[int]
) -> None:
    label = np.array([True] * len(positive) + [False] * len(negative))
    score = np.array(positive + negative, dtype=float)
    # In whole numbers: sensitivity + specificity - 1, times the counts of both classes.
    gain = {
        t: sum(p >= t for p in positive) * len(negative)
        - sum(n >= t for n in negative) * len(positive)
        for t in np.unique(score)
    }
    expected = max(t for t in gain if gain[t] == max(gain.values()))
    assert youden_threshold(label, score) == expected


def test_a_threshold_below_the_promise_by_rounding_is_not_taken() -> None:
    # .9 * 10 and .7 * 10 lie on and just below whole numbers in floating point.
    label, score = np.array([True] * 10 + [False]), np.r_[np.arange(10.0), 0.0]
    assert sensitivity_threshold(label, score, 0.9) == 1.0
    assert sensitivity_threshold(label, score, 0.7) == 3.0
    assert sensitivity_threshold(label, score, 0.1 + 0.2) == 7.0


@pytest.mark.parametrize("name", sorted(RULES))
def test_thresholds_come_from_the_training_part_of_each_fold(name: str) -> None:
    table = predictions(300)
    point = apply_rule(table, inner_of(table), RULES[name])
    for fold in range(5):
        rows = (table["fold"] == fold).to_numpy()
        training = table[~rows]
        threshold = RULES[name](
            training["label"].to_numpy() == 1, training["probability"].to_numpy()
        )
        assert point.thresholds[fold] == threshold
        np.testing.assert_array_equal(point.called[rows], table["probability"][rows] >= threshold)


@pytest.mark.parametrize("name", sorted(RULES))
def test_held_out_labels_change_nothing(name: str) -> None:
    table = predictions(300)
    inner = inner_of(table)
    turned = table.assign(label=1 - table["label"])
    first, second = (apply_rule(given, inner, RULES[name]) for given in (table, turned))
    assert first.thresholds == second.thresholds
    np.testing.assert_array_equal(first.called, second.called)
    other = apply_rule(table, inner.assign(label=1 - inner["label"]), RULES[name])
    assert other.thresholds != first.thresholds


def test_the_promise_is_kept_on_records_that_were_not_seen() -> None:
    table = predictions(20_000)
    label = table["label"].to_numpy() == 1
    inner = inner_of(table)
    sensitive = apply_rule(table, inner, RULES["sensitivity_90"]).called
    specific = apply_rule(table, inner, RULES["specificity_90"]).called
    assert sensitive[label].mean() == pytest.approx(0.9, abs=0.01)  # standard error .003
    assert (~specific)[~label].mean() == pytest.approx(0.9, abs=0.01)
