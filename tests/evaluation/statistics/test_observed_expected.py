import numpy as np
import pytest

from lsemvae.evaluation.statistics.bootstrap import bootstrap
from lsemvae.evaluation.statistics.observed_expected import observed_expected
from tests.evaluation.simulated import predictions


def test_ratio_and_interval_are_those_of_a_hand_calculation() -> None:
    # O = 2, E = 1.6, ratio 1.25; residuals .25, -.25, .5, -.5 with sum of squares .625
    found = observed_expected([1, 0, 1, 0], [0.6, 0.2, 0.4, 0.4])
    assert found.value == pytest.approx(1.25)
    error = np.sqrt(0.625 * 4 / 3) / 2
    assert found.low == pytest.approx(1.25 * np.exp(-1.959964 * error))
    assert found.high == pytest.approx(1.25 * np.exp(1.959964 * error))


def test_copies_of_every_record_of_a_patient_do_not_narrow_the_interval() -> None:
    table = predictions(60)
    once = observed_expected(table["label"], table["probability"], table["patient_id"])
    twice = observed_expected(*(np.tile(table[name], 2) for name in
                                ("label", "probability", "patient_id")))  # fmt: skip
    assert twice[:3] == pytest.approx(once[:3])


def test_interval_is_that_of_a_bootstrap_by_patient_in_a_large_sample() -> None:
    table = predictions(3000, records_per_patient=3)
    columns = [table[name].to_numpy() for name in ("label", "probability", "patient_id")]

    def ratio(label: np.ndarray, score: np.ndarray, weight: np.ndarray) -> np.ndarray:  # type: ignore[type-arg]
        return np.asarray(weight @ label / (weight @ score))

    drawn = bootstrap(*columns, metrics={"ratio": ratio}, n_resamples=400)["ratio"]
    found = observed_expected(*columns)
    assert found.value == pytest.approx(drawn.value)
    # the bootstrap keeps the number of positives, and so is narrower
    assert found.high - found.low > drawn.high - drawn.low
