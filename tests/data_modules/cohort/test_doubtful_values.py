"""Find values that stand for something else: another unit, a missing value, a sex in two words."""

from pathlib import Path

import pandas as pd
import pytest

from data_modules.cohort.checks import CohortLimits, check_cohort_values
from data_modules.cohort.labels import task_labels
from data_modules.cohort.table import read_cohort_table
from lsemvae.core.errors import InputError
from lsemvae.core.tasks import Thresholds


def read(folder: Path, column: str, cells: list[str]) -> tuple[pd.DataFrame, str]:
    lines = [f"record,patient_id,{column}", *(f"r{i},{i},{cell}" for i, cell in enumerate(cells))]
    (folder / "t.csv").write_text("\n".join(lines), encoding="utf-8")
    found = read_cohort_table(folder / "t.csv")
    return found.table, "\n".join(found.warnings)


@pytest.mark.parametrize(
    ("column", "cells", "told"),
    [
        ("mpap_mmhg", ["24", "3.2", "31"], "1 of 1 would be inside in kPa (row 3)"),
        ("mpap_mmhg", ["3.1", "3.2", "4.4"], "in kPa it would be 24 of the unit that the column"),
        ("pvr_dyn_s_cm5", ["240", "3", "310"], "1 of 1 would be inside in WU (row 3)"),
        ("mpap_mmhg", ["24", "99", "31", "99"], "99 in 2 rows and at most 31 in all others"),
        ("age_years", ["50", "99", "71", "99"], "99 in 2 rows and at most 71 in all others"),
        ("pawp_mmhg", ["12", "0", "14"], "pawp_mmhg is outside 1 to 60: 0"),
    ],
)
def test_what_stands_for_something_else_is_told_before_it_is_converted(
    column: str, cells: list[str], told: str, tmp_path: Path
) -> None:
    table, warnings = read(tmp_path, column, cells)
    assert told in warnings
    found = check_cohort_values(table, CohortLimits())
    assert any(told.partition(" (row")[0] in finding.message for finding in found)


def test_high_values_that_others_come_near_are_no_codes(tmp_path: Path) -> None:
    assert "missing value" not in read(tmp_path, "mpap_mmhg", ["99", "99", "90", "24"])[1]
    assert "missing value" not in read(tmp_path, "mpap_mmhg", ["99", "60", "40", "24"])[1]


@pytest.mark.parametrize(
    "words", [("y", "n"), ("T", "F"), ("J", "N"), ("positive", "NEGATIVE"), ("pos", "neg")]
)
def test_words_for_yes_and_no_are_labels(words: tuple[str, str], tmp_path: Path) -> None:
    table, warnings = read(tmp_path, "flag", [*words, "", words[0]])
    label = task_labels(table, "flag", Thresholds())
    assert label.tolist()[:2] == [1.0, 0.0]
    assert label.isna().tolist() == [False, False, True, False]
    assert "flag: words were read as numbers" in warnings


def test_wide_digits_are_no_numbers_that_vanish(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="mpap_mmhg is '\uff12\uff14', not a number"):
        read(tmp_path, "mpap_mmhg", ["24", "\uff12\uff14"])


@pytest.mark.parametrize("words", [["F", "female", "M"], ["f", "F"], ["F", "M", "x"]])
def test_a_sex_in_several_words_is_a_finding(words: list[str], tmp_path: Path) -> None:
    found = check_cohort_values(read(tmp_path, "sex", words)[0], CohortLimits())
    assert "write F and M" in next(one.message for one in found if one.check == "sex")


@pytest.mark.parametrize("words", [["F", "M", ""], ["female", "male"], ["1", "2"], ["0", "1"]])
def test_two_words_for_two_sexes_are_fine(words: list[str], tmp_path: Path) -> None:
    found = check_cohort_values(read(tmp_path, "sex", words)[0], CohortLimits())
    assert not [one for one in found if one.check == "sex"]
