"""Tables as spreadsheets leave them: no value is lost, moved or made up without a word."""

import datetime
import io
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from data_modules.cohort.sheet_marks import read_marks
from data_modules.cohort.table import read_cohort_table
from data_modules.cohort.twins import leave_out, merge_patients
from data_modules.cohort.written_dates import serial_date, written_date
from data_modules.linking.dates import read_dates
from data_modules.linking.table import HospitalTable, read_hospital_table
from lsemvae.core.errors import InputError

openpyxl = pytest.importorskip("openpyxl")
EPOCH_1904 = datetime.datetime(1904, 1, 1)

NAMES = ("record", "patient_id", "mpap_mmhg", "rhc_date")
ROWS = [(f"r{i}", f"P{i}", 20 + i, f"2020-05-{i + 1:02d}") for i in range(4)]


def workbook(path: Path, change: Callable[[Any, Any], object], part: bytes = b"") -> Path:
    """Write a workbook of four rows, changed by the caller; `part` replaces its dimension."""
    book = openpyxl.Workbook()
    for row in (NAMES, *ROWS):
        book.active.append(row)
    change(book, book.active)
    stream = io.BytesIO()
    book.save(stream)
    with zipfile.ZipFile(stream) as old, zipfile.ZipFile(path, "w") as new:
        for item in old.infolist():
            content = old.read(item)
            new.writestr(item, re.sub(rb"<dimension [^>]*>", part, content) if part else content)
    return path


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda book, sheet: sheet.merge_cells("C2:C4"), r"only the first holds .*: C2:C4;"),
        (lambda book, sheet: sheet.merge_cells("C3:D3"), r"only the first holds .*: C3:D3;"),
        (lambda book, sheet: sheet.__setitem__("C4", "=20+3"), "never computed: C4;"),
        (lambda book, sheet: sheet.__setitem__("B4", '="P"&2'), "never computed: B4;"),
        (lambda book, sheet: sheet.__setitem__("C3", datetime.time(20, 30)), "made a date or a"),
        (lambda book, sheet: sheet.__setitem__("D2", 43952), "days it is 2020-05-01: format"),
        (lambda book, sheet: sheet.insert_rows(1) or sheet.__setitem__("A1", "Ids")
         or sheet.__setitem__("C1", "Catheter"), "row 2 seems to hold the names .* remove row 1"),
    ],
)  # fmt: skip
def test_what_a_workbook_does_not_hold_is_refused_by_cell(
    change: Callable[[Any, Any], object], problem: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=problem):
        read_cohort_table(workbook(tmp_path / "t.xlsx", change))


def test_a_strict_workbook_is_named(tmp_path: Path) -> None:
    path = workbook(tmp_path / "plain.xlsx", lambda book, sheet: None)
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(tmp_path / "t.xlsx", "w") as new:
        for item in old.infolist():
            content = old.read(item)
            names = re.sub(
                rb"http://schemas.openxmlformats.org/(\w+)/2006",
                rb"http://purl.oclc.org/ooxml/\1",
                content,
            )
            new.writestr(item, names)
    with pytest.raises(InputError, match="Strict Open XML workbook; save it as the plain"):
        read_cohort_table(tmp_path / "t.xlsx")


def test_a_formula_with_its_value_is_read(tmp_path: Path) -> None:
    path = workbook(tmp_path / "t.xlsx", lambda book, sheet: sheet.__setitem__("C4", "=20+3"))
    with zipfile.ZipFile(path) as old:
        parts = {one: old.read(one) for one in old.namelist()}
    with zipfile.ZipFile(path, "w") as new:
        for name, content in parts.items():
            new.writestr(name, re.sub(rb"(</f>)<v ?/>", rb"\1<v>23</v>", content))
    assert read_cohort_table(path).table["mpap_mmhg"].tolist() == [20, 21, 23, 23]


@pytest.mark.parametrize("stated", ["A1", "A1:D3", "A1:B5", "A1:ZZ9999"])
def test_a_wrong_dimension_of_a_sheet_cuts_nothing_off(stated: str, tmp_path: Path) -> None:
    part = f'<dimension ref="{stated}"/>'.encode()
    table = read_cohort_table(workbook(tmp_path / "t.xlsx", lambda *_: None, part)).table
    assert table["mpap_mmhg"].tolist() == [20, 21, 22, 23]
    assert table["rhc_date"].tolist() == [row[3] for row in ROWS]


@pytest.mark.parametrize("hidden", ['hidden="1"', 'width="0"', 'customWidth="1" width="0.0"'])
def test_hidden_columns_are_read_and_told(hidden: str, tmp_path: Path) -> None:
    columns = f'<cols><col {hidden} min="3" max="9"/><col min="1" max="2" width="9"/></cols>'
    path = workbook(tmp_path / "t.xlsx", lambda book, sheet: None, columns.encode())
    table, warnings = read_cohort_table(path)
    assert table["mpap_mmhg"].tolist() == [20, 21, 22, 23]
    told = next(one for one in warnings if "hidden" in one)
    assert "2 columns are hidden in the workbook (mpap_mmhg, rhc_date) but read" in told


def test_signs_that_a_workbook_escapes_are_read(tmp_path: Path) -> None:
    def escape(book: Any, sheet: Any) -> None:
        for cell, text in (("B2", "P0_x000D_"), ("B3", "P_x005F_x0041_"), ("B4", "P_xD800_")):
            sheet[cell] = text

    table, _ = read_cohort_table(workbook(tmp_path / "t.xlsx", escape))
    assert table["patient_id"].tolist() == ["P0", "P_x0041_", "P_xD800_", "P3"]


def test_a_lost_letter_in_a_workbook_is_named_by_its_cell(tmp_path: Path) -> None:
    def lose(book: Any, sheet: Any) -> None:
        sheet["B4"] = "M\ufffdller"

    with pytest.raises(InputError, match=r"row 4 holds U.FFFD under 'patient_id'"):
        read_cohort_table(workbook(tmp_path / "t.xlsx", lose))


def test_hidden_and_struck_rows_are_read_and_told(tmp_path: Path) -> None:
    def change(book: Any, sheet: Any) -> None:
        sheet.row_dimensions[3].hidden = sheet.row_dimensions[5].hidden = True
        sheet["A4"].font = openpyxl.styles.Font(strike=True)
        book.create_sheet("front")
        sheet.sheet_state, book.active = "hidden", 1

    read = read_cohort_table(workbook(tmp_path / "t.xlsx", change))
    assert len(read.table) == 4
    assert "the sheet 'Sheet' is hidden in the workbook; it was read" in read.warnings
    text = "\n".join(read.warnings)
    assert "2 rows are hidden in the workbook (row 3, 5) but read as all others" in text
    assert "1 row is struck through in the workbook (row 4)" in text


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("t.xlsx", b"record,patient_id\na,1\n", "it is text: name it .csv"),
        ("~$t.xlsx", b"\x04user " + bytes(159), "it marks t.xlsx as open in Excel"),
        ("t.xlsx", b"\xd0\xcf\x11\xe0" + bytes(600), "save it as .xlsx without a password"),
        ("t.xlsx", b"<html><table>", "a web page: open it in a spreadsheet and save it as .xlsx"),
        ("t.xls", b"<html><table>", "a web page; open the table .* and save it as CSV UTF-8"),
        ("t.csv", b"PK\x03\x04" + bytes(30) + b"xl/workbook.xml", "name it .xlsx"),
        ("t.dta", b"s\x02\x01\0" + bytes(60), "a Stata file"),
    ],
)
def test_a_table_of_another_kind_than_its_name_says_gets_its_own_step(
    name: str, content: bytes, problem: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=problem):
        read_cohort_table(tmp_path / name)


def csv(
    path: Path, cell: str, column: str = "mpap_mmhg", more: str = "", other: float = 30
) -> Path:
    """Write a table of two rows, the cell in the first of them."""
    path.write_text(f"record,patient_id,{column}\na,1,{cell}\nb,2,{other}\n{more}", "utf-8")
    return path


@pytest.mark.parametrize(
    ("cell", "column", "value"),
    [
        ("20 mmHg", "mpap_mmhg", 20), ("20mmhg", "mpap_mmhg", 20), ("49 years", "age_years", 49),
        ("72 / min", "heart_rate_bpm", 72), ("72 bpm", "heart_rate_bpm", 72),
        ("3 WU", "pvr_wu", 3), ("1.9 m2", "bsa_m2", 1.9), ('"=""20"""', "mpap_mmhg", 20),
    ],
)  # fmt: skip
def test_the_unit_that_the_column_states_may_stand_in_the_cell(
    cell: str, column: str, value: float, tmp_path: Path
) -> None:
    other = 3 if column == "bsa_m2" else 30
    read = read_cohort_table(csv(tmp_path / "t.csv", cell, column, other=other))
    assert read.table[column].tolist() == [value, other]
    said = "1 cell such as" if cell.startswith('"') else "read without the column's unit: 1 cell"
    assert said in read.warnings[0]


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ("2.7 kPa", "kPa is not the unit of the column: convert it"),
        ("<20", "a bound or an estimate is no value"), ("90+", "a bound or an estimate"),
        ("\u226525", "a bound or an estimate"), ("ca. 20", "a bound or an estimate"),
        ("20-25", "several values"), ("45/20 (28)", "several values"), ("20\u00b13", "several"),
        ("20*", r"'\*' stands beside 20: write the number alone"),
        ("20\u00b9", "'\u00b9' stands beside 20"), ("20-May", "made a date or a time of it"),
        ("\uff12\uff10", "write 20$"), ("\u0662\u0660", "write 20$"), ("2\u200b0", "write 20$"),
        ('"20,5"', "write a decimal point"), ("high", "write a number, or leave it empty"),
    ],
)  # fmt: skip
def test_a_cell_that_is_no_number_says_why_and_what_to_write(
    cell: str, reason: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=f"row 2: mpap_mmhg is .*not a number; .*{reason}"):
        read_cohort_table(csv(tmp_path / "t.csv", cell))


@pytest.mark.parametrize("word", ["<NA>", "NaT", "(blank)", "\u2013", ".a", ".M", "not measured"])
def test_more_words_for_no_value_are_counted_as_empty(word: str, tmp_path: Path) -> None:
    read = read_cohort_table(csv(tmp_path / "t.csv", word))
    assert read.table["mpap_mmhg"].isna().tolist() == [True, False]
    assert f"mpap_mmhg: read as empty: 1 cell with {word}" in read.warnings


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2020/05/12", "2020-05-12"), ("2020.5.2", "2020-05-02"), ("12-May-2020", "2020-05-12"),
        ("12. Mai 2020", "2020-05-12"), ("3 ao\u00fbt 2020", "2020-08-03"),
        ("12-V-2020", "2020-05-12"), ("12-5-20", "None"),
        ("1.XII.2020", "2020-12-01"), ("12MAY2020", "2020-05-12"), ("May 12, 2020", "2020-05-12"),
        ("31-Apr-2020", "None"), ("12-Foo-2020", "None"), ("12.05.2020", "None"),
        ("2020-05-12", "None"), ("2020/13/01", "None"),
    ],
)  # fmt: skip
def test_a_date_with_its_month_by_name_or_its_year_first_is_clear(text: str, day: str) -> None:
    assert str(written_date(text)) == day
    if day != "None":
        assert str(read_dates(pd.Series([text]), "d", None).days[0]) == day


def test_dates_are_written_plainly_with_their_time(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("record,patient_id,ecg_date\na,1,12MAY2020:9:30\nb,2,2020-05-13\n")
    read = read_cohort_table(path)
    assert read.table["ecg_date"].tolist() == ["2020-05-12 09:30", "2020-05-13"]
    assert "'12MAY2020:9:30' as 2020-05-12 09:30" in read.warnings[0]
    assert str(serial_date("43952.5")) == "2020-05-01"


def test_a_repeated_header_and_a_remark_are_named(tmp_path: Path) -> None:
    more = "record,patient_id,mpap_mmhg\nc,3,31\n* estimated\n"
    with pytest.raises(InputError) as caught:
        read_cohort_table(csv(tmp_path / "t.csv", "20", more=more))
    assert "row 4: it holds the names of the columns again; remove it" in str(caught.value)
    assert "row 6: it has 1 cell, the header has 3 ('* estimated'; remove a" in str(caught.value)


def test_a_first_row_of_words_is_no_second_header(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(",record,patient_id,mpap_mmhg\na,ra,Pa,NA\nb,rb,Pb,21\n")
    with pytest.raises(InputError, match="column 1 has cells but no name"):
        read_cohort_table(path)


def test_names_in_single_quotes_or_with_unseen_signs_are_read(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("'record','patient_id','mpap_mmhg'\n'a,b','1','20'\n")
    assert read_cohort_table(path).table.iloc[0].tolist() == ["a,b", "1", 20]
    path.write_text('record,\ufeffpatient_id,"mpap_\nmmhg"\na,1,20\n', "utf-8")
    assert list(read_cohort_table(path).table) == ["record", "patient_id", "mpap_ mmhg"]


@pytest.mark.parametrize("name", ["mPAP (mmHg)", "mean PAP", "MPAP_MMHG", "mpap_ mmhg", "PAPm"])
def test_a_column_named_like_a_quantity_is_told(name: str, tmp_path: Path) -> None:
    read = read_cohort_table(csv(tmp_path / "t.csv", "20", name))
    step = f"--columns.mpap_mmhg={name!r}"
    assert step in read.warnings[0]
    taken = read_cohort_table(tmp_path / "t.csv", {"mpap_mmhg": name})
    assert (taken.table["mpap_mmhg"].tolist(), taken.warnings) == ([20, 30], [])


def test_a_word_among_numbers_is_told(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("record,patient_id,ph\na,1,1*\nb,2,0\nc,3,1\n")
    assert read_cohort_table(path).warnings == [
        "ph: no numbers in 1 of 3 cells, the first is '1*' (row 2); the column was read as text "
        "and can be no label"
    ]


def test_a_list_of_records_may_be_a_workbook(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for row in (("record", "patient_id"), ("r1", "P0")):
        book.active.append(row)
    book.save(tmp_path / "list.xlsx")
    table = pd.DataFrame({"record": ["r0", "r1"], "patient_id": ["P0", "P1"]})
    assert leave_out(table, tmp_path / "list.xlsx")["record"].tolist() == ["r0"]
    assert merge_patients(table, tmp_path / "list.xlsx")["patient_id"].tolist() == ["P0", "P0"]


@pytest.mark.parametrize(
    "part", [b"<c ", b'<c r="A1" ', b'r="A1" ', b'<c r="A1"><f>x</f>  ', b"<row "]
)
def test_marks_of_a_hostile_part_cost_no_more_than_its_length(part: bytes) -> None:
    """Each would take hours if a pattern began again at every sign and read to the end."""
    assert not any(read_marks(b"<f><c " + part * (1_000_000 // len(part)) + b"-->"))


def link_table(path: Path) -> HospitalTable:
    """Read a table as `link` does."""
    return read_hospital_table(path, {}, sheet=None, encoding="utf-8", order=None)


@pytest.mark.parametrize("day_of", [42432, datetime.date(2020, 3, 4)])
def test_days_count_from_where_the_workbook_says(day_of: object, tmp_path: Path) -> None:
    def change(book: Any, sheet: Any) -> None:
        book.epoch = EPOCH_1904
        sheet["D2"] = day_of

    path = workbook(tmp_path / "t.xlsx", change)
    table = link_table(path)
    assert str(table.rows["rhc_date"].iloc[0]) == "2020-03-04"
    if isinstance(day_of, int):
        assert any("days since 1904-01-01" in note for note in table.notes)
        with pytest.raises(InputError, match="days it is 2020-03-04"):
            read_cohort_table(path)


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("0%", True),
        ('0.0" kPa"', True),
        ('"<"0', True),
        ("#,##0,", True),
        ("00000", True),
        ("0.00", False),
        ("_(* #,##0.00_)", False),
        ("[Red]0.0;[Blue]-0.0", False),
        ('0" mmHg"', False),
        ('0" Hg"', True),
        ('0,"  mmHg"', True),
    ],
)
def test_a_number_shown_in_another_way_than_stored_is_told(
    code: str, told: bool, tmp_path: Path
) -> None:
    def change(book: Any, sheet: Any) -> None:
        sheet["C3"].number_format = code

    path = workbook(tmp_path / "t.xlsx", change)
    line = "mpap_mmhg: 1 number of 4 shown in another way than stored, the first in row 3: 21 in "
    for notes in (read_cohort_table(path).warnings, link_table(path).notes):
        assert any(note.startswith(line + f"the format {code!r}") for note in notes) is told


@pytest.mark.parametrize("day", ["1900-01-01", "1970-01-01"])
def test_the_first_day_of_a_calendar_is_told(day: str, tmp_path: Path) -> None:
    path = workbook(tmp_path / "t.xlsx", lambda book, sheet: sheet.__setitem__("D3", day))
    for notes in (read_cohort_table(path).warnings, link_table(path).notes):
        assert any(f"rhc_date: 1 cell is {day} (row 3), which programs" in one for one in notes)
