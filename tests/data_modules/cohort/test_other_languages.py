"""Tables as spreadsheets of other languages and hand-kept lists write them, by the front door."""

from pathlib import Path

import pandas as pd
import pytest

from data_modules.cohort.identity import alike_ids
from data_modules.cohort.table import read_cohort_table
from lsemvae.cli import main
from tests.conftest import error_of


def check(path: Path, text: str) -> int:
    """Write a table and check it."""
    path.write_text(text, encoding="utf-8")
    return main(["check", "cohort", "--table", str(path)])


@pytest.mark.parametrize(
    ("words", "numbers"),
    [
        ("WAHR FALSCH", [1, 0]), ("Ja Nein", [1, 0]), ("VRAI FAUX", [1, 0]), ("oui non", [1, 0]),
        ("VERO FALSO", [1, 0]), ("VERDADERO FALSO", [1, 0]), ("s\u00ed no", [1, 0]),
        ("sim n\u00e3o", [1, 0]), ("TRUE FALSE", [1, 0]),
    ],
)  # fmt: skip
def test_yes_and_no_of_other_languages_are_labels(
    tmp_path: Path, words: str, numbers: list[int]
) -> None:
    yes, no = words.split()
    path = tmp_path / "t.csv"
    path.write_text(f"record,patient_id,ph\na,1,{yes}\nb,2,{no}\nc,3,#NV\n", encoding="utf-8")
    read = read_cohort_table(path)
    assert read.table["ph"].tolist()[:2] == numbers
    assert pd.isna(read.table["ph"][2])
    assert f"{yes.lower()} as 1" in read.warnings[0]


@pytest.mark.parametrize("word", ["#NV", "#N/D", "k.A.", "#DIV/0!", "#WERT!", "unknown", "n.a."])
def test_what_stands_for_no_number_is_missing_and_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], word: str
) -> None:
    text = f"record;patient_id;mpap_mmhg\na;1;31,5\nb;2;{word}\nc;3;22\n"
    assert check(tmp_path / "t.csv", text) == 1
    shown = capsys.readouterr().out
    assert f"note: mpap_mmhg: read as empty: 1 cell with {word}" in shown
    assert "mpap_mmhg is missing in 1 of 3 rows" in shown
    assert read_cohort_table(tmp_path / "t.csv").table["mpap_mmhg"].tolist()[::2] == [31.5, 22.0]


@pytest.mark.parametrize("date", ["2020", "2020-05", "0020-01-05", "44197", "31.12.2020"])
def test_a_date_that_is_no_day_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], date: str
) -> None:
    assert check(tmp_path / "t.csv", f"record,patient_id,ecg_date\na,1,{date}\n") == 1
    assert f"ecg_date is '{date}'; expected YYYY-MM-DD" in capsys.readouterr().out
    assert check(tmp_path / "t.csv", "record,patient_id,ecg_date\na,1,20201231\n") == 0


def test_lines_above_the_table_are_told_by_their_number(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "# exported by the laboratory\n\nrecord,patient_id,age_years\na,1,60\nb,2,61\n"
    assert check(tmp_path / "t.csv", text) == 2
    assert "row 1 is no line of column names; the table seems to begin in row 3" in error_of(capsys)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("\uff11\uff12", "12"), ("P\u20131", "P-1"), ("A\u00a01", "a1"), ("a\u200b1", "A1"),
        ("1,0", "1"), ("1E+02", "100"), ("P007", "p7"),
    ],
)  # fmt: skip
def test_ids_that_look_alike_are_one_patient(one: str, other: str) -> None:
    assert alike_ids(pd.Series([one, other, "x"])).groups == [(one, other)]


def test_ids_that_differ_stay_apart() -> None:
    assert not alike_ids(pd.Series(["10", "1", "1.5", "15", "P-1", "P1", "a1b", "ab1"])).groups
