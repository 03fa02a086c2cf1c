import numpy as np
import pytest
from scipy.stats import norm
from sklearn.metrics import roc_auc_score

from lsemvae.core.errors import InputError
from lsemvae.evaluation.statistics.delong import auroc_interval, delong
from lsemvae.evaluation.statistics.macro_auroc import label_aurocs, paired_macro

NAMES = ["a", "b", "c"]


def simulated(n: int = 240, seed: int = 0, shift: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Return labels (N, 3), a fifth of them missing, and scores."""
    rng = np.random.default_rng(seed)
    label = (rng.random((n, 3)) < (0.5, 0.3, 0.2)).astype(float)
    score = rng.normal(size=(n, 3)) + shift * label
    label[rng.random((n, 3)) < 0.2] = np.nan
    return label, score


def test_macro_is_the_mean_of_scikit_learns_on_what_is_known() -> None:
    label, score = simulated()
    found = label_aurocs(label, score, names=NAMES)
    expected = []
    for k in range(3):
        known = ~np.isnan(label[:, k])
        expected.append(roc_auc_score(label[known, k], score[known, k]))
    assert found.value == pytest.approx(expected)
    assert found.macro.value == pytest.approx(np.mean(expected))


def test_one_label_has_delongs_interval() -> None:
    label, score = simulated()
    label[:, 0] = np.nan_to_num(label[:, 0])
    found = label_aurocs(label[:, :1], score[:, :1], names=["a"])
    expected = auroc_interval(label[:, 0], score[:, 0])
    assert found.macro[:3] == pytest.approx(expected[:3])


def test_one_label_has_delongs_interval_within_folds_too() -> None:
    label, score = simulated()
    label, fold = np.nan_to_num(label[:, :1]), np.arange(240) % 4
    found = label_aurocs(label, score[:, :1], names=["a"], fold=fold)
    expected = auroc_interval(label[:, 0], score[:, 0], fold=fold)
    assert found.each[0][:3] == pytest.approx(expected[:3])


def test_variance_of_a_mean_is_that_of_the_covariances() -> None:
    label, score = simulated()
    truth = np.repeat(np.nan_to_num(label[:, :1]), 2, axis=1)
    found = label_aurocs(truth, score[:, :2], names=["a", "b"])
    covariance = delong(truth[:, 0], score[:, 0], score[:, 1]).covariance
    mean_variance = (found.influence.mean(axis=0) ** 2).sum()
    assert mean_variance == pytest.approx(covariance.sum() / 4)


def test_one_label_written_twice_is_no_more_certain_than_once() -> None:
    label, score = simulated()
    once = label_aurocs(label[:, :1], score[:, :1], names=["a"]).macro
    twice = label_aurocs(label[:, [0, 0]], score[:, [0, 0]], names=["a", "b"]).macro
    assert twice[:3] == pytest.approx(once[:3])


def test_records_of_one_patient_are_no_further_patients() -> None:
    label, score = simulated()
    once = label_aurocs(label, score, names=NAMES).macro
    patient = np.tile(np.arange(240), 3)
    thrice = label_aurocs(np.tile(label, (3, 1)), np.tile(score, (3, 1)), patient, names=NAMES)
    assert thrice.macro[:3] == pytest.approx(once[:3])


def test_interval_covers_as_often_as_it_says() -> None:
    truth = norm.cdf(1 / np.sqrt(2))  # of two normal scores one apart
    inside = sum(
        low <= truth <= high
        for seed in range(300)
        for _, low, high, _ in [label_aurocs(*simulated(150, seed), names=NAMES).macro]
    )
    assert 0.91 <= inside / 300 <= 0.985  # Monte-Carlo standard error .013


def test_paired_difference_of_equal_scores_is_none_and_of_better_ones_is_certain() -> None:
    label, score = simulated()
    found = label_aurocs(label, score, names=NAMES)
    assert paired_macro(found, found).p == 1.0
    better = label_aurocs(label, score + np.nan_to_num(label), names=NAMES)
    compared = paired_macro(better, found)
    assert compared.difference.value == pytest.approx(better.macro.value - found.macro.value)
    assert compared.p < 1e-4


def test_a_label_with_one_class_in_a_fold_is_named() -> None:
    label, score = simulated()
    label[:60, 1] = 0
    with pytest.raises(InputError, match="label b, fold 0: 0 patients with a positive"):
        label_aurocs(label, score, names=NAMES, fold=np.arange(240) // 60)
