import numpy as np
import pytest

from lsemvae.core.errors import InputError
from lsemvae.evaluation.statistics.binary_arrays import check_binary, patient_codes


def test_labels_become_bool_and_scores_double_precision() -> None:
    label, score = check_binary([0, 1], np.array([0.25, 0.5], dtype=np.float32))
    assert label.tolist() == [False, True]
    assert score.dtype == np.float64


def test_all_faults_are_named_at_once() -> None:
    with pytest.raises(InputError, match=r"1 label is not 0 or 1, as 2.0; NaN: 1 of 3 scores"):
        check_binary([0, 1, 2], [0.5, np.nan, 0.5])


@pytest.mark.parametrize(
    ("label", "score", "said"),
    [
        ([], [], "no record"),
        ([1, 1], [0.2, 0.3], "all 2 labels are 1"),
        ([0, np.nan], [0.2, 0.3], "not 0 or 1, as nan"),
        ([0, 1], [0.2], "one of each per record"),
        ([[0, 1]], [[0.2, 0.1]], "one of each per record"),
        ([0, 1], [0.2, np.inf], "not finite"),
    ],
)
def test_unusable_input_is_refused(label: list[float], score: list[float], said: str) -> None:
    with pytest.raises(InputError, match=said):
        check_binary(label, score)


def test_a_score_outside_0_to_1_is_no_probability() -> None:
    assert check_binary([0, 1], [-3.0, 4.0])[1].tolist() == [-3.0, 4.0]
    with pytest.raises(InputError, match=r"2 scores are not in 0..1, as -3.0"):
        check_binary([0, 1], [-3.0, 4.0], probabilities=True)


def test_patients_are_numbered_from_zero_and_default_to_one_record_each() -> None:
    assert patient_codes(["b", "a", "b"], 3).tolist() == [1, 0, 1]
    assert patient_codes(None, 3).tolist() == [0, 1, 2]
    with pytest.raises(InputError, match="one per record"):
        patient_codes(["a"], 3)
    with pytest.raises(InputError, match="1 record has no patient"):
        patient_codes(["a", None, "b"], 3)
