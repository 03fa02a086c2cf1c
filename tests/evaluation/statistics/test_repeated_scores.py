import numpy as np
import pandas as pd
import pytest

from lsemvae.evaluation.statistics.delong import auroc_interval, delong, paired_delong
from lsemvae.evaluation.statistics.repeated_scores import RepeatedScores


def simulated(seed: int = 0, n_records: int = 120) -> tuple[pd.DataFrame, np.random.Generator]:
    random = np.random.default_rng(seed)
    label = (random.uniform(size=n_records) < 0.4).astype(float)
    patient = (np.arange(n_records) // 2).astype(str)
    return pd.DataFrame(
        {"label": label, "patient_id": patient, "fold": (np.arange(n_records) // 2) % 3}
    ), random


def test_one_seed_and_one_draw_are_delongs_comparison() -> None:
    cohort, random = simulated()
    one, other = random.normal(size=(2, 1, 1, 120)) + cohort["label"].to_numpy()
    found = RepeatedScores(cohort, {"a": one, "b": other}).difference("a", "b")
    expected = paired_delong(
        cohort["label"], one[0, 0], other[0, 0], patient_id=cohort["patient_id"],
        fold=cohort["fold"],
    )  # fmt: skip
    np.testing.assert_allclose(found.difference[:3], expected.difference[:3])
    assert found.p == pytest.approx(expected.p)


def test_mean_and_spread_are_over_seeds_and_draws() -> None:
    cohort, random = simulated()
    scores = random.normal(size=(3, 4, 120)) + cohort["label"].to_numpy()
    rows = RepeatedScores(cohort, {"a": scores})
    each = np.array(
        [[auroc_interval(cohort["label"], score, cohort["patient_id"], fold=cohort["fold"]).value
          for score in seed] for seed in scores]
    )  # fmt: skip
    np.testing.assert_allclose(rows.values("a"), each)
    mean = rows.mean("a")
    assert mean.auroc.value == pytest.approx(each.mean())
    assert mean.sd_seeds == pytest.approx(each.mean(1).std(ddof=1))
    assert mean.sd_draws == pytest.approx(each.mean(0).std(ddof=1))


def test_the_same_scores_several_times_have_the_interval_of_one_of_them() -> None:
    cohort, random = simulated()
    score = random.normal(size=120) + cohort["label"].to_numpy()
    many = RepeatedScores(cohort, {"a": np.tile(score, (2, 5, 1))}).mean("a").auroc
    alone = RepeatedScores(cohort, {"a": score[None, None]}).mean("a").auroc
    np.testing.assert_allclose(many[:3], alone[:3])


def test_draws_that_move_both_rows_alike_leave_their_difference_alone() -> None:
    cohort, random = simulated()
    draws = random.normal(size=(1, 6, 120)) * 2 + cohort["label"].to_numpy()
    found = RepeatedScores(cohort, {"a": draws, "b": draws}).difference("a", "b")
    assert found.difference.low == found.difference.high == 0.0


def test_another_seed_widens_the_interval_by_its_standard_error() -> None:
    cohort, random = simulated()
    label = cohort["label"].to_numpy()
    seeds = np.stack([random.normal(size=120) + shift * label for shift in (0.5, 2.0)])[:, None]
    mean = RepeatedScores(cohort, {"a": seeds}).mean("a").auroc
    found = delong(label, *seeds[:, 0], patient_id=cohort["patient_id"], fold=cohort["fold"])
    patients = found.covariance.mean()
    of_seeds = found.value.var(ddof=1) / 2
    assert mean.high - mean.value == pytest.approx(1.95996 * np.sqrt(patients + of_seeds), rel=1e-4)
