import numpy as np
import pytest

from lsemvae.core.errors import InputError
from lsemvae.evaluation.statistics.label_sensitivity import label_sensitivity
from lsemvae.evaluation.statistics.performance import performance
from tests.evaluation.simulated import predictions


def test_each_definition_has_its_own_population() -> None:
    table = predictions(200)
    label = table["label"].to_numpy()
    narrow = np.where(np.arange(200) < 50, np.nan, label)
    result = label_sensitivity(table, {"as trained": label, "narrow": narrow, "turned": 1 - label})
    part = table.iloc[50:]
    assert result["narrow"] == performance(part["label"], part["probability"], part["patient_id"])
    assert result["narrow"].n_records == 150
    assert result["turned"].auroc.value == pytest.approx(1 - result["as trained"].auroc.value)


def test_a_definition_without_both_classes_is_suppressed() -> None:
    table = predictions(40)
    result = label_sensitivity(table, {"all": np.ones(40), "none": np.full(40, np.nan)})
    assert "0 with a negative" in result["all"].suppressed
    assert result["none"].suppressed == "no record"


def test_labels_of_another_length_or_kind_are_refused() -> None:
    with pytest.raises(InputError, match=r"strict has shape \(3,\) for 40"):
        label_sensitivity(predictions(40), {"strict": [0, 1, 1]})
    with pytest.raises(InputError, match="not 0 or 1"):
        label_sensitivity(predictions(40), {"strict": np.full(40, 2.0)})
