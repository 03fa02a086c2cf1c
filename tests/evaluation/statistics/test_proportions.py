import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest
from statsmodels.stats.proportion import proportion_confint

from lsemvae.core.errors import InputError
from lsemvae.evaluation.statistics.proportions import proportion, wilson

# Newcombe 1998, doi:10.1002/(SICI)1097-0258(19980430)17:8<857::AID-SIM777>3.0.CO;2-E, table I,
# score method without continuity correction.
NEWCOMBE = [
    (81, 263, 0.2553, 0.3662),
    (15, 148, 0.0624, 0.1605),
    (0, 20, 0.0, 0.1611),
    (1, 29, 0.0061, 0.1718),
]


@pytest.mark.parametrize(("successes", "total", "low", "high"), NEWCOMBE)
def test_wilson_equals_the_published_examples(
    successes: int, total: int, low: float, high: float
) -> None:
    result = proportion(successes, total)
    assert (result.low, result.high) == pytest.approx((low, high), abs=5e-5)


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_equals_statsmodels_and_scipy(counts: tuple[int, int]) -> None:
    successes, total = counts
    low, high = wilson(successes, total)
    expected = proportion_confint(successes, total, method="wilson")
    assert (float(low), float(high)) == pytest.approx(expected, abs=1e-12)
    other = binomtest(successes, total).proportion_ci(method="wilson")
    assert (float(low), float(high)) == pytest.approx((other.low, other.high), abs=1e-12)


def test_many_at_once_equal_one_by_one() -> None:
    low, high = wilson([0, 3, 7], [7, 7, 7])
    for place, successes in enumerate((0, 3, 7)):
        one = proportion(successes, 7)
        assert (low[place], high[place]) == (one.low, one.high)
    assert low[0] == 0.0
    assert high[2] == 1.0


def test_a_share_of_nothing_is_undefined() -> None:
    assert np.isnan(proportion(0, 0).value)
    assert np.isnan(wilson([0], [0])).all()


def test_impossible_counts_are_refused() -> None:
    for successes, total in ((3, 2), (-1, 2)):
        with pytest.raises(InputError, match="0 <= successes <= total"):
            wilson(successes, total)
