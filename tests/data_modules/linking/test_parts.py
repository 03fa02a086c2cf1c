"""The parts of linking: ids, dates, sheets, rules."""

import datetime
from pathlib import Path

import pandas as pd
import pytest

from data_modules.cohort.identity import identity_columns
from data_modules.cohort.sheet import read_sheet
from data_modules.linking.archive import read_archive
from data_modules.linking.dates import read_dates
from data_modules.linking.eligibility import apply_rules, read_rules
from data_modules.linking.id_rule import IdRule, tell_alike, which_would_match
from data_modules.linking.match import Window, match
from data_modules.linking.pseudonyms import shift_days
from data_modules.linking.signal_measures import SignalMeasures
from data_modules.linking.table import read_hospital_table
from lsemvae.core.errors import InputError


@pytest.mark.parametrize(
    ("rule", "table", "file"),
    [
        (IdRule(leading_zeros=True), "7", "007"),
        (IdRule(blanks=True), "1234", "12 34"),
        (IdRule(case=True), "p7", "P7"),
        (IdRule(signs=True), "12-34", "1234"),
        (IdRule(check_digit="files"), "1234", "12349"),
        (IdRule(check_digit="table"), "12349", "1234"),
    ],
)
def test_a_rule_makes_two_spellings_one_id_and_no_rule_none(
    rule: IdRule, table: str, file: str
) -> None:
    def same(by: IdRule) -> bool:
        return by.plain(pd.Series([table]), "table")[0] == by.plain(pd.Series([file]), "files")[0]

    assert same(rule)
    assert not same(IdRule())
    assert which_would_match(pd.Series([table]), pd.Series([file]), IdRule())[table]


@pytest.mark.parametrize(
    "file", ["Mu\u0308 -12", "M\u00fc\u00a0\u201112", "M\u00fc -\uff11\uff12", "\ufeffM\u00fc -12"]
)
def test_ids_that_look_the_same_are_the_same_without_a_rule(file: str) -> None:
    def plain(name: str) -> str:
        return str(IdRule().plain(pd.Series([name]), "files")[0])

    assert plain(file) == plain("M\u00fc -12")


def test_patients_whose_ids_become_one_pseudonym_are_told_by_row() -> None:
    ids = pd.Series(["7", "007", "7", "8", "A-1", "a1"])
    (note,) = tell_alike(ids, pd.Series([2, 5, 3, 4, 6, 7]))
    assert "2 patients have ids" in note
    assert "(rows 2 = 5, 6 = 7)" in note
    assert tell_alike(ids[3:5], ids[3:5]) == []


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["2020-03-04", "20200304", "43894"], datetime.date(2020, 3, 4)),
        (["04.03.2020"], datetime.date(2020, 3, 4)),
        (["04/03/2020", "25/03/2020"], datetime.date(2020, 3, 4)),
        (["03/04/2020", "03/25/2020"], datetime.date(2020, 3, 4)),
    ],
)
def test_dates_are_read_where_the_cells_prove_the_order(
    cells: list[str], expected: datetime.date
) -> None:
    assert read_dates(pd.Series(cells), "d", None).days[0] == expected


@pytest.mark.parametrize("cells", [["03/04/2020"], ["25/03/2020", "03/25/2020"]])
def test_dates_that_could_mean_two_things_are_refused(cells: list[str]) -> None:
    with pytest.raises(InputError, match=r"row \d"):
        read_dates(pd.Series(cells), "d", None)


def test_a_cell_that_is_no_date_is_none() -> None:
    assert read_dates(pd.Series(["31.02.2020", "soon", ""]), "d", None).days == [None] * 3


def test_a_workbook_of_two_filled_sheets_needs_the_name_of_one(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.active.append(["a", "b"])
    book.active.append([7.0, datetime.datetime(2020, 3, 4)])
    book.create_sheet("two").append(["legend"])
    book.save(tmp_path / "t.xlsx")
    with pytest.raises(InputError, match="--sheet"):
        read_sheet(tmp_path / "t.xlsx")
    assert read_sheet(tmp_path / "t.xlsx", "Sheet").table.iloc[0].tolist() == ["7", "2020-03-04"]


def test_a_table_in_another_encoding_is_read_when_it_is_told(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes("id;Größe\n1;ä\n".encode("cp1252"))
    with pytest.raises(InputError, match="UTF-8"):
        read_sheet(tmp_path / "t.csv")
    assert read_sheet(tmp_path / "t.csv", encoding="cp1252").table["Größe"][2] == "ä"


def test_ids_that_a_program_made_decimals_are_whole_and_cut_ones_are_left_out(
    tmp_path: Path,
) -> None:
    cells = ["1234.0", "0071", "1.23457E+11", "12345678901234568.0"]
    lines = ["patient_id,rhc_date", *(f"{cell},2020-01-0{n}" for n, cell in enumerate(cells, 1))]
    (tmp_path / "t.csv").write_text("\n".join(lines))
    table = read_hospital_table(tmp_path / "t.csv", {}, sheet=None, encoding="utf-8", order=None)
    assert table.rows["patient"].tolist() == ["1234", "0071"]
    assert any("1 decimals of zero were left out" in note for note in table.notes)
    assert [one.reason for one in table.left] == [
        "the patient id has lost digits in a spreadsheet"
    ] * 2


@pytest.mark.parametrize(
    ("words", "wanted", "note"),
    [
        ("H M H", ["M", "F", "M"], "H was read as M and M as F"),
        ("H F M", ["M", "F", "M"], "H was read as M"),
        ("M W 2", ["M", "F", "F"], "1 was read as M and 2 as F (ISO 5218)"),
        ("1 0 1", ["", "", ""], "0 and 1 are female or male by house"),
    ],
)
def test_m_beside_h_is_a_woman_and_months_by_name_need_no_order(
    words: str, wanted: list[str], note: str, tmp_path: Path
) -> None:
    lines = [f"{i},0{i + 1}-Mar-2020,{word}" for i, word in enumerate(words.split())]
    text = "\n".join(["patient_id,rhc_date,sex", *lines])
    (tmp_path / "t.csv").write_text(text)
    table = read_hospital_table(tmp_path / "t.csv", {}, sheet=None, encoding="utf-8", order=None)
    assert table.rows["sex"].tolist() == wanted
    assert note in "; ".join(table.notes)
    assert [f"{day}" for day in table.rows["rhc_date"]] == [
        "2020-03-01",
        "2020-03-02",
        "2020-03-03",
    ]


def test_rules_exclude_in_their_order_and_say_whom_they_cannot_judge(tmp_path: Path) -> None:
    (tmp_path / "r.yaml").write_text(
        "exclude:\n  - reason: paced\n    paced: statement\n  - reason: young\n    age_below: 18\n"
    )
    pairs = pd.DataFrame({
        "row": [2, 3, 4, 5],
        "statements": [("Atrial-paced rhythm",), ("No pacemaker seen",), (), ("Sinus",)],
        "age": [10.0, 50.0, 50.0, 10.0],
    })  # fmt: skip
    kept, excluded, undecided = apply_rules(
        read_rules(str(tmp_path / "r.yaml")), pairs, SignalMeasures(tmp_path)
    )
    assert kept["row"].tolist() == [3, 4]
    assert [(rule.reason, [one.who for one in left]) for rule, left in excluded] == [
        ("paced", ["row 2"]), ("young", ["row 5"]),
    ]  # fmt: skip
    assert [one.who for one in undecided] == ["row 4"]


@pytest.mark.parametrize(
    "text",
    [
        b"exclude: 1",
        b"exclude:\n  - reason: x\n    nothing: 1",
        b"a: [",
        b"exclude:\n  - reason: a\n    age_below: 18\nexclude: []",  # the last alone would count
        b"exclude: [\xfc]",
        b"exlude:\n  - reason: a\n    age_below: 18",
    ],
)
def test_a_rule_that_nobody_knows_is_refused(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "r.yaml").write_bytes(text)
    with pytest.raises(InputError, match="exclude"):
        read_rules(str(tmp_path / "r.yaml"))


def test_a_patients_shift_is_constant_and_1_to_365_days() -> None:
    shifts = [shift_days(str(one), b"key") for one in range(500)]
    assert shifts == [shift_days(str(one), b"key") for one in range(500)]
    assert min(shifts) >= 1
    assert max(shifts) <= 365
    assert len(set(shifts)) > 200


def test_columns_of_names_and_birth_dates_are_told() -> None:
    table = pd.DataFrame({
        "Vorname": ["x"], "who": ["Doe, Jane"], "when": ["03.05.1951"], "mpap_mmhg": ["40"],
        "ecg_date": ["1999-01-01"],
    })  # fmt: skip
    found = " ".join(identity_columns(table))
    assert all(name in found for name in ("Vorname", "who", "when"))
    assert not any(name in found for name in ("mpap", "ecg_date"))


def test_each_sign_between_the_numbers_of_dates_needs_its_own_proof() -> None:
    """A slash beside points is another program's date, and 03/12/2020 may be March or December."""
    mixed = ["31.12.2020", "03.04.2020", "03/12/2020"]
    with pytest.raises(InputError, match="nobody can tell day from month, in row 2"):
        read_dates(pd.Series(mixed), "d", None)
    proven = read_dates(pd.Series([*mixed, "25/12/2020"]), "d", None)
    assert str(proven.days[2]) == "2020-12-03"
    told = read_dates(pd.Series(mixed), "d", "day_first")
    assert str(told.days[2]) == "2020-12-03"
    with pytest.raises(InputError, match="others are; write all dates in one way"):
        read_dates(pd.Series([*mixed, "12/25/2020"]), "d", None)


def test_birth_dates_that_are_none_are_counted(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(
        "id;day;born\n1;2020-03-01;1950\n2;2020-03-02;01.02.1950\n3;2020-03-03;\n"
    )
    columns = {"patient_id": "id", "rhc_date": "day", "birth_date": "born"}
    table = read_hospital_table(
        tmp_path / "t.csv", columns, sheet=None, encoding="utf-8", order=None
    )
    assert [str(day) for day in table.rows["birth_date"]] == ["None", "1950-02-01", "None"]
    assert any("born: 1 cell is no date and was left empty" in note for note in table.notes)


@pytest.mark.parametrize(
    "cell", ["03/04/2020 - 05/04/2020", "03/04-2020", "2563-04-03", "1399/01/15", "0020-04-03"]
)
def test_a_range_and_a_year_of_another_calendar_are_no_date(cell: str) -> None:
    read = read_dates(pd.Series([cell, "13/04/2020"], index=[2, 3]), "d", None)
    assert read.days == [None, datetime.date(2020, 4, 13)]
    assert not any(cell in note for note in read.notes)


def test_a_date_beside_its_time_is_read() -> None:
    cells = pd.Series(["13/04/2020 08:30", "14/04/2020 8:05 PM"])
    assert [day.day for day in read_dates(cells, "d", None).days if day] == [13, 14]


@pytest.mark.parametrize("cell", ["2020-04-03 24:00:00", "03.04.2020 24:00", "2020/04/03 24:00"])
def test_24_hours_are_the_midnight_of_the_next_day(cell: str) -> None:
    read = read_dates(pd.Series([cell, "2020-04-03 23:59"]), "d", None)
    assert read.days == [datetime.date(2020, 4, 4), datetime.date(2020, 4, 3)]
    assert any("24:00 is the midnight of the next day" in note for note in read.notes)


def test_points_between_thousands_stop_a_hospitals_table(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    lines = ["patient_id;rhc_date;mpap_mmhg;pvr_dyn_s_cm5", "1;2020-03-04;31,5;1.234"]
    path.write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(InputError, match=r"row 2: pvr_dyn_s_cm5 is '1\.234'; if it means 1234"):
        read_hospital_table(path, {}, sheet=None, encoding="utf-8", order=None)


@pytest.mark.parametrize("encoding", ["utf-16", "windows-1252"])
def test_a_table_in_another_encoding_names_the_option(encoding: str, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes("patient_id,rhc_date\nM\u00fc,2020-03-04\n".encode(encoding))
    with pytest.raises(InputError, match=f"--encoding {encoding}"):
        read_hospital_table(tmp_path / "t.csv", {}, sheet=None, encoding="utf-8", order=None)


def test_ids_with_a_lost_letter_are_refused_in_any_encoding(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("patient_id,rhc_date\nM\ufffd,2020-03-04\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"row 2 holds U.FFFD under 'patient_id'"):
        read_hospital_table(tmp_path / "t.csv", {}, sheet=None, encoding="utf-8", order=None)


def test_seconds_since_1970_are_told_as_what_they_may_be(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("patient_id,rhc_date\n1,2020-01-01\n2,1577836800\n", encoding="utf-8")
    read = read_hospital_table(path, {}, sheet=None, encoding="utf-8", order=None)
    assert read.rows.index.tolist() == [2]
    assert any("1577836800 in row 3 is no date, but as seconds since 1970 it is 2020-01-01" in one
               for one in read.notes)  # fmt: skip


def test_days_as_sas_counts_them_are_no_days_of_excel(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("patient_id,rhc_date\n1,43831\n2,21915\n", encoding="utf-8")
    with pytest.raises(
        InputError,
        match=r"21915 in row 3 is 1959-12-31 .* since 1960 it is 2020-01-01",
    ):
        read_hospital_table(path, {}, sheet=None, encoding="utf-8", order=None)


def test_a_file_whose_patient_id_lost_a_letter_is_left_out(tmp_path: Path) -> None:
    for name, patient in (("a", "M\u00fc"), ("b", "M\ufffd")):
        demographics = (
            f"<PatientDemographics><PatientID>{patient}</PatientID></PatientDemographics>"
        )
        text = f"<RestingECG>{demographics}</RestingECG>"
        (tmp_path / f"{name}.xml").write_text(text, encoding="utf-8")
    archive = read_archive(tmp_path, b"key", order=None, jobs=1)
    assert archive.files["patient"].tolist() == ["M\u00fc"]
    assert [one.reason for one in archive.left] == [
        "a letter of the patient id in the file is lost"
    ]


def test_a_row_of_a_two_digit_year_and_its_file_say_so(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("patient_id;rhc_date;mpap_mmhg\n007;22.03.19;30\n")
    table = read_hospital_table(tmp_path / "t.csv", {}, sheet=None, encoding="utf-8", order=None)
    assert table.left[0].reason == "the year of its date has two digits"
    file = {"record": "a", "patient": "7", "acquired": "2019-03-22", "sex": "", "birth_date": "",
            "age_years": ""}  # fmt: skip
    linked = match(
        pd.DataFrame([file]), table.rows, IdRule(leading_zeros=True),
        Window(30, "nearest", "one"), unusable=table.unusable,
    )  # fmt: skip
    assert linked.files_left[0].reason == "no row of this patient in the table can be used"
