import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference
from torchmetrics.functional.classification import binary_auroc

from lsemvae.core.errors import InputError
from lsemvae.evaluation.statistics.metrics import METRICS, base_rate_accuracy, binary_metrics, plain

SKLEARN = {
    "auroc": reference.roc_auc_score,
    "average_precision": reference.average_precision_score,
    "brier": reference.brier_score_loss,
    "accuracy": reference.accuracy_score,
    "balanced_accuracy": reference.balanced_accuracy_score,
    "mcc": reference.matthews_corrcoef,
    "sensitivity": reference.recall_score,
    "specificity": lambda y, p, sample_weight: reference.recall_score(
        y, p, pos_label=0, sample_weight=sample_weight
    ),
    "ppv": lambda y, p, sample_weight: reference.precision_score(y, p, sample_weight=sample_weight),
    "npv": lambda y, p, sample_weight: reference.precision_score(
        y, p, pos_label=0, sample_weight=sample_weight
    ),
}
OF_PROBABILITIES = ("auroc", "average_precision", "brier")


def test_every_metric_has_a_reference() -> None:
    assert set(SKLEARN) == set(METRICS)


@pytest.mark.parametrize("name", sorted(METRICS))
@pytest.mark.parametrize("decimals", [17, 1])  # 1: many ties
def test_weighted_metric_equals_sklearn(name: str, decimals: int) -> None:
    rng = np.random.default_rng(0)
    label = rng.random(80) < 0.4
    score = np.round(np.clip(0.3 * label + 0.7 * rng.random(80), 0, 1), decimals)
    weight = rng.integers(0, 4, size=(25, 80)).astype(float)
    given_to_sklearn = score if name in OF_PROBABILITIES else score >= 0.5
    expected = [SKLEARN[name](label, given_to_sklearn, sample_weight=row) for row in weight]
    np.testing.assert_allclose(METRICS[name](label, score, weight), expected, rtol=1e-12)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 6)), min_size=2, max_size=30))
def test_auroc_counts_ordered_pairs_and_half_of_the_ties(rows: list[tuple[bool, int]]) -> None:
    label = np.array([row[0] for row in rows])
    score = np.array([row[1] for row in rows], dtype=float)
    if label.all() or not label.any():
        return
    pairs = score[label][:, None] - score[~label]
    expected = float(((pairs > 0) + 0.5 * (pairs == 0)).mean())
    assert plain(METRICS["auroc"], label, score) == pytest.approx(expected)


def test_equal_scores_carry_no_information() -> None:
    label, score = np.array([True, True, False]), np.full(3, 0.7)
    assert plain(METRICS["auroc"], label, score) == 0.5
    assert plain(METRICS["average_precision"], label, score) == pytest.approx(2 / 3)
    assert plain(METRICS["mcc"], label, score) == 0.0


def test_a_metric_of_nothing_is_nan() -> None:
    label, score = np.array([True, False]), np.array([0.1, 0.2])
    assert np.isnan(plain(METRICS["ppv"], label, score))
    assert np.isnan(METRICS["auroc"](label, score, np.array([[1.0, 0.0]])))[0]


def test_table_2_by_hand() -> None:
    # Called positive: 0.9 (right), 0.6 (wrong), 0.5 (right). tp 2, fp 1, fn 1, tn 1.
    result = binary_metrics([1, 0, 1, 1, 0], [0.9, 0.6, 0.5, 0.2, 0.1])
    assert result.accuracy == pytest.approx(3 / 5)
    assert result.mcc == pytest.approx((2 * 1 - 1 * 1) / np.sqrt(3 * 3 * 2 * 2))
    assert result.auroc == pytest.approx(4 / 6)


def test_table_2_equals_torchmetrics() -> None:
    import torch

    rng = np.random.default_rng(1)
    label, probability = rng.integers(0, 2, 200), rng.random(200)
    expected = binary_auroc(torch.from_numpy(probability), torch.from_numpy(label))
    assert binary_metrics(label, probability).auroc == pytest.approx(float(expected))


def test_table_2_needs_both_classes() -> None:
    with pytest.raises(InputError, match="expected both classes"):
        binary_metrics([1, 1], [0.2, 0.3])


def test_base_rate_is_the_larger_class() -> None:
    assert base_rate_accuracy([1, 0, 0, 0]) == 0.75
    assert base_rate_accuracy([1, 1, 1, 0]) == 0.75
