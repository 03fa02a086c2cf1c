import itertools
import math

import numpy as np
import pytest
from scipy.stats import permutation_test
from sklearn.metrics import roc_auc_score

from lsemvae.core.errors import InputError
from lsemvae.evaluation.statistics import permutation as module
from lsemvae.evaluation.statistics.permutation import judge_permuted_training, permutation_null
from tests.evaluation.simulated import binormal, monte_carlo_error


def test_null_equals_all_orders_of_the_labels() -> None:
    label, score = np.array([1, 1, 1, 0, 0, 0, 0]), np.array([0.9, 0.8, 0.3, 0.4, 0.4, 0.2, 0.1])
    exact = np.array(
        [roc_auc_score([place in chosen for place in range(7)], score)
         for chosen in itertools.combinations(range(7), 3)]
    )  # fmt: skip
    null = permutation_null(label, score, n_permutations=20_000)
    seen = roc_auc_score(label, score)
    p = (exact >= seen - 1e-12).mean()
    assert null.auroc == pytest.approx(seen)
    assert null.mean == pytest.approx(0.5, abs=0.006)
    assert null.p == pytest.approx(p, abs=4 * math.sqrt(p * (1 - p) / 20_000))
    for end, share in ((null.low, 0.025), (null.high, 0.975)):
        assert end == pytest.approx(np.quantile(exact, share, method="inverted_cdf"))


def test_p_equals_scipy() -> None:
    label, score = binormal(15, 25, 0.6, np.random.default_rng(0))
    expected = permutation_test(
        (score[label == 1], score[label == 0]), lambda x, y: np.sum(x[:, None] > y),
        alternative="greater", n_resamples=4000, rng=np.random.default_rng(1),
    )  # fmt: skip
    ours = permutation_null(label, score, n_permutations=4000)
    assert ours.p == pytest.approx(expected.pvalue, abs=0.03)


def test_spread_of_the_null_is_that_of_mann_whitney() -> None:
    label, score = binormal(100, 150, 0.8, np.random.default_rng(1))
    null = permutation_null(label, score, n_permutations=10_000)
    sd = math.sqrt(251 / (12 * 100 * 150))
    assert (null.high - null.low) / (2 * 1.96) == pytest.approx(sd, rel=0.05)
    assert null.p == pytest.approx(1 / 10_001)


def test_records_of_a_patient_are_shuffled_together() -> None:
    rng = np.random.default_rng(2)
    label = np.repeat(np.arange(40) < 20, 5)
    score = np.repeat(rng.normal(size=40), 5)
    patient = np.repeat(np.arange(40), 5)
    together = permutation_null(label, score, patient)
    alone = permutation_null(label, score)
    expected = permutation_null(label[::5], score[::5])
    assert together.high - together.low == pytest.approx(expected.high - expected.low, rel=0.1)
    assert alone.high - alone.low < 0.6 * (together.high - together.low)


def test_patients_swap_labels_only_with_patients_of_as_many_records() -> None:
    # One patient of two records: nobody to swap with, so that its labels never move.
    label, score = [1, 1, 0, 0, 0], [0.9, 0.9, 0.1, 0.2, 0.3]
    null = permutation_null(label, score, ["a", "a", "b", "c", "d"], n_permutations=50)
    assert (null.low, null.high, null.p) == (1.0, 1.0, 1.0)


def test_parts_of_the_null_are_joined(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CHUNK_LABELS", 100)
    label, score = binormal(15, 25, 0.5, np.random.default_rng(3))
    null = permutation_null(label, score, n_permutations=999)
    assert null.mean == pytest.approx(0.5, abs=0.02)
    assert (null.p * 1000) == pytest.approx(round(null.p * 1000))


def test_an_honest_run_is_accused_one_time_in_a_hundred() -> None:
    rng, n = np.random.default_rng(4), 300
    accused = sum(
        judge_permuted_training(*binormal(30, 30, 0.5, rng), seed=seed).leak for seed in range(n)
    )
    assert accused / n < 0.01 + 3 * monte_carlo_error(0.01, n)


def test_a_run_that_saw_its_test_records_is_accused() -> None:
    verdict = judge_permuted_training(*binormal(60, 60, 0.7, np.random.default_rng(5)))
    assert verdict.leak
    assert "has seen its test records" in verdict.statement
    below = judge_permuted_training(*binormal(60, 60, 0.3, np.random.default_rng(5)))
    assert not below.leak
    assert "none is seen" in below.statement


def test_equal_scores_have_no_null_to_leave() -> None:
    null = permutation_null([0, 1, 0, 1], [0.5] * 4, n_permutations=20)
    assert (null.auroc, null.low, null.high, null.p) == (0.5, 0.5, 0.5, 1.0)
    with pytest.raises(InputError, match="both classes"):
        permutation_null([1, 1], [0.1, 0.2])
