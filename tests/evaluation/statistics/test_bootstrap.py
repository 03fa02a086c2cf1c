import time

import numpy as np
import pytest
from scipy.special import logit
from sklearn.metrics import roc_auc_score

from lsemvae.core.errors import InputError
from lsemvae.evaluation.statistics import bootstrap as module
from lsemvae.evaluation.statistics.binary_arrays import patient_codes
from lsemvae.evaluation.statistics.bootstrap import (
    bootstrap,
    bootstrap_draws,
    paired_bootstrap,
    patient_resamples,
    percentile,
)
from lsemvae.evaluation.statistics.delong import auroc_interval
from lsemvae.evaluation.statistics.metrics import METRICS, average_precision
from tests.evaluation.simulated import binormal, monte_carlo_error

AUROC = {"auroc": METRICS["auroc"]}


def test_resamples_keep_the_records_of_a_patient_together() -> None:
    label = np.array([True, True, False, False, True, False, False])
    codes = np.array([0, 0, 1, 1, 2, 3, 3])
    weight = np.concatenate(list(patient_resamples(label, codes, n_resamples=500, seed=0)))
    assert weight.shape == (500, 7)
    for first, second in ((0, 1), (2, 3), (5, 6)):
        assert (weight[:, first] == weight[:, second]).all()
    assert len(np.unique(weight[:, 0])) == 3  # drawn 0, 1 or 2 times


def test_resamples_keep_the_number_of_patients_of_each_label() -> None:
    label = np.array([True, False, True, True, False, False, False])
    codes = np.array([0, 0, 1, 2, 3, 4, 5])  # patient 0 has both labels
    (weight,) = patient_resamples(label, codes, n_resamples=200, seed=1)
    assert (weight[:, 0] == 1).all()
    assert (weight[:, [2, 3]].sum(axis=1) == 2).all()
    assert (weight[:, [4, 5, 6]].sum(axis=1) == 3).all()


def test_every_patient_is_drawn_once_on_average() -> None:
    label = np.arange(20) < 8
    (weight,) = patient_resamples(label, np.arange(20), n_resamples=20_000, seed=2)
    np.testing.assert_allclose(weight.mean(axis=0), 1, atol=0.03)
    np.testing.assert_allclose(weight[:, :8].var(), 1 - 1 / 8, atol=0.02)  # binomial


def test_resampled_metrics_equal_sklearn_on_the_drawn_records() -> None:
    label, score = binormal(9, 14, 0.8, np.random.default_rng(3))
    codes = patient_codes(np.arange(23) // 2, 23)
    draws = bootstrap_draws(
        label, {"a": score}, np.arange(23) // 2, metrics=AUROC, n_resamples=40, seed=4
    )
    (weight,) = patient_resamples(label == 1, codes, n_resamples=40, seed=4)
    expected = [
        roc_auc_score(np.repeat(label, row.astype(int)), np.repeat(score, row.astype(int)))
        for row in weight
    ]
    np.testing.assert_allclose(draws["a"].resampled["auroc"], expected, rtol=1e-12)


def test_interval_does_not_depend_on_how_many_are_computed_at_a_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    label, score = binormal(20, 30, 0.8, np.random.default_rng(5))
    codes = np.arange(50)
    whole = np.concatenate(list(patient_resamples(label == 1, codes, n_resamples=9, seed=6)))
    monkeypatch.setattr(module, "CHUNK_WEIGHTS", 100)
    parts = list(patient_resamples(label == 1, codes, n_resamples=9, seed=6))
    assert [len(part) for part in parts] == [2, 2, 2, 2, 1]
    assert np.concatenate(parts).shape == whole.shape
    assert bootstrap(label, score, n_resamples=9)["auroc"].low > 0.5


def test_same_seed_same_interval() -> None:
    label, score = binormal(20, 30, 0.8, np.random.default_rng(7))
    first, again, other = (
        bootstrap(label, score, metrics=AUROC, n_resamples=200, seed=seed) for seed in (1, 1, 2)
    )
    assert first == again
    assert first != other


def test_bootstrap_agrees_with_delong() -> None:
    label, score = binormal(150, 200, 0.8, np.random.default_rng(8))
    drawn, exact = bootstrap(label, score, metrics=AUROC)["auroc"], auroc_interval(label, score)
    assert drawn.value == pytest.approx(exact.value)
    assert (drawn.low, drawn.high) == pytest.approx((exact.low, exact.high), abs=0.006)


def test_records_copied_within_patients_do_not_narrow_the_interval() -> None:
    label, score = binormal(30, 40, 0.8, np.random.default_rng(9))
    once = bootstrap(label, score, np.arange(70), metrics=AUROC, seed=1)["auroc"]
    copied = bootstrap(
        np.tile(label, 2), np.tile(score, 2), np.tile(np.arange(70), 2), metrics=AUROC, seed=1
    )["auroc"]
    assert copied[:3] == pytest.approx(once[:3])


def test_a_method_against_itself_differs_by_exactly_zero() -> None:
    label, score = binormal(20, 30, 0.8, np.random.default_rng(10))
    result = paired_bootstrap(
        label, {"a": score, "b": 2 * score}, reference="a", metrics=AUROC, n_resamples=100
    )
    assert result["b"]["auroc"][:3] == (0.0, 0.0, 0.0)


def test_pairing_narrows_the_interval_of_a_difference() -> None:
    rng = np.random.default_rng(11)
    label, shared = binormal(60, 80, 0.8, rng)
    scores = {"a": shared, "b": shared + 0.3 * rng.normal(size=140)}
    paired = paired_bootstrap(label, scores, reference="a", metrics=AUROC)["b"]["auroc"]
    alone = [bootstrap(label, score, metrics=AUROC)["auroc"] for score in scores.values()]
    width = paired.high - paired.low
    assert paired.value == pytest.approx(alone[0].value - alone[1].value)
    assert width < 0.7 * min(one.high - one.low for one in alone)


def test_undefined_resamples_are_counted_in_the_method() -> None:
    result = percentile(0.5, np.array([0.4, np.nan, 0.6]))
    assert result.method.endswith("3 resamples, undefined in 1")
    assert np.isnan(percentile(np.nan, np.full(4, np.nan)).low)


def test_unusable_input_is_refused() -> None:
    with pytest.raises(InputError, match="1 patient with a positive"):
        bootstrap([1, 0, 0], [0.1, 0.2, 0.3])
    with pytest.raises(InputError, match="reference c is none of a, b"):
        paired_bootstrap([1, 0], {"a": [0, 1], "b": [1, 0]}, reference="c")


def test_percentile_interval_covers() -> None:
    # AUROC .8 with 100 + 100 records.
    rng, n = np.random.default_rng(12), 400
    covered = 0
    for seed in range(n):
        label, score = binormal(100, 100, 0.8, rng)
        interval = bootstrap(label, score, metrics=AUROC, n_resamples=500, seed=seed)["auroc"]
        covered += interval.low <= 0.8 <= interval.high
    assert abs(covered / n - 0.95) < 3 * monte_carlo_error(0.95, n)


@pytest.mark.slow
def test_ten_runs_of_900_patients_take_seconds() -> None:
    rng = np.random.default_rng(13)
    label, _ = binormal(500, 400, 0.8, rng)
    scores = {str(run): label + rng.normal(size=900) for run in range(10)}
    started = time.perf_counter()
    paired_bootstrap(label, scores, reference="0")
    assert time.perf_counter() - started < 10  # 0.7 s on one idle core


def test_the_interval_of_an_inverted_ranking_holds_its_own_precision() -> None:
    # every resample of a ranking at its worst is better: percentiles lie above the value
    score = np.arange(50.0)
    label = (score < 25).astype(float)
    found = bootstrap(label, score, metrics={"average_precision": average_precision})
    value, low, high, method = found["average_precision"]
    draws = bootstrap_draws(label, {"a": score}, metrics={"average_precision": average_precision})
    resampled = draws["a"].resampled["average_precision"]
    assert percentile(value, resampled).low > value
    assert low < value < high
    odds = logit([low, value, high])
    assert odds[1] - odds[0] == pytest.approx(odds[2] - odds[1])
    assert odds[1] - odds[0] == pytest.approx(1.959964 * resampled.std() / (value * (1 - value)))
    assert method == "bootstrap by patient, 2000 resamples, on log-odds"


def test_a_perfect_precision_has_the_interval_of_its_resamples() -> None:
    label = np.array([0, 0, 1, 1])
    found = bootstrap(label, label, metrics={"average_precision": average_precision})
    assert found["average_precision"][:3] == (1, 1, 1)
