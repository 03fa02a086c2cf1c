"""Folds are those that scikit-learn deals, which is the independent and slow reference."""

import warnings

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.model_selection import StratifiedGroupKFold

from data_modules.cohort.group_folds import stratified_group_folds


def reference(label: np.ndarray, group: np.ndarray, n_folds: int, seed: int) -> np.ndarray:
    fold = np.full(len(label), -1)
    dealer = StratifiedGroupKFold(n_folds, shuffle=True, random_state=seed)
    with warnings.catch_warnings(action="ignore"):  # a class of fewer records than folds
        for number, (_, held_out) in enumerate(dealer.split(label, label, group)):
            fold[held_out] = number
    return fold


@settings(max_examples=30, deadline=None)
@given(
    n_groups=st.integers(10, 60), n_classes=st.integers(2, 4), n_folds=st.integers(2, 10),
    seed=st.integers(0, 2**32 - 1),
)  # fmt: skip
def test_folds_are_those_of_scikit_learn(
    n_groups: int, n_classes: int, n_folds: int, seed: int
) -> None:
    draw = np.random.default_rng(seed)
    group = np.repeat(draw.permutation(n_groups), draw.integers(1, 5, n_groups)).astype(str)
    label = np.minimum(draw.geometric(0.5, len(group)) - 1, n_classes - 1)
    label[: n_classes * n_folds] = np.resize(np.arange(n_classes), n_classes * n_folds)[
        : len(label)
    ]
    assume(np.bincount(label).max() >= n_folds)  # scikit-learn refuses the others
    found = stratified_group_folds(label, group, n_folds, seed)
    assert np.array_equal(found, reference(label, group, n_folds, seed))


@pytest.mark.parametrize("n_folds", [2, 5])
def test_patients_stay_whole_and_shares_alike(n_folds: int) -> None:
    """Four records of each patient, a quarter of the 100 patients positive."""
    group, label = np.repeat(np.arange(100), 4), np.repeat(np.arange(100) < 25, 4).astype(int)
    fold = stratified_group_folds(label, group, n_folds, 0)
    assert all(len(set(fold[group == one])) == 1 for one in range(100))
    positive = [label[fold == number].mean() for number in range(n_folds)]
    assert positive == pytest.approx([0.25] * n_folds, abs=0.03)
