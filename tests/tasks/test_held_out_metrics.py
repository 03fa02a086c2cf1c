import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lsemvae.evaluation.predictions import summarise
from lsemvae.evaluation.statistics.metrics import Metrics, binary_metrics
from lsemvae.tasks.held_out_metrics import HeldOutMetrics

# Few values make ties, and one half is the threshold itself.
SCORES = st.sampled_from([0.0, 0.1, 0.25, 0.49999997, 0.5, 0.50000006, 0.75, 1.0])
RECORDS = st.lists(st.tuples(st.booleans(), SCORES), min_size=2, max_size=40).filter(
    lambda rows: len({label for label, _ in rows}) == 2
)


def logged(label: list[float], score: list[float], *, batch: int) -> Metrics:
    metrics = HeldOutMetrics()
    for start in range(0, len(label), batch):
        metrics.update(torch.tensor(score[start : start + batch]),
                       torch.tensor(label[start : start + batch]))  # fmt: skip
    return metrics.compute()


@given(RECORDS, st.integers(1, 7))
def test_log_and_table_have_the_same_numbers(rows: list[tuple[bool, float]], batch: int) -> None:
    label = [float(positive) for positive, _ in rows]
    score = np.array([value for _, value in rows], np.float32).tolist()
    table = pd.DataFrame({"label": label, "probability": score, "fold": 0, "patient_id": "p"})
    both = pd.concat([table, table.assign(fold=1)])
    expected = binary_metrics(label, score)
    assert logged(label, score, batch=batch) == expected
    assert summarise(both)["folds"] == [expected._asdict()] * 2


@pytest.mark.parametrize("score", [[0.1, 0.2, 0.3, 0.1], [0.6, 0.7, 0.9, 0.5]])
def test_mcc_is_zero_where_all_records_are_called_alike(score: list[float]) -> None:
    found = logged([0.0, 1.0, 1.0, 0.0], score, batch=3)
    assert found.mcc == 0.0
    assert found.accuracy == 0.5


def test_one_half_is_called_positive() -> None:
    assert logged([1.0, 0.0], [0.5, 0.4], batch=2) == Metrics(auroc=1.0, accuracy=1.0, mcc=1.0)


def test_what_is_undefined_is_nan_and_ends_nothing() -> None:
    alone = logged([1.0, 1.0], [0.9, 0.2], batch=2)
    assert np.isnan(alone.auroc)
    assert (alone.accuracy, alone.mcc) == (0.5, 0.0)
    assert np.isnan(logged([1.0, 0.0], [0.9, float("nan")], batch=1)).all()
