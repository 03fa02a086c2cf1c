import math

import numpy as np
import pytest

from lsemvae.core.errors import InputError
from lsemvae.evaluation.statistics.prediction_interval import conformal_half_width, coverage


def test_half_width_is_the_rank_that_the_theorem_asks_for() -> None:
    errors = np.arange(1, 20)  # 19: ceil(20 x .9) = 18
    assert conformal_half_width(errors, nominal=0.9) == 18
    assert conformal_half_width(-errors, nominal=0.9) == 18
    assert conformal_half_width(errors, nominal=0.5) == 10


def test_too_few_patients_have_no_finite_interval() -> None:
    assert math.isinf(conformal_half_width(np.arange(8.0), nominal=0.9))
    assert conformal_half_width(np.arange(9.0), nominal=0.9) == 8


def test_records_of_a_patient_share_the_weight_of_one() -> None:
    errors, patient = np.arange(1, 20.0), np.arange(19)
    often = np.r_[errors, np.full(100, 1.0)]  # the patient with the smallest error came 101 times
    assert conformal_half_width(often, np.r_[patient, np.zeros(100, int)], nominal=0.9) == 18
    assert conformal_half_width(often, nominal=0.9) < 18


def test_intervals_hold_as_many_new_values_as_they_say() -> None:
    rng, held = np.random.default_rng(0), []
    for _ in range(400):
        half = conformal_half_width(rng.standard_t(3, 49), nominal=0.9)
        held.append((np.abs(rng.standard_t(3, 200)) <= half).mean())
    assert np.mean(held) == pytest.approx(0.9, abs=0.01)  # exactly .9 of 49: 45 / 50


def test_coverage_is_counted_with_both_ends() -> None:
    found = coverage([1, 2, 3, 4], [1, 0, 0, 5], [2, 2, 2, 6])
    assert found.value == 0.5
    assert found.method == "Wilson"
    by_patient = coverage([1, 2, 3, 4], [1, 0, 0, 5], [2, 2, 2, 6], [0, 0, 1, 1])
    assert by_patient.value == 0.5
    assert "by patient" in by_patient.method


def test_a_record_without_an_interval_is_refused() -> None:
    with pytest.raises(InputError, match="no finite prediction interval: 1 of 3 records"):
        coverage([1, 2, 3], [0, 0, np.nan], [4, 4, np.nan])
