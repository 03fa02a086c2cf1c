"""Cohort tables: identifiers stay text, problems are listed at once."""

from pathlib import Path

import numpy as np
import pytest

from data_modules.cohort_table import MAX_LISTED, read_cohort_table
from lsemvae.errors import InputError


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
    assert "9 problem(s)" in first
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
        (b"record,patient_id\n1,\xff\n", "is not UTF-8 text"),
        (b"\x89HDF\r\n\x1a\n\x00", "is not UTF-8 text|binary"),
        ("record,patient_id\n1,2\n".encode("utf-16"), "is not UTF-8 text|binary"),
        (b"record,patient_id,record\n1,2,3\n", "'record' occurs more than once"),
        (b"record,patient_id\n1,2,3\n4\n", "(?s)row 2 has 3 cells.*row 3 has 1 cells"),
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
