import shutil
from pathlib import Path

import pandas as pd
import pytest

from lsemvae.cli import main
from tests.conftest import BEATS, error_of


def test_consistent_cohort_has_no_findings(
    recordings: Path, cohort: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for source in (["--table", str(recordings / "cohort/cohort.csv")], ["--store", str(cohort)]):
        capsys.readouterr()
        assert main(["check", "cohort", *source]) == 0
        text = capsys.readouterr().out
        assert "60 records, 60 patients" in text
        assert "nothing was found" in text


def test_everything_wrong_is_listed_at_once(
    recordings: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = pd.read_csv(recordings / "cohort/cohort.csv", dtype=str)
    table.loc[0, "mpap_mmhg"] = "high"
    table.loc[1, "mpap_mmhg"] = "400"
    table.loc[2, "record"] = table["record"][3]
    table.loc[4, ["pawp_mmhg", "ecg_date"]] = ["75", "1999-01-01"]
    table["PH"] = "1"
    path, out = tmp_path / "cohort.csv", tmp_path / "findings.csv"
    table.to_csv(path, index=False)
    assert main(["check", "cohort", "--table", str(path), "--out", str(out),
                 "--labels.detection=PH", "--expected.records=61"]) == 1  # fmt: skip
    assert "row 2: mpap_mmhg is 'high', not a number" in capsys.readouterr().out
    found = pd.read_csv(out)
    checks = {"cell", "value or unit", "pressure order", "label", "ECG to catheter", "group sizes",
              "missing"}  # fmt: skip
    assert checks <= set(found["check"])
    assert found[found["check"] == "pressure order"]["where"].iloc[0].startswith("row 6")


def test_copied_recording_is_found_in_a_store(
    recordings: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = pd.read_csv(recordings / "cohort/cohort.csv", dtype=str)
    copied, name = (
        shutil.copytree(recordings / "cohort/records", tmp_path / "r"),
        table["record"][0],
    )
    header = (copied / f"{name}.hea").read_text()
    (copied / "twin.hea").write_text(header.replace(name, "twin"))
    shutil.copy(copied / f"{name}.dat", copied / "twin.dat")
    twin = table.iloc[[0]].assign(record="twin", patient_id="another", age_years="33")
    pd.concat([table, twin]).to_csv(tmp_path / "table.csv", index=False)
    store = tmp_path / "store.h5"
    assert main(["prepare", "cohort", "--table", str(tmp_path / "table.csv"), "--source",
                 str(copied), "--out", str(store), *BEATS]) == 0  # fmt: skip
    capsys.readouterr()
    assert main(["check", "cohort", "--store", str(store)]) == 1
    text = capsys.readouterr().out
    assert f"{name}, twin: identical waveforms under different patients" in text


def test_what_prepare_doubted_in_the_signals_is_found_in_a_store(
    recordings: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copied = shutil.copytree(recordings / "cohort/records", tmp_path / "r")
    table = recordings / "cohort/cohort.csv"
    name = pd.read_csv(table, dtype=str)["record"][0]
    header = (copied / f"{name}.hea").read_text()
    swapped = header.replace(" aVR\n", " x\n").replace(" aVL\n", " aVR\n").replace(" x\n", " aVL\n")
    assert swapped != header
    (copied / f"{name}.hea").write_text(swapped)
    store = tmp_path / "store.h5"
    assert main(["prepare", "cohort", "--table", str(table), "--source", str(copied),
                 "--out", str(store), *BEATS]) == 0  # fmt: skip
    capsys.readouterr()
    assert main(["check", "cohort", "--store", str(store)]) == 1
    text = capsys.readouterr().out
    assert f"{name}: limb_leads_inconsistent in 1 recording: the limb leads break" in text


def test_none_in_a_text_is_a_word_and_not_a_missing_value(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "table.csv"
    path.write_text("record,patient_id,therapy\na,P1,none\nb,P2,sildenafil\nc,P3,None\n")
    assert main(["check", "cohort", "--table", str(path)]) == 0
    assert "nothing was found" in capsys.readouterr().out


def test_a_column_that_looks_like_an_identity_is_a_finding(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "table.csv"
    path.write_text("record,patient_id,birth_date\na,P1,1950-01-01\nb,P2,1951-02-01\n")
    assert main(["check", "cohort", "--table", str(path)]) == 1
    text = capsys.readouterr().out
    assert "header: the column 'birth_date' is named like a name, a birth date" in text


def test_rows_and_headers_of_a_wrong_form_are_findings_with_a_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "table.csv"
    path.write_text("record,patient_id,a,a\nr1,p1,1,2\nr2,p2\n")
    assert main(["check", "cohort", "--table", str(path)]) == 1
    text = capsys.readouterr().out
    assert "header: the column 'a' occurs more than once\n" in text
    assert "row 3: it has 2 cells, the header has 4\n" in text


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], "give either --table or --store"),
        (["--table", "none.csv"], "there is no table none.csv"),
        (["--store", "none.h5"], "none.h5"),
        (["--store", "none.h5", "--sheet", "x"], "--sheet is of a workbook; give it with --table"),
    ],
)
def test_what_cannot_be_read_is_one_line(
    arguments: list[str], expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", "cohort", *arguments]) == 2
    assert expected in error_of(capsys)


def test_option_that_names_nothing_is_one_line(
    cohort: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", "cohort", "--store", str(cohort), "--labels.detection=PH"]) == 2
    assert "needs the column 'PH'" in error_of(capsys)
