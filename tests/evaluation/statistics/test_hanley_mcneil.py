import math

import pytest

from lsemvae.core.errors import InputError
from lsemvae.evaluation.statistics.estimate import Z
from lsemvae.evaluation.statistics.hanley_mcneil import (
    half_width,
    hanley_mcneil_variance,
    planned_auroc,
    separation_interval,
)


def test_variance_by_hand() -> None:
    # .893, 51 abnormal and 58 normal images: Q1 = .80668, Q2 = .84253, and
    # (.09555 + 50 * .00923 + 57 * .04508) / 2958 = .0010570, a standard error of .0325.
    assert math.sqrt(hanley_mcneil_variance(0.893, 51, 58)) == pytest.approx(0.0325, abs=5e-5)


def test_at_chance_the_variance_is_that_of_mann_whitney() -> None:
    # (m + n + 1) / (12 m n), with Q1 = Q2 = 1/3.
    assert hanley_mcneil_variance(0.5, 30, 50) == pytest.approx(81 / (12 * 30 * 50))


def test_four_times_the_patients_halve_the_interval() -> None:
    assert half_width(0.8, 4000, 0.3) == pytest.approx(half_width(0.8, 1000, 0.3) / 2, rel=2e-3)
    planned = planned_auroc(0.8, 691, 0.58)
    assert planned.high - planned.value == pytest.approx(half_width(0.8, 691, 0.58))


def test_separation_interval_ends_where_one_is_just_reached() -> None:
    low = separation_interval(1.0, 10, 15).low
    assert 1 - low == pytest.approx(Z * math.sqrt(hanley_mcneil_variance(low, 10, 15)))
    mirrored = separation_interval(0.0, 10, 15)
    assert (mirrored.value, mirrored.low, mirrored.high) == (0.0, 0.0, pytest.approx(1 - low))
    assert separation_interval(1.0, 100, 150).low > low


@pytest.mark.parametrize("given", [(1.2, 5, 5), (0.8, 0, 5)])
def test_impossible_plans_are_refused(given: tuple[float, int, int]) -> None:
    with pytest.raises(InputError, match="at least one of each"):
        hanley_mcneil_variance(*given)
