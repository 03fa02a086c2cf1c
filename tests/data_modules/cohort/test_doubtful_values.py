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


def test_a_rounded_long_tail_holds_no_code_and_one_without_neighbours_does(tmp_path: Path) -> None:
    tail = ["0", "0", "10", "10", "20", "20", "30", "80", "99", "99"]
    assert "missing value" not in read(tmp_path, "pack_years", tail)[1]
    for coded in ([*tail, "99"], [*tail[:7], "99", "99"]):
        assert "missing value, leave it empty" in read(tmp_path, "pack_years", coded)[1]


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


@pytest.mark.parametrize("words", [["F", "M", ""], ["female", "male"]])
def test_two_words_for_two_sexes_are_fine(words: list[str], tmp_path: Path) -> None:
    found = check_cohort_values(read(tmp_path, "sex", words)[0], CohortLimits())
    assert not [one for one in found if one.check == "sex"]


@pytest.mark.parametrize(
    ("column", "cells", "told"),
    [
        ("lvef_percent", ["60", "-9", "55"], "-9 in 1 row and at least 55 in all others"),
        ("visits", ["3", "9999", "4", "9999"], "9999 in 2 rows and at most 4 in all others"),
        ("dead", ["0", "9", "1", "9"], "9 in 2 rows and at most 1 in all others"),
    ],
)
def test_codes_for_missing_are_told_in_columns_of_any_name(
    column: str, cells: list[str], told: str, tmp_path: Path
) -> None:
    assert told in read(tmp_path, column, cells)[1]


@pytest.mark.parametrize("cells", [["-9", "-3", "2"], ["9", "9", "8", "5"], ["-2", "0", "1"]])
def test_values_with_neighbours_are_no_codes(cells: list[str], tmp_path: Path) -> None:
    assert "missing value" not in read(tmp_path, "base_excess", cells)[1]


@pytest.mark.parametrize("name", ["mPAP", "mpap_mmhg.1", "mpap_mmhg_y", "MPAP_mmHg"])
def test_a_second_column_of_a_quantity_with_other_values_is_told(name: str, tmp_path: Path) -> None:
    text = f"record,patient_id,mpap_mmhg,{name}\na,1,31,31\nb,2,22,27\n"
    (tmp_path / "t.csv").write_text(text, encoding="utf-8")
    read_values = read_cohort_table(tmp_path / "t.csv")
    assert read_values.table["mpap_mmhg"].tolist() == [31, 22]
    assert f"the column '{name}' holds other values than mpap_mmhg" in read_values.warnings[0]


def test_a_resistance_in_dyn_is_not_offered_as_one_in_wood_units(tmp_path: Path) -> None:
    warnings = read(tmp_path, "PVR (dyn s cm-5)", ["240", "310"])[1]
    assert "--columns.pvr_dyn_s_cm5='PVR (dyn s cm-5)'" in warnings
    assert "pvr_wu" not in warnings
    assert "pvr_wu" not in read(tmp_path, "pvr_dyn_s_cm5", ["240", "310"])[1]


def test_a_mean_pressure_and_a_resistance_that_others_do_not_give_are_told(tmp_path: Path) -> None:
    cells = [f"{mean},80,20,10,4,{pvr}" for mean, pvr in ((40, 7.5), (57, 11.75), (40, 3))]
    _, warnings = read(
        tmp_path, "mpap_mmhg,spap_mmhg,dpap_mmhg,pawp_mmhg,cardiac_output_l_min,pvr_wu", cells
    )
    assert "most with 57 against 40.0 (row 3)" in warnings
    assert "PVR is more than 1 WU from (mPAP - PAWP) / CO" in warnings
    assert "(row 4)" in warnings
