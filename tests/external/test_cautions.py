"""What a reader of an external validation has to know."""

from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from lsemvae.external.performance import cautions


def evidence_of(patients: list[str], codes: list[str]) -> Any:
    return SimpleNamespace(
        events=(200, 200), knows_patients=True, label="PH",
        measures={"auroc": SimpleNamespace(value=0.9, low=0.85, high=0.95)},
        model=SimpleNamespace(task=SimpleNamespace(label="PH")),
        table=pd.DataFrame({"code": codes, "patient_id": patients}),
    )  # fmt: skip


def test_one_patient_under_two_spellings_is_told() -> None:
    (text,) = cautions(evidence_of(["7", "P1", "007"], ["", "", ""]))
    assert text.startswith("1 patient whose id is written in several ways: '7' = '007'.")


@pytest.mark.parametrize(("n_known", "said"), [(0, ""), (1, "1 recording was withheld"),
                                               (47, "47 recordings were withheld")])  # fmt: skip
def test_patients_with_ids_of_the_training_are_counted_with_the_way_out(
    n_known: int, said: str
) -> None:
    """Another hospital numbers its patients from 1, too."""
    codes = ["trained_on"] * n_known + ["uncertain", ""]
    evidence = evidence_of([f"P{i + 1}" for i in range(len(codes))], codes)
    found = [text for text in cautions(evidence) if "withheld" in text]
    assert len(found) == bool(said)
    assert all(text.startswith(said) and "--patient_prefix" in text for text in found)
