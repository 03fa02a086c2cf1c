import math

import numpy as np
import pytest

from lsemvae.core.errors import InputError
from lsemvae.evaluation.statistics.delong import auroc_interval
from lsemvae.evaluation.statistics.metrics import binary_metrics
from lsemvae.evaluation.statistics.performance import performance
from tests.evaluation.simulated import predictions


def test_metrics_are_those_of_the_functions() -> None:
    table = predictions(100, records_per_patient=2)
    columns = table["label"], table["probability"], table["patient_id"]
    result = performance(*columns)
    expected = binary_metrics(*columns[:2])
    assert result.auroc == auroc_interval(*columns)
    assert (result.accuracy, result.mcc) == (expected.accuracy, expected.mcc)
    assert (result.n_records, result.n_patients) == (100, 50)
    assert result.n_positive == table["label"].sum()
    assert result.suppressed == ""


def test_a_part_too_small_says_why_and_nothing_else() -> None:
    label = np.r_[np.ones(30), np.zeros(9)]
    result = performance(label, np.linspace(0, 1, 39))
    assert result.suppressed == (
        "30 patients with a positive and 9 with a negative record; at least 10 of each are needed"
    )
    assert math.isnan(result.auroc.value)
    assert math.isnan(result.brier)
    assert performance(label, np.linspace(0, 1, 39), minimum=9).suppressed == ""


def test_patients_are_counted_not_records() -> None:
    label = np.r_[np.ones(30), np.zeros(30)]
    patient = np.r_[np.arange(30), np.full(30, 99)]
    result = performance(label, np.linspace(0, 1, 60), patient)
    assert result.suppressed.startswith("30 patients with a positive and 1 with a negative")


def test_nothing_and_one_class_are_suppressed() -> None:
    assert performance([], []).suppressed == "no record"
    assert "at least 2 of each" in performance([1, 1], [0.2, 0.3], minimum=0).suppressed


def test_missing_scores_are_refused_not_suppressed() -> None:
    with pytest.raises(InputError, match="NaN"):
        performance([1, 0], [0.2, np.nan])
