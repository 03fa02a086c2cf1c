from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_modules.cohort.identity import alike_ids, plain_ids, refuse_alike_ids
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
    ],
)
def test_different_patients_are_not_alike(ids: tuple[str, ...]) -> None:
    assert alike_ids(pd.Series(ids)).groups == []


@given(st.integers(0, 10**18), st.integers(0, 5), st.integers(0, 4))
def test_whole_numbers_are_one_patient_however_they_are_padded(
    number: int, zeros: int, decimals: int
) -> None:
    padded = "0" * zeros + str(number) + ("." + "0" * decimals) * bool(decimals)
    assert plain_ids(pd.Series([padded])).tolist() == [str(number)]


def test_first_groups_are_named_and_all_are_counted() -> None:
    ids = pd.Series([text for n in range(1, 6) for text in (f"{n}", f"{n}.0")])
    with pytest.raises(InputError, match=r"5 patient\(s\).*'1' = '1.0', '2' = '2.0'.*2 more"):
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
    assert "30 patient(s) whose id is written in several ways: '1' = '1.0'" in (
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
