"""The day of a recording by its own file against `ecg_date` of the table."""

from pathlib import Path

import pandas as pd
import pytest

from data_modules.conversion.prepare import prepare_cohort
from data_modules.conversion.recorded_days import recorded_day_doubts
from tests.data_modules.conftest import WriteRecord
from tests.data_modules.conversion.test_altered_copies import hearts

FILES = pd.date_range("2019-03-01", periods=10, freq="9D")


def said(folder: Path, stated: pd.Series, files: pd.DatetimeIndex = FILES) -> tuple[str, ...]:
    for number, day in enumerate(files):
        first = f"r{number} 12 500 5000 10:00:00 {day:%d/%m/%Y}"
        (folder / f"r{number}.hea").write_text(f"{first}\n")
    table = pd.DataFrame({"record": [f"r{number}" for number in range(10)], "ecg_date": stated})
    return recorded_day_doubts(table, folder)


def dates(days: pd.DatetimeIndex) -> pd.Series:
    return pd.Series(days.strftime("%Y-%m-%d"))


def test_equal_dates_and_those_around_midnight_are_not_told(tmp_path: Path) -> None:
    stated = dates(FILES)
    stated[3] = f"{FILES[3] + pd.Timedelta(days=1):%Y-%m-%d}T00:10:00"
    stated[4] = None
    assert said(tmp_path, stated) == ()


def test_rows_with_the_date_of_another_recording_are_named(tmp_path: Path) -> None:
    stated = dates(FILES)
    stated[[1, 2]] = stated[[2, 1]].to_numpy()
    (text,) = said(tmp_path, stated)
    assert text == (
        "ecg_date is another day than the recording's own file says in 2 of 10 recordings with "
        "both (r1 by 9 days, r2 by 9 days): do these rows stand beside their own recordings?"
    )


def test_a_column_that_slipped_by_a_row_is_no_shift_of_dates(tmp_path: Path) -> None:
    (text,) = said(tmp_path, dates(FILES).iloc[[*range(1, 10), 0]].reset_index(drop=True))
    assert "in 10 of 10 recordings" in text
    assert text.endswith("do these rows stand beside their own recordings?")


@pytest.mark.parametrize(
    ("moved", "words"),
    [
        ([1462] * 10, "(all 1,462 days later): does a program count from another day?"),
        (list(range(100, 200, 10)), "were the dates shifted to hide whose they are"),
    ],
)
def test_dates_that_nearly_all_differ_are_told_once(
    tmp_path: Path, moved: list[int], words: str
) -> None:
    (text,) = said(tmp_path, dates(FILES + pd.to_timedelta(moved, unit="D")))
    assert "in 10 of 10 recordings" in text
    assert words in text


def test_the_day_of_a_conversion_in_all_files_says_nothing(tmp_path: Path) -> None:
    assert said(tmp_path, dates(FILES), pd.DatetimeIndex(["2020-05-12"] * 10)) == ()


def test_prepare_tells_it(
    write_record: WriteRecord, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number, one in enumerate(hearts(2) / 1000):
        write_record(f"s/r{number}", one)
        header = tmp_path / f"s/r{number}.hea"
        first, *rest = header.read_text().splitlines()
        day = f"{' '.join(first.split()[:4])} 10:00:00 0{number + 1}/05/2020"
        header.write_text("\n".join([day, *rest, ""]))
    (tmp_path / "t.csv").write_text(
        "record,patient_id,ecg_date\nr0,a,2020-05-01\nr1,b,2019-05-02\n"
    )
    prepare_cohort(str(tmp_path / "t.csv"), str(tmp_path / "s"), str(tmp_path / "o.h5"))
    assert "(r1 by 366 days)" in capsys.readouterr().out
