"""`prepare mimic-rhc`: the table it writes is prepared, and files that cannot be are named."""

import hashlib
import json
import shlex
import sys
from pathlib import Path
from typing import Any

import pytest
from catheter_tables import A, B, cohort, run
from mimic_files import CHART, MimicFiles, write_csv

from data_modules.cohort.table import read_cohort_table
from data_modules.simulation.files import write_mimic
from data_modules.store.read import EcgStore
from lsemvae.cli import main


def test_the_printed_command_prepares_the_cohort(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    listed = write_mimic(tmp_path / "ecg", n_patients=2, seed=1)
    made = MimicFiles()
    for subject, stamp in listed.groupby("subject_id")["ecg_time"].max().items():
        for itemid, value in ((220059, 50), (220060, 20), (220061, 30), (223771, 15)):
            made.chart.append((subject, 1, 2, 3, stamp, stamp, itemid, value, value, "mmHg", 0))
        made.patients.append((subject, "M", 70, int(stamp[:4]), "2014 - 2016", ""))
    write_csv(tmp_path / "iv/icu/chartevents.csv.gz", CHART, made.chart)
    write_csv(
        tmp_path / "iv/hosp/patients.csv.gz",
        ("subject_id", "gender", "anchor_age", "anchor_year", "anchor_year_group", "dod"),
        made.patients,
    )
    assert run(tmp_path) == 0
    printed = capsys.readouterr().out
    assert "2 patients, one ECG each" in printed
    assert "mPAP above 20 mmHg in 2 of 2" in printed
    assert "PAWP above 15 mmHg in 0 of 2" in printed
    (line,) = [line for line in printed.splitlines() if line.startswith("next: lsemvae ")]
    assert main(shlex.split(line)[2:]) == 0
    store = EcgStore(tmp_path / "out.h5")
    assert len(store) == 2
    assert store.table["age_years"].tolist() == [70.0, 70.0]
    assert store.label == "MIMIC-IV catheters"


def test_the_table_has_no_problem_and_no_warning(files: MimicFiles, tmp_path: Path) -> None:
    cohort(files, tmp_path)
    assert read_cohort_table(tmp_path / "out.csv").warnings == []


def test_all_missing_files_and_columns_are_listed_at_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_csv(tmp_path / "iv/icu/chartevents.csv", ("subject_id", "itemid", "itemid"), [])
    (tmp_path / "ecg").mkdir()
    (tmp_path / "ecg/record_list.csv.gz").write_bytes(b"not gzip")
    assert run(tmp_path) == 2
    error = capsys.readouterr().err
    assert "4 problems" in error
    assert "lacks the columns stay_id, charttime, valuenum, valueuom, warning" in error
    assert "names the columns itemid more than once" in error
    assert "there is neither" in error
    assert "patients.csv.gz nor patients.csv" in error
    assert "record_list.csv.gz cannot be read" in error


def test_a_file_that_ends_early_is_one_line(
    files: MimicFiles, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for value in range(20_000):
        files.read(B, "10 12:00", "mpap", value % 97)
    path = files.write(tmp_path) / "iv/icu/chartevents.csv.gz"
    path.write_bytes(path.read_bytes()[:-2000])
    assert run(tmp_path) == 2
    error = capsys.readouterr().err
    assert "Unexpected end of GZIP stream" in error
    assert "is the file whole, the disk full?" in error
    assert len(error.splitlines()) == 1
    assert not (tmp_path / "out.csv").exists()


def test_files_are_compared_with_the_published_digests(
    files: MimicFiles, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = files.write(tmp_path) / "iv/icu/chartevents.csv.gz"
    published = hashlib.sha256(path.read_bytes()).hexdigest()
    (tmp_path / "iv/SHA256SUMS.txt").write_text(f"{published} icu/chartevents.csv.gz\n")
    assert run(tmp_path) == 0
    assert "names hosp/patients.csv.gz, record_list.csv\n" in capsys.readouterr().out
    described = json.loads((tmp_path / "out.csv.flow.json").read_text())["files"]
    assert [file["verified"] for file in described] == [True, False, False]
    assert described[0]["sha256"] == published
    # DuckDB itself reads a file whose checksum at its end is wrong without a word
    path.write_bytes(path.read_bytes()[:-6] + b"\0\0" + path.read_bytes()[-4:])
    assert run(tmp_path) == 2
    assert f"published was {published[:12]}; download again" in capsys.readouterr().err


def test_a_ragged_row_is_named(
    files: MimicFiles, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files.chart.append((A, 1, 2))
    assert run(files.write(tmp_path)) == 2
    error = capsys.readouterr().err
    assert "Expected Number of Columns: 11 Found: 3" in error
    assert "strict_mode" not in error


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--rules.mpap_mmhg", "[50, 10]"], "mpap_mmhg must be a lower and a higher pressure"),
        (["--rules.window_hours", "0"], "window_hours must be above 0"),
        (["--rules.min_readings", "0"], "min_readings must be 1 or more"),
        (["--ecg.days_before", "-1"], "days_before and days_after must be in 0 to 3650"),
        (["--ecg.days_before", "0"], "not both 0"),
        (["--out", "x.txt"], "out must name a .csv file"),
    ],
)
def test_wrong_options_are_named(
    files: MimicFiles,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
    message: str,
) -> None:
    try:
        code: Any = run(files.write(tmp_path), *options)
    except SystemExit as stopped:
        code = stopped.code
    assert code == 2
    assert message in capsys.readouterr().err


def test_a_chart_without_catheters_and_a_patient_listed_twice_are_named(
    files: MimicFiles, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files.patient(A)
    assert run(files.write(tmp_path)) == 2
    assert f"patients lists subject {A} more than once" in capsys.readouterr().err
    files.chart.clear()
    assert run(files.write(tmp_path)) == 2
    assert "chartevents holds no row with the itemids 220059" in capsys.readouterr().err


def test_without_duckdb_the_extra_is_named(
    files: MimicFiles,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "duckdb", None)
    assert run(files.write(tmp_path)) == 2
    assert "pip install -c constraints.txt -e '.[mimic]'" in capsys.readouterr().err


def test_a_table_of_others_stays_and_another_of_ours_is_told(
    files: MimicFiles, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "out.csv"
    table.write_text("patient,age\n1,2\n")
    assert run(files.write(tmp_path)) == 2
    assert f"cannot write {table}: it exists and this command did not" in capsys.readouterr().err
    table.unlink()
    assert run(tmp_path) == 0
    assert run(tmp_path) == 0
    assert "replaced" not in capsys.readouterr().err
    files.read(B, "10 12:00", "mpap", 31)
    assert run(files.write(tmp_path)) == 0
    assert f"note: {table}.flow.json replaced another result, of 2" in capsys.readouterr().err
