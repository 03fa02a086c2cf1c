"""Columns of groups in which one group is written in several ways."""

import pandas as pd
import pytest

from data_modules.cohort.group_words import (
    alike_groups,
    check_group_columns,
    group_word_findings,
    tell_group_words,
)
from lsemvae.core.errors import InputError


def column(*cells: str | None) -> pd.Series:
    return pd.Series([*cells, *cells], name="site")


def test_one_site_in_several_spellings_is_told_with_each() -> None:
    text = alike_groups(column("North", "north", "NORTH ", "South", "", None))
    assert text.startswith("site writes 1 group in several ways: 'North' = 'north' = 'NORTH ';")


@pytest.mark.parametrize(
    "cells",
    [("North", "South", "Süd"), ("II", "III"), ("1", "10", "A1"), ("", None), ("A", "A+", "A-")],
)
def test_different_groups_are_not_told(cells: tuple[str | None, ...]) -> None:
    assert alike_groups(column(*cells)) == ""


def test_numbers_and_free_text_are_no_groups() -> None:
    assert alike_groups(pd.Series([1.0, 2.0, 1.0], name="n")) == ""
    assert alike_groups(pd.Series(["seen", "Seen", "late", "no sign", "none"], name="note")) == ""


def test_ids_dates_sexes_and_columns_told_as_mixed_are_left_to_their_own_checks() -> None:
    table = pd.DataFrame({
        "record": ["a", "A"] * 4, "patient_id": ["p", "P"] * 4, "sex": ["f", "F"] * 4,
        "smoker": ["yes", "No", "no", "1"] * 2, "ward": ["A", "a"] * 4,
    })  # fmt: skip
    assert [one.where for one in group_word_findings(table)] == [("ward",)]


def test_a_result_that_is_split_by_such_a_column_says_so(
    capsys: pytest.CaptureFixture[str],
) -> None:
    table = pd.DataFrame({"site": column("N", "n"), "age_years": [1.0, 2.0, 3.0, 4.0]})
    tell_group_words(table, ["age_years", "site", "not_there"])
    assert capsys.readouterr().out.startswith("warning: site writes 1 group in several ways")


def test_a_column_of_nearly_as_many_groups_as_rows_splits_nothing() -> None:
    table = pd.DataFrame({"patient_id": range(60), "ward": [n % 30 for n in range(60)],
                          "age_years": [n / 7 for n in range(60)]})  # fmt: skip
    check_group_columns(table, ["ward", "age_years"], "c.h5")
    with pytest.raises(InputError, match=r"patient_id of c.h5 holds 60 groups, .* by 30 at most"):
        check_group_columns(table, ["patient_id"], "c.h5")
    with pytest.raises(InputError, match=r"c.h5 has no column wards; it has .*did you mean ward\?"):
        check_group_columns(table, ["wards"], "c.h5")
