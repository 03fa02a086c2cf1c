import pandas as pd
import pytest

from lsemvae.core.errors import InputError
from lsemvae.evaluation.statistics.inner_predictions import inner_by_fold
from tests.evaluation.simulated import inner_of, predictions


def test_every_fold_gets_the_predictions_of_its_training_part() -> None:
    table = predictions(50)
    parts = inner_by_fold(table, inner_of(table))
    assert sorted(parts) == [0, 1, 2, 3, 4]
    for fold, part in parts.items():
        assert set(part["record"]) == set(table["record"][table["fold"] != fold])


def test_all_faults_of_all_folds_are_named_at_once() -> None:
    table = predictions(50)
    inner = inner_of(table)
    inner = inner[inner["fold"] != 0]
    inner.loc[inner["fold"] == 1, "label"] = 1.0
    inner.loc[inner.index[inner["fold"] == 2][0], "probability"] = None
    held_out = table[table["fold"] == 3].head(1).drop(columns="uncertainty")
    twice = inner[inner["fold"] == 4].head(1)
    with pytest.raises(InputError) as caught:
        inner_by_fold(table, pd.concat([inner, held_out, twice]))
    for said in (
        "fold 0: none",
        "fold 1: labels [1.0]",
        "fold 2: 1 probabilities are missing",
        "fold 3: record r0003 is held out",
        "fold 3: patient_id p0003 is held out",
        "fold 4: record r0000 is predicted twice",
    ):
        assert said in str(caught.value)


def test_missing_columns_are_named() -> None:
    table = predictions(50)
    with pytest.raises(InputError, match="no column fold, label"):
        inner_by_fold(table, inner_of(table).drop(columns=["label", "fold"]))
