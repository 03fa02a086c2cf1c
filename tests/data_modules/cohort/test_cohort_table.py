"""Cohort tables: identifiers stay text, problems are listed at once."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from data_modules.cohort.table import MAX_LISTED, read_cohort_table
from lsemvae.core.errors import InputError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "t.csv"


def test_identifiers_stay_text_and_quantities_become_numbers(path: Path) -> None:
    path.write_text(
        "mpap_mmhg,patient_id,record,code,rank,sex\n20.5,007,12,010,1,1\n,8,13,011,2,0\n"
    )
    table = read_cohort_table(path).table
    assert list(table)[:2] == ["record", "patient_id"]
    assert table["patient_id"].tolist() == ["007", "8"]
    assert table["record"].tolist() == ["12", "13"]
    assert table["code"].tolist() == ["010", "011"]
    assert table["rank"].tolist() == [1.0, 2.0]
    assert table["sex"].tolist() == ["1", "0"]
    np.testing.assert_array_equal(table["mpap_mmhg"], [20.5, np.nan])


def test_long_identifiers_keep_all_their_digits(path: Path) -> None:
    path.write_text("record,patient_id,accession\nr,1,12345678901234567\n")
    assert read_cohort_table(path).table["accession"].tolist() == ["12345678901234567"]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_spreadsheet_dialects_are_read(
    path: Path, delimiter: str, encoding: str, newline: str
) -> None:
    lines = [["record", "patient_id", "note"], ["a/1", "M\u00fcller", ' "x" ']]
    path.write_bytes(newline.join(delimiter.join(line) for line in lines).encode(encoding))
    table = read_cohort_table(path).table
    assert table["patient_id"].tolist() == ["M\u00fcller"]


def test_quoted_cells_may_hold_delimiters_and_line_ends(path: Path) -> None:
    path.write_text('record,patient_id,sex,note\n1,1,"F\n","a, b"\n\n2,2,M,\n')
    table = read_cohort_table(path).table
    assert table["sex"].tolist() == ["F", "M"]
    assert table["note"].tolist() == ["a, b", ""]


def test_one_column_may_serve_two_names(path: Path) -> None:
    path.write_text("ID,MPAP\n5,21\n")
    names = {"record": "ID", "patient_id": "ID", "mpap_mmhg": "MPAP"}
    table = read_cohort_table(path, names).table
    assert table.to_dict("list") == {"record": ["5"], "patient_id": ["5"], "mpap_mmhg": [21.0]}
    path.write_text("record,quality\n5,good\n")
    table = read_cohort_table(path, {"patient_id": "record"}).table
    assert table.to_dict("list") == {"record": ["5"], "patient_id": ["5"], "quality": ["good"]}


def test_a_missing_column_is_named_with_those_found(path: Path) -> None:
    path.write_text("ID,file\n5,21\n")
    with pytest.raises(InputError, match=r"lacks the columns record, patient_id; it has ID, file"):
        read_cohort_table(path)
    with pytest.raises(InputError, match=r"lacks the columns patient_id \(as 'PID'\)"):
        read_cohort_table(path, {"record": "file", "patient_id": "PID"})


def test_all_problems_are_listed_with_their_rows(path: Path) -> None:
    path.write_text(
        "record,patient_id,mpap_mmhg,pawp_mmhg,ecg_date\n"
        "a/1,1,high,10,2020-01-02\n"
        "a/1,2,160,10,2020-01-02 10:00:00\n"
        "\n"
        "../a/3,,20,-1,2/1/2020\n"
        '=cmd(),4,"20,5",10,\n'
    )
    with pytest.raises(InputError) as caught:
        read_cohort_table(path)
    first, *problems = str(caught.value).splitlines()
    assert "9 problems" in first
    expected = [
        ("row 3", "occurs a second time"),
        ("row 5", "patient_id is empty"),
        ("row 5", "leaves the source folder"),
        ("row 6", "starts with a formula sign"),
        ("row 2", "mpap_mmhg is 'high', not a number"),
        ("row 3", "mpap_mmhg is 160; expected 0 to 150"),
        ("row 6", "write a decimal point"),
        ("row 5", "pawp_mmhg is -1; expected 0 to 80"),
        ("row 5", "ecg_date is '2/1/2020'; expected YYYY-MM-DD"),
    ]
    for row, text in expected:
        assert any(line.strip().startswith(row) and text in line for line in problems), text


def test_problems_of_the_file_its_columns_and_its_cells_come_in_one_list(path: Path) -> None:
    path.write_text(
        "ID,mpap_mmhg,mpap_mmhg,signal_sha256,=x,\n1,high,2,3,4,\n2,20,2\n3,20,2,3,@SUM(A1),note\n"
    )
    with pytest.raises(InputError) as caught:
        read_cohort_table(path, {"record": "file", "patient_id": "ID"})
    first, *problems = str(caught.value).splitlines()
    assert "8 problems" in first
    expected = [
        "the column 'mpap_mmhg' occurs more than once",
        "row 3: it has 3 cells, the header has 6",
        "column 6 has cells but no name",
        "the table lacks the columns record (as 'file'); it has ID, mpap_mmhg, signal_sha256, =x",
        "the column signal_sha256 has a name that the store uses",
        "the column name '=x' starts with a formula sign",
        "row 4: =x '@SUM(A1)' starts with a formula sign",
        "row 2: mpap_mmhg is 'high', not a number",
    ]
    for text, line in zip(expected, problems, strict=True):
        assert line.strip().startswith(text), text


@pytest.mark.parametrize(
    "cell",
    ["=1+1", "@x", "=", "@SUM(A1)", "=cmd|' /C calc'!A0", "= B2 / 12", "= mPAP - PAWP",
     "= IF (age>3)", "=name", "= '[other file.xlsx]first'!A"],
)  # fmt: skip
def test_formulas_in_any_text_cell_are_refused(path: Path, cell: str) -> None:
    path.write_text(f'record,patient_id,note\n1,1,"{cell}"\n2,2,fine\n')
    with pytest.raises(InputError, match=r"row 2: note .* starts with a formula sign"):
        read_cohort_table(path)


@pytest.mark.parametrize(
    "cell",
    ["+cmd", "-cmd|' /C calc'!A0", "-A1", "- stable", "+HYPERLINK(1)", "- sinus, normal",
     "= see letter", "=> repeat", "@ 3 months, follow-up"],
)  # fmt: skip
def test_free_text_with_a_sign_is_kept_but_can_no_longer_run(path: Path, cell: str) -> None:
    path.write_text(f'record,patient_id,note\n1,1,"{cell}"\n2,2,fine\n')
    cohort = read_cohort_table(path)
    assert cohort.table["note"].tolist() == [f"'{cell}", "fine"]
    assert cohort.warnings == [
        "note: 1 cell begins with a formula sign (row 2); an apostrophe was put before them"
    ]


@pytest.mark.parametrize("cell", ["-5", "-5.2e3", "-", "--", "+/- 3", "a=b", "1-2", "+49 170"])
def test_signs_that_no_spreadsheet_runs_are_kept(path: Path, cell: str) -> None:
    path.write_text(f'record,patient_id,note\n1,1,"{cell}"\n2,2,fine\n')
    assert read_cohort_table(path).table["note"].tolist() == [cell, "fine"]


@pytest.mark.parametrize("other", ["a//1", "a/./1", "./a/1", "a\\1"])
def test_two_spellings_of_one_path_are_a_repetition(path: Path, other: str) -> None:
    path.write_text(f"record,patient_id\na/1,1\n{other},2\n")
    with pytest.raises(InputError, match=r"row 3: record .* occurs a second time"):
        read_cohort_table(path)


def test_a_patient_may_have_several_records(path: Path) -> None:
    path.write_text("record,patient_id\na/1,1\na/2,1\n")
    assert read_cohort_table(path).table["patient_id"].tolist() == ["1", "1"]


def test_decimal_commas_beside_semicolons_are_read_and_told(path: Path) -> None:
    path.write_text(
        "record;patient_id;mpap_mmhg;bnp;code;age_years\n"
        "1;1;20,5;1,25;1,5;61\n2;2;30;7;x;62\n3;3;-0,5;;y;63\n"
    )
    with pytest.raises(InputError, match=r"row 4: mpap_mmhg is -0\.5; expected 0 to 150"):
        read_cohort_table(path)
    path.write_text(path.read_text().replace("-0,5", ""))
    cohort = read_cohort_table(path)
    np.testing.assert_array_equal(cohort.table["mpap_mmhg"], [20.5, 30, np.nan])
    np.testing.assert_array_equal(cohort.table["bnp"], [1.25, 7, np.nan])
    assert cohort.table["code"].tolist() == ["1,5", "x", "y"]
    assert cohort.warnings == [
        "mpap_mmhg: 1 decimal commas were read as decimal points",
        "bnp: 1 decimal commas were read as decimal points",
        "mpap_mmhg is empty in 1 of 3 rows: no label for them",
    ]


@pytest.mark.parametrize("cells", [("20,5", "30.5"), ("1,234", "2,345")])
def test_unclear_commas_are_refused(path: Path, cells: tuple[str, str]) -> None:
    path.write_text(f"record;patient_id;mpap_mmhg\n1;1;{cells[0]}\n2;2;{cells[1]}\n")
    with pytest.raises(InputError, match=f"row 2: mpap_mmhg is '{cells[0]}', not a number"):
        read_cohort_table(path)


def test_a_long_list_is_cut(path: Path) -> None:
    rows = "".join(f"{i},{i},x\n" for i in range(30))
    path.write_text("record,patient_id,mpap_mmhg\n" + rows)
    with pytest.raises(InputError, match=r"(?s)30 problem.*and 10 more") as caught:
        read_cohort_table(path)
    assert len(str(caught.value).splitlines()) == MAX_LISTED + 2


def test_impossible_orders_of_pressures_are_warnings(path: Path) -> None:
    path.write_text(
        "record,patient_id,spap_mmhg,mpap_mmhg,dpap_mmhg,pawp_mmhg\n"
        "1,1,50,30,20,10\n2,2,50,30,20,35\n3,3,25,30,40,\n"
    )
    assert read_cohort_table(path).warnings == [
        "row 3: pawp_mmhg 35 exceeds mpap_mmhg 30",
        "row 4: dpap_mmhg 40 exceeds mpap_mmhg 30",
        "row 4: mpap_mmhg 30 exceeds spap_mmhg 25",
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "has no rows"),
        (b"record,patient_id\n", "has no rows"),
        (b"record,patient_id\n1,\x81\n", "is not UTF-8 text"),
        (b"\x89HDF\r\n\x1a\n\x00", "it is an HDF5 file"),
        ("record,patient_id\n1,2\n".encode("utf-16-le"), "binary"),
        (b"record,patient_id,record\n1,2,3\n", "'record' occurs more than once"),
        (b"record,patient_id\n1,2,3\n4\n", "(?s)row 2: it has 3 cells.*row 3: it has 1 cell"),
        (b'record,patient_id\n1,"2\n', "is not a CSV file"),
        (b"record,patient_id,signal_sha256\n1,2,3\n", "a name that the store uses"),
        (b"record|patient_id\n1|2\n", "lacks the columns record, patient_id"),
    ],
)
def test_an_unreadable_table_says_why(path: Path, content: bytes, message: str) -> None:
    path.write_bytes(content)
    with pytest.raises(InputError, match=message):
        read_cohort_table(path)


def test_a_missing_table_is_named(path: Path) -> None:
    with pytest.raises(InputError, match="there is no table"):
        read_cohort_table(path)


@pytest.mark.parametrize("zero", ["0", "0.0", "00.000"])
def test_pressure_of_zero_is_no_healthy_patient(path: Path, zero: str) -> None:
    path.write_text(f"record,patient_id,mpap_mmhg,pawp_mmhg\na,1,{zero},0\nb,2,25,8\nc,3,,8\n")
    with pytest.raises(InputError, match=rf"row 2: mpap_mmhg is {zero}: nobody has it") as refused:
        read_cohort_table(path)
    assert "pawp_mmhg" not in str(refused.value)  # a wedge pressure of 0 can be read


@pytest.mark.parametrize("word", ["NA", "NaN", "nan", "n/a", "NULL", "-", ".", "#N/A", "?"])
def test_words_for_missing_are_empty_in_columns_of_numbers_alone(path: Path, word: str) -> None:
    path.write_text(f"record,patient_id,mpap_mmhg,bnp,note\n1,1,{word},{word},{word}\n2,2,28,7,x\n")
    cohort = read_cohort_table(path)
    np.testing.assert_array_equal(cohort.table["mpap_mmhg"], [np.nan, 28])
    np.testing.assert_array_equal(cohort.table["bnp"], [np.nan, 7])
    assert cohort.table["note"].tolist() == [word, "x"]
    assert f"mpap_mmhg: read as empty: 1 cell with {word}" in cohort.warnings
    path.write_text(f"record,patient_id\n1,{word}\n")
    with pytest.raises(InputError, match=r"row 2: patient_id is .* a word for missing"):
        read_cohort_table(path)


@pytest.mark.parametrize("numbers", [(1, 2), (0, 1), (3, 17)])
def test_a_nameless_first_column_that_counts_rows_is_left_out(
    path: Path, numbers: tuple[int, int]
) -> None:
    rows = "".join(f'"{n}","p{n}","r{n}",28.5\n' for n in numbers)
    path.write_text('"","patient_id","record","mpap_mmhg"\n' + rows)
    cohort = read_cohort_table(path)
    assert list(cohort.table) == ["record", "patient_id", "mpap_mmhg"]
    assert "counts the rows; it was left out" in cohort.warnings[0]


@pytest.mark.parametrize("line", ["sep=;", '"sep=;"', "SEP=;"])
def test_excels_line_of_the_separator_is_obeyed(path: Path, line: str) -> None:
    path.write_text(f"{line}\nrecord;patient_id;mpap_mmhg\na;1;20,5\n")
    assert read_cohort_table(path).table["mpap_mmhg"].tolist() == [20.5]


def test_paths_of_windows_and_headers_name_the_same_record(path: Path) -> None:
    path.write_text("record,patient_id\nrec\\a,1\nrec/b.hea,2\n")
    cohort = read_cohort_table(path)
    assert cohort.table["record"].tolist() == ["rec/a", "rec/b"]
    assert len(cohort.warnings) == 2
    path.write_text("record,patient_id\nrec/a,1\nrec\\a.hea,2\n")
    with pytest.raises(InputError, match=r"row 3: record 'rec/a' occurs a second time"):
        read_cohort_table(path)


@pytest.mark.parametrize(("yes", "no"), [("TRUE", "FALSE"), ("true", "False"), ("Yes", "no")])
def test_truth_values_become_one_and_zero(path: Path, yes: str, no: str) -> None:
    path.write_text(f"record,patient_id,ph,mixed\n1,a,{yes},{yes}\n2,b,{no},perhaps\n3,c,,{no}\n")
    cohort = read_cohort_table(path)
    np.testing.assert_array_equal(cohort.table["ph"], [1, 0, np.nan])
    assert cohort.table["mixed"].tolist() == [yes, "perhaps", no]
    assert any(note.startswith("ph: ") for note in cohort.warnings)


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"PK\x03\x04....xl/workbook.xml", "an Excel workbook .* save the sheet as CSV UTF-8"),
        (b"PK\x03\x04..opendocument.spreadsheet", "LibreOffice"),
        (b"PK\x03\x04", "a zip file"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel"),
        (b"%PDF-1.7", "a PDF file"),
        (b"\x1f\x8b\x08", "a gzip file"),
        (b"PAR1", "a Parquet table"),
        (b"$FL2", "an SPSS file"),
    ],
)
def test_a_file_of_another_kind_is_named(path: Path, content: bytes, name: str) -> None:
    path.write_bytes(content + bytes(200))
    with pytest.raises(InputError, match=name):
        read_cohort_table(path)


def test_an_excel_workbook_is_read_as_the_same_table_in_csv(tmp_path: Path) -> None:
    """Ids that Excel holds as numbers are whole ones, and text keeps its zeros."""
    pytest.importorskip("openpyxl")
    given = pd.DataFrame({
        "record": ["a", "b"], "patient_id": ["007", "8"], "age_years": [61.5, None],
        "Befund": [1, 0], "ecg_date": pd.to_datetime(["2024-01-05", "2024-02-29"]),
    })  # fmt: skip
    given.to_csv(tmp_path / "t.csv", index=False)
    with pd.ExcelWriter(tmp_path / "t.xlsx") as book:
        given.to_excel(book, index=False, sheet_name="Kohorte")
    read = [read_cohort_table(tmp_path / name).table for name in ("t.csv", "t.xlsx")]
    pd.testing.assert_frame_equal(*read)
    assert read[1]["patient_id"].tolist() == ["007", "8"]


def test_a_workbook_of_two_filled_sheets_asks_for_one(tmp_path: Path) -> None:
    pytest.importorskip("openpyxl")
    given = pd.DataFrame({"record": ["a"], "patient_id": [3]})
    with pd.ExcelWriter(tmp_path / "t.xlsx") as book:
        given.to_excel(book, index=False, sheet_name="one")
        given.assign(patient_id=4).to_excel(book, index=False, sheet_name="two")
    with pytest.raises(InputError, match="name the one with --sheet"):
        read_cohort_table(tmp_path / "t.xlsx")
    assert read_cohort_table(tmp_path / "t.xlsx", sheet="two").table["patient_id"].tolist() == ["4"]


def test_pressures_that_are_exchanged_in_most_rows_are_one_question(path: Path) -> None:
    rows = "".join(f"r{i},p{i},{9 + i},{25 + i}\n" for i in range(6)) + "r9,p9,40,10\n"
    path.write_text("record,patient_id,mpap_mmhg,pawp_mmhg\n" + rows)
    asked = [one for one in read_cohort_table(path).warnings if "exceeds" in one]
    assert len(asked) == 1
    assert asked[0].startswith("pawp_mmhg exceeds mpap_mmhg in 6 of 7 rows with both")
