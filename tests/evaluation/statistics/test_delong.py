import math

import numpy as np
import numpy.typing as npt
import pytest
from scipy.stats import mannwhitneyu, norm

from lsemvae.core.errors import InputError
from lsemvae.evaluation.statistics.delong import auroc_interval, delong, paired_delong
from lsemvae.evaluation.statistics.estimate import Z
from tests.evaluation.simulated import binormal, monte_carlo_error

Array = npt.NDArray[np.float64]


def pair_by_pair(label: Array, scores: list[Array], patient: Array) -> tuple[Array, Array]:
    """Return AUROCs and Obuchowski's covariance by loops over pairs and patients, O(N M)."""
    positive, negative = np.flatnonzero(label == 1), np.flatnonzero(label == 0)
    m, n = len(positive), len(negative)
    patients = np.unique(patient)
    sums = np.zeros((2, len(scores), len(patients)))
    value = np.zeros(len(scores))
    for k, score in enumerate(scores):
        won = np.array(
            [[1.0 if score[i] > score[j] else 0.5 if score[i] == score[j] else 0.0
              for j in negative] for i in positive]
        )  # fmt: skip
        value[k] = won.mean()
        for place, who in enumerate(patients):
            for row, record in enumerate(positive):
                sums[0, k, place] += (patient[record] == who) * (won[row].mean() - value[k])
            for column, record in enumerate(negative):
                sums[1, k, place] += (patient[record] == who) * (won[:, column].mean() - value[k])
    i10, i01 = len(np.unique(patient[positive])), len(np.unique(patient[negative]))
    s10 = sums[0] @ sums[0].T * i10 / ((i10 - 1) * m)
    s01 = sums[1] @ sums[1].T * i01 / ((i01 - 1) * n)
    s11 = sums[0] @ sums[1].T * len(patients) / (len(patients) - 1)
    return value, s10 / m + s01 / n + (s11 + s11.T) / (m * n)


@pytest.mark.parametrize("decimals", [17, 0])  # 0: many ties
@pytest.mark.parametrize("records_per_patient", [1, 3])
def test_covariance_equals_pair_by_pair(decimals: int, records_per_patient: int) -> None:
    rng = np.random.default_rng(0)
    label, first = binormal(14, 19, 0.8, rng)
    scores = [np.round(first, decimals), np.round(first + rng.normal(size=33), decimals)]
    patient = rng.permutation(33) // records_per_patient
    value, covariance = pair_by_pair(label, scores, patient)
    result = delong(label, *scores, patient_id=patient)
    np.testing.assert_allclose(result.value, value, rtol=1e-12)
    np.testing.assert_allclose(result.covariance, covariance, rtol=1e-9)


def test_auroc_is_the_mann_whitney_statistic() -> None:
    label, score = binormal(30, 40, 0.7, np.random.default_rng(1))
    expected = mannwhitneyu(score[label == 1], score[label == 0]).statistic / (30 * 40)
    assert auroc_interval(label, score).value == pytest.approx(expected)


def test_a_record_copied_within_its_patient_tells_nothing_new() -> None:
    rng = np.random.default_rng(2)
    label, score = binormal(20, 25, 0.75, rng)
    once = auroc_interval(label, score)
    patient = np.tile(np.arange(45), 3)
    copied = auroc_interval(np.tile(label, 3), np.tile(score, 3), patient)
    assert copied[:3] == pytest.approx(once[:3])
    ignored = auroc_interval(np.tile(label, 3), np.tile(score, 3))
    assert ignored.high - ignored.low < 0.7 * (once.high - once.low)


def test_interval_is_symmetric_on_the_logit_scale() -> None:
    label, score = binormal(40, 40, 0.85, np.random.default_rng(3))
    value, low, high, method = auroc_interval(label, score)
    centre, below, above = (math.log(x / (1 - x)) for x in (value, low, high))
    assert above - centre == pytest.approx(centre - below)
    assert method == "DeLong, logit"


def test_inverting_the_score_mirrors_the_interval() -> None:
    label, score = binormal(15, 25, 0.8, np.random.default_rng(4))
    right, wrong = auroc_interval(label, score), auroc_interval(label, -score)
    assert (wrong.value, wrong.low, wrong.high) == pytest.approx(
        (1 - right.value, 1 - right.high, 1 - right.low)
    )


@pytest.mark.parametrize("sign", [1, -1])
def test_complete_separation_does_not_claim_certainty(sign: int) -> None:
    label = np.r_[np.ones(10), np.zeros(10)]
    result = auroc_interval(label, sign * label)
    assert result.value == (1.0 if sign > 0 else 0.0)
    assert result.high - result.low > 0.05
    assert "separation" in result.method


def test_equal_scores_have_an_auroc_of_one_half() -> None:
    assert auroc_interval([0, 0, 1, 1], [0.3] * 4)[:3] == (0.5, 0.5, 0.5)


def test_a_variance_needs_two_patients_of_each_class() -> None:
    with pytest.raises(InputError, match="1 patient with a positive and 3"):
        auroc_interval([1, 0, 0, 0], [0.1, 0.2, 0.3, 0.4])
    with pytest.raises(InputError, match="1 patient with a positive and 2"):
        auroc_interval([1, 1, 0, 0], [0.1, 0.2, 0.3, 0.4], ["a", "a", "b", "c"])


def test_paired_difference_uses_the_covariance() -> None:
    rng = np.random.default_rng(5)
    label, first = binormal(30, 50, 0.8, rng)
    second = first + 0.8 * rng.normal(size=80)
    value, covariance = pair_by_pair(label, [first, second], np.arange(80))
    result = paired_delong(label, first, second)
    difference = value[0] - value[1]
    error = math.sqrt(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1])
    assert result.difference[:3] == pytest.approx(
        (difference, difference - Z * error, difference + Z * error)
    )
    assert result.p == pytest.approx(2 * norm.sf(abs(difference) / error))


def test_predictors_that_order_alike_do_not_differ() -> None:
    label, score = binormal(30, 50, 0.8, np.random.default_rng(6))
    result = paired_delong(label, score, np.exp(score))
    assert result.difference[:3] == (0.0, 0.0, 0.0)
    assert result.p == 1.0


def test_a_difference_without_variance_has_no_p() -> None:
    label = np.r_[np.ones(5), np.zeros(5)]
    result = paired_delong(label, label, -label)
    assert result.difference.value == 1.0
    assert math.isnan(result.p)
    assert math.isnan(result.difference.low)


def test_interval_covers_where_a_wald_interval_does_not() -> None:
    # AUROC .9 with 20 + 80 records: 4,000 simulations gave .939 (logit) and .893 (Wald).
    rng, n = np.random.default_rng(7), 1000
    covered = np.zeros(2)
    for _ in range(n):
        label, score = binormal(20, 80, 0.9, rng)
        logit = auroc_interval(label, score)
        error = math.sqrt(float(delong(label, score).covariance[0, 0]))
        covered += logit.low <= 0.9 <= logit.high, abs(logit.value - 0.9) <= Z * error
    logit_coverage, wald_coverage = covered / n
    assert abs(logit_coverage - 0.939) < 3 * monte_carlo_error(0.939, n)
    assert wald_coverage < logit_coverage - 0.02


def test_paired_test_rejects_true_equality_one_time_in_twenty() -> None:
    rng, n = np.random.default_rng(8), 1000
    rejected = 0
    for _ in range(n):
        label, shared = binormal(60, 60, 0.8, rng)
        first, second = (shared + 0.5 * rng.normal(size=120) for _ in range(2))
        rejected += paired_delong(label, first, second).p < 0.05
    assert abs(rejected / n - 0.05) < 3 * monte_carlo_error(0.05, n)


def test_within_folds_it_is_the_mean_of_the_folds_with_their_variances_added() -> None:
    rng = np.random.default_rng(4)
    label = (rng.random(300) < 0.4).astype(float)
    first, second = label + rng.normal(size=300), 0.5 * label + rng.normal(size=300)
    fold = np.arange(300) % 3
    found = delong(label, first, second, fold=fold)
    parts = [delong(*(part[fold == k] for part in (label, first, second))) for k in range(3)]
    np.testing.assert_allclose(found.value, np.mean([part.value for part in parts], axis=0))
    np.testing.assert_allclose(found.covariance, sum(part.covariance for part in parts) / 9)
    shifted = first + 10 * fold  # models of different folds may differ in scale
    np.testing.assert_allclose(delong(label, shifted, second, fold=fold).value, found.value)
    assert delong(label, shifted).value[0] < delong(label, first).value[0] - 0.05
    with pytest.raises(InputError, match="fold 1: "):
        delong(np.where(fold == 1, 1.0, label), first, fold=fold)
