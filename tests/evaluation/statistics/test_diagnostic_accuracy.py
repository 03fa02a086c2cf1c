import math

import numpy as np
import pytest
from statsmodels.stats.contingency_tables import Table2x2
from statsmodels.stats.proportion import proportion_confint

from lsemvae.core.errors import InputError
from lsemvae.evaluation.statistics.diagnostic_accuracy import (
    Counts,
    at_prevalences,
    count_outcomes,
    diagnostic_accuracy,
    likelihood_ratios,
    predictive_values,
)
from tests.evaluation.simulated import monte_carlo_error

COUNTS = Counts(true_positive=90, false_positive=30, false_negative=10, true_negative=170)


def test_outcomes_are_counted() -> None:
    label = [1, 1, 1, 0, 0, 0, 0, 1]
    called = [1, 1, 0, 1, 0, 0, 0, 1]
    assert count_outcomes(label, called) == Counts(3, 1, 1, 3)
    assert count_outcomes([0, 0], [True, False]) == Counts(0, 1, 0, 1)


def test_accuracy_by_hand() -> None:
    values = {name: estimate.value for name, estimate in diagnostic_accuracy(COUNTS).items()}
    assert values == pytest.approx(
        {"sensitivity": 0.9, "specificity": 0.85, "ppv": 0.75, "npv": 170 / 180,
         "lr_positive": 6.0, "lr_negative": 0.1 / 0.85, "diagnostic_odds_ratio": 51.0}
    )  # fmt: skip


def test_intervals_equal_statsmodels() -> None:
    result = diagnostic_accuracy(COUNTS)
    for name, counts in {
        "sensitivity": (90, 100), "specificity": (170, 200), "ppv": (90, 120), "npv": (170, 180)
    }.items():  # fmt: skip
        assert result[name][1:3] == pytest.approx(proportion_confint(*counts, method="wilson"))
    table = Table2x2([[90, 10], [30, 170]])
    assert result["lr_positive"][1:3] == pytest.approx(table.riskratio_confint())
    assert result["diagnostic_odds_ratio"][1:3] == pytest.approx(table.oddsratio_confint())
    swapped = Table2x2([[10, 90], [170, 30]])
    assert result["lr_negative"][1:3] == pytest.approx(swapped.riskratio_confint())


def test_a_zero_count_adds_one_half_and_says_so() -> None:
    result = diagnostic_accuracy(Counts(10, 0, 2, 20))
    assert result["specificity"].value == 1.0
    expected = Table2x2([[10.5, 2.5], [0.5, 20.5]])
    assert result["lr_positive"][:3] == pytest.approx(
        (expected.riskratio, *expected.riskratio_confint())
    )
    assert "0.5 added" in result["diagnostic_odds_ratio"].method
    assert "0.5 added" not in result["specificity"].method


@pytest.mark.parametrize(
    ("counts", "lacking", "word"),
    [
        (Counts(0, 0, 5, 7), ("ppv", "lr_positive", "diagnostic_odds_ratio"), "positive"),
        (Counts(5, 7, 0, 0), ("npv", "lr_negative", "diagnostic_odds_ratio"), "negative"),
    ],
)
def test_a_test_that_says_one_thing_only_has_no_figures_of_the_other(
    counts: Counts, lacking: tuple[str, ...], word: str
) -> None:
    result = diagnostic_accuracy(counts)
    assert {name for name, found in result.items() if math.isnan(found.value)} == set(lacking)
    assert result[lacking[1]].method == f"nobody is called {word}"
    for row in at_prevalences(counts).values():
        assert math.isnan(row[lacking[0]].value)
        assert row[lacking[0]].method == f"nobody is called {word}"
        assert sum(math.isnan(found.value) for found in row.values()) == 1


def test_one_class_only_is_refused() -> None:
    with pytest.raises(InputError, match="positive and negative"):
        diagnostic_accuracy(Counts(3, 0, 1, 0))


def test_predictive_values_follow_bayes() -> None:
    # Sensitivity .9, specificity .85 at 10 %: of 1,000 people 90 of 100 and 135 of 900 are called.
    ppv, npv = predictive_values(COUNTS, 0.1)
    assert ppv.value == pytest.approx(90 / (90 + 135))
    assert npv.value == pytest.approx(765 / (765 + 10))
    assert ppv.low < ppv.value < ppv.high
    assert npv.low < npv.value < npv.high


def test_at_the_prevalence_of_the_data_they_are_those_of_the_data() -> None:
    ppv, npv = predictive_values(COUNTS, 100 / 300)
    assert (ppv.value, npv.value) == pytest.approx((90 / 120, 170 / 180))


def test_interval_is_the_logit_interval_of_mercaldo() -> None:
    # doi:10.1002/sim.2677: var logit PPV = (1 - se) / (se n1) + sp / ((1 - sp) n0).
    ppv, npv = predictive_values(COUNTS, 0.05)
    for estimate, variance in (
        (ppv, 0.1 / (0.9 * 100) + 0.85 / (0.15 * 200)),
        (npv, 0.9 / (0.1 * 100) + 0.15 / (0.85 * 200)),
    ):
        value, low, high = (math.log(x / (1 - x)) for x in estimate[:3])
        assert (high - value, value - low) == pytest.approx([1.959964 * math.sqrt(variance)] * 2)


def test_the_screening_prevalences_are_tabulated() -> None:
    table = at_prevalences(COUNTS)
    assert list(table) == ["0.01", "0.03", "0.05", "0.1", "0.2"]
    values = [row["ppv"].value for row in table.values()]
    assert values == sorted(values)
    with pytest.raises(InputError, match="between 0 and 1, got 1"):
        predictive_values(COUNTS, 1.0)


def test_likelihood_ratio_interval_covers() -> None:
    rng, n = np.random.default_rng(0), 2000
    covered = 0
    for tp, fp in zip(rng.binomial(100, 0.8, n), rng.binomial(150, 0.2, n), strict=True):
        positive, _ = likelihood_ratios(Counts(int(tp), int(fp), int(100 - tp), int(150 - fp)))
        covered += positive.low <= 4.0 <= positive.high
    assert abs(covered / n - 0.95) < 3 * monte_carlo_error(0.95, n)
