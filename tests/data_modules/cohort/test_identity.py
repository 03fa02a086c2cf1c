from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_modules.cohort.identity import (
    alike_ids,
    cut_ids,
    dates_for_ids,
    plain_ids,
    refuse_alike_ids,
)
from lsemvae.cli import main
from lsemvae.core.errors import InputError
from tests.conftest import BEATS, error_of


@pytest.mark.parametrize(
    "spellings",
    [
        ("1", "1.0", "01", "1.", "1,0", "1.00E+00", "+0001"[1:]),
        ("007", "7", "7.0"),
        ("10000032", "10000032.0", "1.0000032E+07", "1,0000032e7"),
        ("P007", "p7", "P 7", "p\u00a0007"),
        ("ab-01-3", "AB-1-003"),
        ("12345678901234567890", "12345678901234567890.0"),
        ("0", "00", "0.0"),
        ("'007", "007", '"7"', "\u0667"),
        ("1.5", "1.50", "1,500"[:3] + "0"),
        ("1234567", "1,234,567", "1.234.567", "1'234'567"),
        ("M\u00fc1", "Mu\u03081", "M\u00fc1.", "\ufeffM\u00fc1"),
        ("A-1", "A\u20111", "A\u30fc1", "A\u05be1", "A\ufe631", "A_1", "A~1"),
        ("A/1", "A\u20441", "A\u22151"),
        ("P7", "P7.0", "P007.0", "P7;", "\u00abP7\u00bb", "\u201eP7\u201c"),
        ("120000", "1.2E+05", "1.2e+005", "12.E4", "+120000", "\uff11\uff12\uff10000"),
        ("I1", "\u01301", "\u01311"),
        ("S1", "\u04051"),
        ("J1", "\u04081"),
        ("Z1", "\u03961"),
        ("A1", "\u0410" + "1", "\u0391" + "1", "a\ufe0f1"),
    ],
)
def test_spellings_of_one_patient_are_alike(spellings: tuple[str, ...]) -> None:
    assert alike_ids(pd.Series(spellings)).groups == [spellings]


@pytest.mark.parametrize(
    "ids",
    [
        ("1", "10", "100", "1001"),
        ("1.5", "1.05", "1.50x"),
        ("1", "-1"),
        ("a1", "a10", "b1", "1a"),
        ("1.5E+00", "15"),
        ("12345678901234567890", "12345678901234567891"),  # one number as floats
        ("3e", "3", "e3"),
        ("1.234", "1234"),
        ("#5", "5", "(5)"),
        (".7", "7", "P.7", "P7.01"),
        ("1.0.0", "1.0", "V1.0.0"),
    ],
)
def test_different_patients_are_not_alike(ids: tuple[str, ...]) -> None:
    assert alike_ids(pd.Series(ids)).groups == []


@pytest.mark.parametrize(
    "cut", ["1.23457E+11", "1,23457e11", "1.2345678901234568e+16", "12345678901234568.0"]
)
def test_ids_that_lost_digits_are_refused(
    cut: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "t.csv"
    table.write_text(f'record,patient_id\na,"{cut}"\nb,2\n')
    assert main(["check", "cohort", "--table", str(table)]) == 1
    assert "patient id has lost digits in a spreadsheet" in capsys.readouterr().out
    prepare = ["prepare", "cohort", "--table", str(table), "--source", str(tmp_path)]
    assert main([*prepare, "--out", str(tmp_path / "s.h5")]) == 2
    assert cut in capsys.readouterr().err


@pytest.mark.parametrize("whole", ["1E5", "123E10", "1.0000032E+07", "1.0", "1.5E+00", "1.23E-05"])
def test_ids_that_lost_nothing_are_taken(whole: str) -> None:
    assert cut_ids(pd.Series([whole, "2"])) == []


def test_long_numbers_that_all_end_in_zeros_have_lost_digits() -> None:
    ids = pd.Series([f"{n}234567890123400" for n in range(10, 14)])
    assert "all 4 long patient ids have lost digits" in cut_ids(ids)[0]
    assert cut_ids(ids[:3]) == []
    assert cut_ids(pd.concat([ids, pd.Series(["1234567890123456"])])) == []


@pytest.mark.parametrize("date", ["1-Feb", "Feb-01", "01. Mrz", "2024-02-01 00:00:00"])
def test_an_id_that_became_a_date_is_found(date: str) -> None:
    assert repr(date) in dates_for_ids(pd.Series([date, "3-17"]))
    assert dates_for_ids(pd.Series([date, "2-Feb"])) == ""
    assert dates_for_ids(pd.Series(["MAR-001", "BER-002", "D-Mark-7"])) == ""


@given(st.integers(0, 10**18), st.integers(0, 5), st.integers(0, 4))
def test_whole_numbers_are_one_patient_however_they_are_padded(
    number: int, zeros: int, decimals: int
) -> None:
    padded = "0" * zeros + str(number) + ("." + "0" * decimals) * bool(decimals)
    assert plain_ids(pd.Series([padded])).tolist() == [str(number)]


def test_ids_that_look_the_same_are_shown_by_their_codes() -> None:
    assert r"'M\xfc1' = 'Mu\u03081'" in str(alike_ids(pd.Series(["M\u00fc1", "Mu\u03081"])))
    assert "'M\u00fc1' = 'm\u00fc1'" in str(alike_ids(pd.Series(["M\u00fc1", "m\u00fc1"])))


def test_first_groups_are_named_and_all_are_counted() -> None:
    ids = pd.Series([text for n in range(1, 6) for text in (f"{n}", f"{n}.0")])
    with pytest.raises(InputError, match=r"5 patients.*'1' = '1.0', '2' = '2.0'.*2 more"):
        refuse_alike_ids(ids, "t.csv")


def _spelt_in_two_ways(recordings: Path, folder: Path) -> Path:
    """Return the cohort's table with two recordings for each of 30 numbered patients."""
    table = pd.read_csv(recordings / "cohort/cohort.csv", dtype=str)
    number = pd.Series(table.index // 2 + 1).astype(str)
    table["patient_id"] = number.where(table.index % 2 == 0, number + ".0")
    table.to_csv(folder / "t.csv", index=False)
    return folder / "t.csv"


def test_one_patient_in_two_spellings_reaches_no_fold_unseen(
    recordings: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table, store = _spelt_in_two_ways(recordings, tmp_path), str(tmp_path / "s.h5")
    source = str(recordings / "cohort/records")
    main(["check", "cohort", "--table", str(table)])
    assert "30 patients whose id is written in several ways: '1' = '1.0'" in (
        capsys.readouterr().out
    )
    prepare = ["prepare", "cohort", "--table", str(table), "--source", source, "--out", store]
    assert main([*prepare, *BEATS]) == 2
    assert "'1' = '1.0'" in error_of(capsys)
    assert not Path(store).exists()
    assert main([*prepare, *BEATS, "--distinct_ids", "true"]) == 0
    cv = ["cv", "--cohort", store, "--method", "resnet1d", "--size", "small", "--epochs", "1",
          "--folds", "2", "--leads", "I", "--out", str(tmp_path / "cv")]  # fmt: skip
    assert main(cv) == 2
    assert "--distinct_ids true" in error_of(capsys)
    assert not (tmp_path / "cv").exists()
