"""Delimited text: what was written is read, what is unclear is refused."""

import csv
import gzip
import tempfile
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_modules.cohort.csv_cells import DELIMITERS, decimal_commas, read_cells
from data_modules.cohort.table import CohortTable, read_cohort_table
from lsemvae.core.errors import InputError

#: U+FFFD, the sign of a lost letter, is refused: see `test_lost_letters_are_refused`.
LETTER = st.characters(exclude_categories=["Cc", "Cs"], exclude_characters="\ufffd")
CELL = st.text(LETTER | st.sampled_from(',;\t\n"'))
ROWS = st.integers(2, 4).flatmap(
    lambda n: st.lists(st.lists(CELL, min_size=n, max_size=n), min_size=1, max_size=5)
)


@settings(deadline=None, max_examples=60)
@given(rows=ROWS, delimiter=st.sampled_from(DELIMITERS), mark=st.sampled_from(["", "\ufeff"]))
def test_cells_survive_any_delimiter_and_quoting(
    rows: list[list[str]], delimiter: str, mark: str
) -> None:
    header = [f"column {i}" for i in range(len(rows[0]))]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            file.write(mark)
            csv.writer(file, delimiter=delimiter).writerows([header, ["x"] * len(header), *rows])
        cells = read_cells(path)
    stripped = [[cell.strip() for cell in row] for row in rows]
    expected = [["x"] * len(header), *(row for row in stripped if any(row))]
    assert (list(cells.table), cells.table.to_numpy().tolist()) == (header, expected)
    assert (cells.problems, cells.delimiter) == ([], delimiter)


def test_delimiters_in_quoted_names_do_not_count(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text('"a, b, c";d\n1;2\n')
    cells = read_cells(tmp_path / "t.csv")
    assert (list(cells.table), cells.delimiter) == (["a, b, c", "d"], ";")


def test_an_unclear_delimiter_is_refused(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("record;patient_id,mpap\n1;2,3\n")
    with pytest.raises(InputError, match="mixes delimiters in its header line"):
        read_cells(tmp_path / "t.csv")


@pytest.mark.parametrize(
    ("encoding", "name"),
    [("latin-1", "Windows-1252"), ("cp1252", "Windows-1252"), ("utf-16", "UTF-16")],
)
def test_encodings_of_spreadsheets_are_read_with_a_note(
    tmp_path: Path, encoding: str, name: str
) -> None:
    (tmp_path / "t.csv").write_text("record,patient_id\n1,M\u00fcller \u00c5\n", encoding)
    cells = read_cells(tmp_path / "t.csv")
    assert cells.table["patient_id"].tolist() == ["M\u00fcller \u00c5"]
    assert cells.notes == [
        f"the file is not UTF-8; it was read as {name} (with \u00c5 \u00fc); if that is wrong, "
        "save it as `CSV UTF-8`"
    ]


def test_bytes_that_are_no_letters_are_refused(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(b"record,patient_id\n1,M\x81ller\n")
    with pytest.raises(InputError, match="not UTF-8 text, and some of its bytes are no letters"):
        read_cells(tmp_path / "t.csv")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_lost_letters_are_refused(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "t.csv").write_text("record,patient_id\n1,M\u00fcller\n2,M\ufffdller\n", encoding)
    with pytest.raises(InputError, match=r"t\.csv: line 3 holds U\+FFFD, the sign for a letter"):
        read_cells(tmp_path / "t.csv")


def test_an_encoding_that_is_named_is_kept_to(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes("a,b\n1,\u00e4\n".encode("mac_roman"))
    assert read_cells(tmp_path / "t.csv", "mac_roman").table["b"].tolist() == ["\u00e4"]
    with pytest.raises(InputError, match="is not UTF-8 text"):
        read_cells(tmp_path / "t.csv", "utf-8")


def test_row_numbers_that_the_header_leaves_out_are_dropped(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text('"record" "x"\n'.replace(" ", ",") + '"1","r1",5\n"2","r2",6\n')
    cells = read_cells(tmp_path / "t.csv")
    assert cells.table.to_numpy().tolist() == [["r1", "5"], ["r2", "6"]]
    assert cells.problems == []
    assert "begin with their numbers" in cells.notes[0]


def test_a_line_of_units_is_no_recording(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("record,mpap_mmhg,age_years\n,[mmHg],years\n1,20,50\n")
    with pytest.raises(InputError, match=r"row 2 holds units .\[mmHg\], years.* remove the row"):
        read_cells(tmp_path / "t.csv")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("record,id,mpap,age\nfile,id,mmHg,years\nr1,1,20,50\n", r"row 2 holds units .mmHg, years"),
        ("Lab;2024\nx;y\na;b;c;d\n1;2;3;4\n5;6;7;8\n", "row 1 .* seems to begin in row 3"),
        ('[{"record": "r1"}]', "is no CSV file .* it is JSON"),
        ('record,id\n"r1,2\n', "begins with a quote and lacks the other"),
    ],
)
def test_what_is_no_table_is_named(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "t.csv").write_text(content)
    with pytest.raises(InputError, match=message):
        read_cells(tmp_path / "t.csv")


DRAWN = (
    " record | patient_id \n--------+------------\n r1     | P1         \n(1 row)\n",
    "| record | patient_id |\n|:-------|------------|\n| r1 | P1 |\n",
    "+--------+-----+\n| record | id  |\n+--------+-----+\n| r1     | P1  |\n",
)


@pytest.mark.parametrize("text", DRAWN, ids=["psql", "Markdown", "MySQL"])
def test_a_table_drawn_with_lines_is_named(text: str, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(InputError, match=r"drawn with lines, .* `psql --csv`"):
        read_cells(tmp_path / "t.csv")


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"HEADER RECORD*******LIBRARY HEADER", "a SAS transport file"),
        (b"\0\1\0\0Standard ACE DB\0", "an Access database"),
        (b"\x93NUMPY\1\0", "a NumPy array"),
        (b'{"record": "r1"}\n{"record": "r2"}\n', "JSON; open the table"),
        (b"INSERT INTO t VALUES (1);\n", "statements of SQL"),
    ],
)
def test_tables_of_other_programs_are_named(content: bytes, name: str, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(content)
    with pytest.raises(InputError, match=name):
        read_cells(tmp_path / "t.csv")


def test_packed_objects_of_r_are_named(tmp_path: Path) -> None:
    (tmp_path / "t.rds").write_bytes(gzip.compress(b"X\n\0\0\0\3"))
    with pytest.raises(InputError, match=r"an R object .*open the table in the program"):
        read_cells(tmp_path / "t.rds")


@pytest.mark.parametrize(
    "text", ["record,patient_id\nr1,7,\nr2,8,\n", "record,patient_id,,\nr1,7\nr2,8\n"]
)
def test_empty_cells_at_the_ends_of_lines_move_no_column(text: str, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(text)
    cells = read_cells(tmp_path / "t.csv")
    assert (cells.problems, list(cells.table)) == ([], ["record", "patient_id"])
    assert cells.table["patient_id"].tolist() == ["7", "8"]


def test_a_cell_more_than_names_that_may_be_the_first_or_the_last_is_refused(
    tmp_path: Path,
) -> None:
    (tmp_path / "t.csv").write_text("record,patient_id\n1,P7,\n2,P8,\n")
    with pytest.raises(InputError, match="nobody can tell which of them has no name"):
        read_cells(tmp_path / "t.csv")


def test_a_number_beyond_every_number_makes_its_column_text(tmp_path: Path) -> None:
    found = table_of(tmp_path / "t.csv", "a;1;240;1", "b;2;310;1e400", "c;3;320;2")
    assert found.table["bnp"].tolist() == ["1", "1e400", "2"]
    assert any("'1e400' (row 3); the column was read as text" in one for one in found.warnings)


def test_a_first_row_of_words_is_no_line_of_units(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("record,sex,note\nr-a,m,h\nr-b,f,\n")
    assert len(read_cells(tmp_path / "t.csv").table) == 2


def test_typeset_minus_signs_and_the_end_mark_of_dos_are_read(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("record,axis\n1,\u22125\n\x1a", "utf-8")
    assert read_cells(tmp_path / "t.csv").table["axis"].tolist() == ["-5"]


def test_rows_keep_the_numbers_of_the_spreadsheet(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("\na,b\n1,2\n,\n\n3\n4,5\n")
    cells = read_cells(tmp_path / "t.csv")
    assert cells.table.index.tolist() == [3, 7]
    assert cells.problems == ["row 6: it has 1 cell, the header has 2"]


def test_an_empty_last_column_is_dropped(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,b,\n1,2,\n")
    cells = read_cells(tmp_path / "t.csv")
    assert (list(cells.table), cells.problems) == (["a", "b"], [])


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["1,5", "2", ""], [True, False, False]),
        (["1,5", "2.5"], [False, False]),
        (["1,234", "12,345"], [False, False]),
        (["1,234", "12,34"], [True, True]),
        (["0,123", "0,456"], [True, True]),
        (["1,2,3", "a,b"], [False, False]),
        (["", ""], [False, False]),
    ],
)
def test_decimal_commas_are_told_from_points_and_thousands(
    cells: list[str], expected: list[bool]
) -> None:
    assert decimal_commas(pd.Series(cells, dtype=str)).tolist() == expected


def table_of(path: Path, *lines: str) -> CohortTable:
    path.write_text("\n".join(["record;patient_id;pvr_dyn_s_cm5;bnp", *lines]), encoding="utf-8")
    return read_cohort_table(path)


def test_points_between_thousands_are_told_where_semicolons_divide(tmp_path: Path) -> None:
    read = table_of(tmp_path / "t.csv", "a;1;240;1.234", "b;2;310;560")
    assert any("bnp is '1.234'; if it means 1234, write that" in one for one in read.warnings)
    clear = table_of(tmp_path / "t.csv", "a;1;240;1.234", "b;2;310;5.6")
    assert not any("bnp" in one for one in clear.warnings)


def test_points_between_thousands_beside_decimal_commas_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"row 2: bnp is '1\.234'.*commas are the decimal signs"):
        table_of(tmp_path / "t.csv", "a;1;240,5;1.234", "b;2;310;560")


@pytest.mark.parametrize("cell", ["1,234", "1 234", "1'234", "1\u00a0234"])
def test_a_mark_between_thousands_is_not_taken_for_a_decimal_one(cell: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="a mark between thousands, or a decimal comma"):
        table_of(tmp_path / "t.csv", f"a;1;{cell};5", "b;2;1.310;5")


def test_a_column_of_percents_is_told_to_be_text(tmp_path: Path) -> None:
    read = table_of(tmp_path / "t.csv", "a;1;240;25%", "b;2;310;30%")
    assert any("bnp: no numbers in 2 of 2 cells" in one for one in read.warnings)


@pytest.mark.parametrize("name", ["rhc_date", "sex"])
@pytest.mark.parametrize("word", ["NA", "NULL", "\\N", "(null)", "unk"])
def test_words_for_missing_are_empty_in_dates_and_sexes(
    name: str, word: str, tmp_path: Path
) -> None:
    path = tmp_path / "t.csv"
    value = {"rhc_date": "2020-03-01", "sex": "F"}[name]
    path.write_text(f"record,patient_id,{name}\na,1,{word}\nb,2,{value}\n", encoding="utf-8")
    read = read_cohort_table(path)
    assert read.table[name].tolist() == ["", value]
    assert f"{name}: read as empty: 1 cell with {word}" in read.warnings
