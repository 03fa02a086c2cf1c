import numpy as np
import pandas as pd
import pytest

from data_modules.cohort.labels import binary_columns, number_values, task_labels
from lsemvae.core.errors import InputError
from lsemvae.core.tasks import Thresholds

TABLE = pd.DataFrame(
    {
        "record": list("abcdefg"),
        "mpap_mmhg": [20.0, 20.5, 30.0, 45.0, np.nan, 25.0, 18.0],
        "pawp_mmhg": [18.0, 15.0, 15.5, 12.0, 20.0, np.nan, 9.0],
        "AFIB": [1.0, 0.0, np.nan, 1.0, 0.0, 0.0, 1.0],
        "grade": [0.0, 1.0, 2.0, 1.0, 0.0, 3.0, 1.0],
        "constant": [1.0] * 7,
        "sex": ["m", "f", "", "m", "f", "f", "m"],
        "text_flag": ["1", "0", "", "1", "0", "0", "1"],
    }
)
NAN = np.nan


def labels(task: str, table: pd.DataFrame = TABLE, **thresholds: float) -> list[float]:
    return task_labels(table, task, Thresholds(**thresholds)).tolist()


@pytest.mark.parametrize(
    ("thresholds", "expected"),
    [
        ({}, [0, 1, 1, 1, NAN, 1, 0]),  # above 20 mmHg; 20 is not
        ({"mpap_mmhg": 25.0}, [0, 0, 1, 1, NAN, 0, 0]),
    ],
)
def test_detection_is_a_pressure_above_the_threshold(
    thresholds: dict[str, float], expected: list[float]
) -> None:
    np.testing.assert_array_equal(labels("detection", **thresholds), expected)


@pytest.mark.parametrize(
    ("thresholds", "expected"),
    [
        # only records with hypertension and a wedge pressure take part; above 15 is post-capillary
        ({}, [NAN, 0, 1, 0, NAN, NAN, NAN]),
        ({"pawp_mmhg": 12.0}, [NAN, 1, 1, 0, NAN, NAN, NAN]),
        ({"mpap_mmhg": 25.0, "pawp_mmhg": 18.0}, [NAN, NAN, 0, 0, NAN, NAN, NAN]),
    ],
)
def test_phenotype_is_asked_among_hypertension_only(
    thresholds: dict[str, float], expected: list[float]
) -> None:
    np.testing.assert_array_equal(labels("phenotype", **thresholds), expected)


def test_any_binary_column_is_a_task() -> None:
    np.testing.assert_array_equal(labels("AFIB"), [1, 0, NAN, 1, 0, 0, 1])
    np.testing.assert_array_equal(labels("text_flag"), [1, 0, NAN, 1, 0, 0, 1])


def test_binary_columns_hold_both_values_and_nothing_else() -> None:
    assert binary_columns(TABLE) == ["AFIB"]


@pytest.mark.parametrize(
    ("task", "message"),
    [
        ("afib", r"task 'afib' needs the column 'afib'.*binary columns: AFIB; did you mean AFIB"),
        ("mPAP", r"a number \(mpap_mmhg, .*did you mean mpap_mmhg\?$"),
        ("precapillary", r"did you mean pre_capillary\?$"),
        ("detection+phenotype", r"several labels at once are A,B .*AFIB$"),
        ("grade", r"task 'grade' needs a column of 0 and 1; it also holds 2, 3"),
        ("sex", r"column 'sex' holds '\w+' for record \S+; expected a number"),
    ],
)
def test_a_column_that_is_no_label_is_refused(task: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        labels(task)


@pytest.mark.parametrize("task", ["detection", "phenotype"])
def test_a_missing_pressure_is_named(task: str) -> None:
    column = "mpap_mmhg" if task == "detection" else "pawp_mmhg"
    with pytest.raises(InputError, match=f"task '{task}' needs the column '{column}'"):
        labels(task, TABLE.drop(columns=column))


def test_a_task_without_any_label_is_refused() -> None:
    with pytest.raises(InputError, match="no record has a label for task 'phenotype'"):
        labels("phenotype", mpap_mmhg=60.0)


def test_text_among_pressures_is_refused_and_an_empty_field_is_not() -> None:
    table = pd.DataFrame({"record": ["a", "b", "c"], "mpap_mmhg": ["31", "", "19.5"]})
    np.testing.assert_array_equal(labels("detection", table), [1, NAN, 0])
    table.loc[1, "mpap_mmhg"] = "n/a"
    with pytest.raises(InputError, match="column 'mpap_mmhg' holds 'n/a' for record b"):
        labels("detection", table)


def test_a_number_is_the_column_and_missing_where_it_was_not_measured() -> None:
    found = number_values(TABLE, "pawp_mmhg", Thresholds())
    np.testing.assert_array_equal(found, TABLE["pawp_mmhg"])
    with pytest.raises(InputError, match="needs the vascular resistance"):
        number_values(TABLE, "pvr_wu", Thresholds())


def test_an_infinite_number_names_its_record() -> None:
    table = TABLE.assign(mpap_mmhg=[np.inf, *TABLE["mpap_mmhg"][1:]])
    with pytest.raises(InputError, match="holds inf for record a"):
        number_values(table, "mpap_mmhg", Thresholds())
