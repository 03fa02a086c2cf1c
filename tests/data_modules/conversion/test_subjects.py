"""Subjects of headers against patients of the table, few leads, skews, and notes."""

import csv
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from data_modules.conversion.subjects import compare_subjects, stated_subject
from data_modules.store.read import EcgStore
from lsemvae.cli import main
from lsemvae.core.leads import LEADS
from tests.data_modules.conftest import WriteRecord, make_ecg_mv


@pytest.mark.parametrize(
    ("comment", "subject"),
    [
        ("<subject_id>: 10000032", "10000032"),
        ("<age>: 51 <subject_id>: P-7 <sex>: F", "P-7"),
        ("Subject ID 12", "12"),
        ("patient_id=a.b", "a.b"),
        ("nothing about anybody", ""),
        ("subjected to 3 tests", ""),
    ],
)
def test_a_comment_names_its_subject(comment: str, subject: str) -> None:
    assert stated_subject(["synthetic ECG", comment]) == subject


@pytest.mark.parametrize(
    ("headers", "table", "own_ids", "wrong", "renamed"),
    [
        (["1", "2", ""], ["1", "3", "4"], False, [1], False),
        (["1", "2", "3"], ["01", "2.0", "9"], True, [2], False),  # the table has the source's ids
        (["7"], ["a"], False, [0], False),
        (["7", "8", "9"], ["a", "b", "c"], True, [], True),  # new ids, one to one
        (["7", "8", "9"], ["a", "a", "c"], True, [0, 1], True),  # two subjects as one patient
        (["7", "7", "9"], ["a", "b", "c"], True, [0, 1], True),  # one subject as two patients
        (["", ""], ["a", "b"], False, [], False),
    ],
)
def test_headers_and_table_must_mean_the_same_people(
    headers: list[str], table: list[str], own_ids: bool, wrong: list[int], renamed: bool
) -> None:
    found = compare_subjects(np.array(headers), pd.Series(table), own_ids=own_ids)
    assert (sorted(found.others), found.renamed) == (wrong, renamed)


def quarantined(store: Path) -> dict[str, list[str]]:
    with store.with_name(store.name + ".quarantine.csv").open(newline="") as file:
        return {row["record"]: [row["outcome"], row["code"]] for row in csv.DictReader(file)}


def test_a_recording_of_another_subject_is_not_stored_under_this_one(
    write_record: WriteRecord, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in (1, 2, 3):
        ecg = make_ecg_mv()
        ecg[6:] = np.roll(ecg[6:], number, axis=0)  # another heart
        write_record(f"s/{number}", ecg, comment=f"<subject_id>: {number}")
    (tmp_path / "t.csv").write_text("record,patient_id\n1,1\n2,2\n3,7\n")
    out = tmp_path / "o.h5"
    cohort = ["prepare", "cohort", "--source", str(tmp_path / "s"), "--out", str(out)]
    assert main([*cohort, "--table", str(tmp_path / "t.csv")]) == 0
    assert quarantined(out) == {"3": ["rejected", "subject_mismatch"]}
    assert EcgStore(out).table["record"].tolist() == ["1", "2"]
    (tmp_path / "own.csv").write_text("record,patient_id\n1,a\n2,a\n3,b\n")
    assert main([*cohort, "--table", str(tmp_path / "own.csv")]) == 0
    assert quarantined(out) == {n: ["accepted_with_warnings", "subject_mismatch"] for n in "12"}
    printed = capsys.readouterr().out
    assert "rejected: subject_mismatch 1" in printed
    assert "its ids were taken as new ones; 2 do not fit one to one" in printed


def test_what_is_cut_off_or_resampled_is_told_and_too_few_leads_are_refused(
    write_record: WriteRecord, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_record("s/long", make_ecg_mv(10_000))
    write_record("s/slow", make_ecg_mv(2500, 250.0), rate=250)
    write_record("s/one", make_ecg_mv()[:1], leads=LEADS[:1])
    write_record("s/limb", make_ecg_mv()[:2], leads=LEADS[:2])
    (tmp_path / "t.csv").write_text("record,patient_id\nlong,1\nslow,1\none,3\nlimb,4\n")
    out = tmp_path / "o.h5"
    table, source = ["--table", str(tmp_path / "t.csv")], ["--source", str(tmp_path / "s")]
    arguments = ["prepare", "cohort", *table, *source, "--out", str(out)]
    assert main(arguments) == 0
    found = quarantined(out)
    assert found["long"] == ["accepted", "cut_to_length"]
    assert found["slow"] == ["accepted", "resampled"]
    assert found["one"] == ["rejected", "few_leads"]
    assert found["limb"][0] == "accepted_with_warnings"
    printed = capsys.readouterr().out
    assert "3 of 4 recordings accepted, 1 of them with warnings" in printed
    assert "notes:    cut_to_length 1, resampled 1" in printed
    assert main([*arguments, "--signal.min_leads", "1"]) == 0
    assert EcgStore(out).present.sum(1).tolist() == [12, 12, 1, 6]


@pytest.mark.parametrize("skew", [501, 30_000_000])
def test_a_lead_that_is_moved_by_seconds_is_refused(
    skew: int, write_record: WriteRecord, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_record("r")
    header = (tmp_path / "r.hea").read_text()
    (tmp_path / "r.hea").write_text(header.replace(" 16 ", f" 16:{skew} ", 1))
    assert main(["view", str(tmp_path / "r"), "--out", str(tmp_path / "r.png")]) == 2
    assert f"the skew of I is {skew} samples" in capsys.readouterr().err
