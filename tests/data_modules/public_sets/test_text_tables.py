"""Tables of public sets as other programs save them again, or as a broken download leaves them."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from data_modules.public_sets.code15 import code15_table
from data_modules.public_sets.csv_file import read_text_table
from data_modules.public_sets.echonext import echonext_table
from data_modules.public_sets.ptbxl import ptbxl_table
from lsemvae.core.errors import InputError
from tests.data_modules.public_sets.test_code15 import write_set as write_code15
from tests.data_modules.public_sets.test_echonext import write_set as write_echonext
from tests.data_modules.public_sets.test_ptbxl import write_tables

Change = Callable[[str], str]


def test_a_word_for_no_measurement_is_no_measurement(tmp_path: Path) -> None:
    folder = write_echonext(
        tmp_path, pasp_value=["NA", "30", "", "NaN", "<NA>", "40"],
        pasp_gte_45_flag=["0", "0", "1", "0", "0", "0"],
    )  # fmt: skip
    flag = echonext_table(folder).set_index("ecg_key")["pasp_gte_45_flag"]
    rows = ["e0", "e1", "e2", "e4", "e5"]  # e3 is of no split
    np.testing.assert_array_equal(flag[rows], [np.nan, 0, 1, np.nan, 0])


def test_ids_and_codes_with_decimals_are_the_same(tmp_path: Path) -> None:
    ids = {"exam_id": ["11.0", "12.0", "13.0", "14.0"], "patient_id": ["1.0", "1.0", "2.0", "3.0"]}
    exams = code15_table(write_code15(tmp_path / "code15", **ids))
    assert exams["exam_id"].tolist() == ["11", "12", "13"]
    assert exams["patient_id"].tolist() == ["1", "1", "2"]
    assert exams["record"].tolist() == [
        "exams_part0.hdf5#1", "exams_part0.hdf5#0", "exams_part1.hdf5#0",
    ]  # fmt: skip
    write_tables(tmp_path / "ptbxl", sex={0: "1.0", 1: "0.0", 2: ""})
    assert ptbxl_table(tmp_path / "ptbxl", "hr")["sex"].tolist()[:4] == ["F", "M", "", "F"]


@pytest.mark.parametrize(
    ("column", "cell", "problem"),
    [
        ("sex", "male", "line 4 of sex holds 'male', expected 0 or 1"),
        ("age", "56,5", "line 4 of age holds '56,5', expected a number"),
        ("strat_fold", "II", "line 4 of strat_fold holds 'II', expected a number"),
    ],
)
def test_a_cell_that_says_something_else_is_named(
    column: str, cell: str, problem: str, tmp_path: Path
) -> None:
    write_tables(tmp_path, **{column: {2: cell}})
    with pytest.raises(InputError, match=re.escape(problem)):
        ptbxl_table(tmp_path, "hr")


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda text: text.replace("3\n", "3,x\n"), "line 2 has 4 cells, the first has 3"),
        (lambda text: text[:-3], "line 3 has 2 cells, the first has 3; download it again"),
        (lambda text: text.replace(",", ";"), "has no column b; it has a;b;c"),
        (lambda text: "<html>login</html>\n", "it is a web page: download the table itself"),
        (lambda text: text.replace("2", '"2', 1), "is no CSV table"),
        (lambda text: "a,b,c\n", "no lines below its names"),
    ],
)  # fmt: skip
def test_lines_of_another_length_are_refused_not_moved(
    change: Change, problem: str, tmp_path: Path
) -> None:
    (tmp_path / "t.csv").write_text(change("a,b,c\n1,2,3\n4,5,6\n"))
    with pytest.raises(InputError, match=re.escape(problem)):
        read_text_table(tmp_path / "t.csv", ("b",), "the set")


def test_empty_cells_at_the_ends_of_lines_and_a_mark_change_nothing(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("\ufeffa,b\r\n1,2,\r\n\r\n3,NA,\r\n", "utf-8")
    table = read_text_table(tmp_path / "t.csv", ("a", "b"), "the set")
    assert table.to_dict("list") == {"a": ["1", "3"], "b": ["2", ""]}
