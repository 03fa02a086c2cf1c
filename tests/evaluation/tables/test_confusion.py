import itertools

import numpy as np
import pytest
from sklearn.metrics import matthews_corrcoef

from lsemvae.evaluation.tables.confusion import (
    Published,
    accuracy_and_mcc,
    folds_can_have,
    mcc_range,
)

EXACT = 1e-9


def enumerated(n_positive: int, n_negative: int) -> list[tuple[float, float]]:
    """Return accuracy and MCC of every possible list of answers, by scikit-learn."""
    truth = [1] * n_positive + [0] * n_negative
    found = []
    for tp, tn in itertools.product(range(n_positive + 1), range(n_negative + 1)):
        answer = [1] * tp + [0] * (n_positive - tp) + [0] * tn + [1] * (n_negative - tn)
        accuracy = float(np.mean(np.array(truth) == answer))
        found.append((accuracy, float(matthews_corrcoef(truth, answer))))
    return found


@pytest.mark.parametrize(("n_positive", "n_negative"), [(5, 3), (4, 4), (7, 1)])
def test_every_confusion_matrix_agrees_with_scikit_learn(n_positive: int, n_negative: int) -> None:
    accuracy, mcc = accuracy_and_mcc(n_positive, n_negative)
    expected = np.array(enumerated(n_positive, n_negative))
    np.testing.assert_allclose(accuracy.ravel(), expected[:, 0])
    np.testing.assert_allclose(mcc.ravel(), expected[:, 1], atol=1e-12)


@pytest.mark.parametrize("correct", range(9))
def test_range_is_that_of_the_enumeration(correct: int) -> None:
    answers = [mcc for accuracy, mcc in enumerated(5, 3) if abs(accuracy - correct / 8) < EXACT]
    # half an answer around an exact count reaches the count alone
    found = mcc_range(Published(correct / 8, mean_error=0.0), 5, 3)
    assert found == pytest.approx((min(answers), max(answers)), abs=1e-12)


def test_perfect_accuracy_allows_one_mcc_only() -> None:
    assert mcc_range(Published(1.0, mean_error=0.0), 30, 10) == (1.0, 1.0)


def test_folds_that_exist_are_never_called_impossible() -> None:
    rng = np.random.default_rng(0)
    accuracy, mcc = accuracy_and_mcc(12, 5)
    for _ in range(20):
        tp, tn = rng.integers(0, 13, 5), rng.integers(0, 6, 5)
        for ddof in (0, 1):
            printed = [
                Published(round(v[tp, tn].mean(), 3), round(v[tp, tn].std(ddof=ddof), 2))
                for v in (accuracy, mcc)
            ]
            assert folds_can_have(*printed, n_positive=60, n_negative=25)


def test_folds_of_uneven_size_are_never_called_impossible() -> None:
    rng = np.random.default_rng(1)
    sizes = [(13, 5), (13, 5), (12, 6), (12, 5), (12, 5)]
    for _ in range(10):
        cells = []
        for n_positive, n_negative in sizes:
            at = rng.integers(0, n_positive + 1), rng.integers(0, n_negative + 1)
            cells.append([table[at] for table in accuracy_and_mcc(n_positive, n_negative)])
        means, sds = np.mean(cells, axis=0).round(3), np.std(cells, axis=0, ddof=1).round(2)
        printed = [Published(mean, sd) for mean, sd in zip(means, sds, strict=True)]
        assert folds_can_have(*printed, n_positive=62, n_negative=26)


@pytest.mark.parametrize(
    ("accuracy", "mcc"),
    [
        (Published(1.0, 0.0), Published(0.9, 0.05)),  # no error, yet no perfect correlation
        (Published(0.5, 0.0), Published(0.9, 0.0)),
        (Published(0.9, 0.0, sd_error=0.0), Published(0.3, 0.3)),  # .9 in every fold: MCC > .6
    ],
)
def test_folds_that_contradict_themselves_are_impossible(
    accuracy: Published, mcc: Published
) -> None:
    assert not folds_can_have(accuracy, mcc, n_positive=50, n_negative=50)


def test_sd_makes_the_judgement_sharper() -> None:
    accuracy, mcc = Published(0.822), Published(0.094)
    assert folds_can_have(accuracy, mcc, 555, 136)
    assert not folds_can_have(Published(0.822, 0.03), Published(0.094, 0.05), 555, 136)
