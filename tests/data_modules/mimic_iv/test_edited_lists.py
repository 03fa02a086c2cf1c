"""`prepare mimic-rhc` of tables that a spreadsheet, a data frame or a broken download changed."""

import csv
import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from mimic_files import MimicFiles

from lsemvae.cli import main

A, B = 10_000_032, 10_000_084
LIST, PATIENTS, CHART = "ecg/record_list.csv", "iv/hosp/patients.csv", "iv/icu/chartevents.csv"
Change = Callable[[bytes], bytes]


def run(folder: Path, name: str = "", change: Change | None = None) -> int:
    """Write the tables of two patients, change one of them, and run the command."""
    files = MimicFiles()
    for number, patient in enumerate((A, B)):
        files.patient(patient, age=60 + number)
        files.pressures(patient, "05 10:00", 40, 27 + number, 18)
        files.read(patient, "05 10:00", "pawp", 12)
        files.ecg(patient, "04 09:00", 40_000_000 + number)
    files.write(folder, zipped=False)
    if change is not None:
        (folder / name).write_bytes(change((folder / name).read_bytes()))
    return main(
        ["prepare", "mimic-rhc", "--mimic_iv", str(folder / "iv"), "--mimic_ecg",
         str(folder / "ecg"), "--out", str(folder / "out.csv")]
    )  # fmt: skip


def rows(folder: Path) -> list[dict[str, str]]:
    """Return the rows of the table."""
    with (folder / "out.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def indexed(content: bytes) -> bytes:
    """Put a column of row numbers without name before the others, as pandas writes it."""
    first, *others = content.splitlines()
    return b"\n".join([b"," + first, *(b"%d,%s" % pair for pair in enumerate(others)), b""])


@pytest.mark.parametrize(
    ("name", "change"),
    [
        (LIST, lambda b: b.replace(b"\n1000", b"\n 1000").replace(b",400", b".0,400", 1)),
        (PATIENTS, lambda b: b.replace(b"10000032,", b"10000032.0,").replace(b",60,", b",60.0,")),
        (CHART, lambda b: b.replace(b"10000032,", b"10000032.0,").replace(b"0061,", b"0061.0,")),
        (LIST, indexed),
        (LIST, lambda b: b.replace(b"\n", b",\r\n")),
        (LIST, lambda b: b"\xef\xbb\xbf" + b.replace(b"subject_id", b"SUBJECT_ID")),
        (CHART, lambda b: b.replace(b",mmHg,", b", mm Hg,")),
    ],
)  # fmt: skip
def test_what_still_says_the_same_gives_the_same_table(
    name: str, change: Change, tmp_path: Path
) -> None:
    assert run(tmp_path / "plain") == run(tmp_path / "changed", name, change) == 0
    assert rows(tmp_path / "changed") == rows(tmp_path / "plain")
    patients = [tmp_path / one / "out.csv.patients.txt" for one in ("plain", "changed")]
    assert patients[0].read_text() == patients[1].read_text() == f"{A}\n{B}\n"
    assert [row["age_years"] for row in rows(tmp_path / "changed")] == ["62", "63"]


@pytest.mark.parametrize(
    ("name", "change", "problem"),
    [
        (LIST, lambda b: b.replace(b"\n10000032", b"\n1.0000032E7"), "'1.0000032E7' is no id"),
        (CHART, lambda b: b.replace(b"\n10000032", b"\nP32"), "subject_id 'P32' is no id"),
        (LIST, lambda b: b.replace(b"p10000032", b"p99999999"), "is that of another patient"),
        (LIST, lambda b: b[:-30], "does not end with the study of its row (1 row)"),
        (LIST, lambda b: b.replace(b"2150-03-04 09:00:00", b"04.03.2150 09:00"),
         "no ecg_time can be read, such as '04.03.2150 09:00'"),
        (LIST, lambda b: b.replace(b",", b";"), "if a spreadsheet has saved it"),
        (LIST, lambda b: b"<html>login</html>", "it is a web page: download the table itself"),
        (LIST, lambda b: b"", "it is empty: download it again"),
        (CHART, gzip.compress, "it is packed: name it .csv.gz"),
    ],
)  # fmt: skip
def test_what_cannot_be_true_is_named_with_its_first_cell(
    name: str, change: Change, problem: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path, name, change) == 2
    error = capsys.readouterr().err
    assert problem in error
    assert "download" in error or "name it" in error
    assert not (tmp_path / "out.csv").exists()


@pytest.mark.parametrize("word", [b"1.0", b"True"])
def test_a_warned_reading_is_removed_however_the_mark_is_written(
    word: bytes, tmp_path: Path
) -> None:
    assert run(tmp_path, CHART, lambda b: b.replace(b",27,27,mmHg,0", b",27,27,mmHg," + word)) == 0
    flow = json.loads((tmp_path / "out.csv.flow.json").read_text())["flow"]
    assert flow["readings"]["mpap"] == {"kept": 1, "warned": 1}
    assert [row["patient_id"] for row in rows(tmp_path)] == [str(B)]


def test_single_cells_that_cost_a_patient_or_an_age_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "one").mkdir()
    assert run(tmp_path / "one", LIST, lambda b: b.replace(b"2150-03-04 09", b"soon 09", 1)) == 0
    assert "note: 1 recording has no time that can be read" in capsys.readouterr().out
    (tmp_path / "two").mkdir()
    assert run(tmp_path / "two", PATIENTS, lambda b: b.replace(b",60,", b",>89,")) == 0
    assert "note: 1 patient has no age" in capsys.readouterr().out
    (tmp_path / "three").mkdir()
    decimal = b',"27,5","27,5",'
    assert run(tmp_path / "three", CHART, lambda b: b.replace(b",27,27,", decimal)) == 0
    assert "note: readings that rules removed: no_number 1" in capsys.readouterr().out


def test_a_table_under_another_name_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path) == 0
    (tmp_path / LIST).rename(tmp_path / "ecg/record-list.csv")
    arguments = ["--mimic_iv", str(tmp_path / "iv"), "--mimic_ecg", str(tmp_path / "ecg")]
    assert main(["prepare", "mimic-rhc", *arguments, "--out", str(tmp_path / "o.csv")]) == 2
    told = capsys.readouterr().err
    assert "record-list.csv in its folder has its columns: rename it" in told
    (tmp_path / "ecg/record-list.csv").write_text("measurement,unit\nqrs,ms\n")
    assert main(["prepare", "mimic-rhc", *arguments, "--out", str(tmp_path / "o.csv")]) == 2
    told = capsys.readouterr().err
    assert "its folder has record-list.csv with other columns: download it" in told
