"""Which recording goes to which catheter, where the right answer is known beforehand."""

import datetime
from typing import Any

import pandas as pd
import pytest

from data_modules.linking.id_rule import IdRule
from data_modules.linking.match import NEARER, OUTSIDE, SAME_DAY, Match, When, Window, match
from data_modules.linking.sides import tell_sides


def tables(files: dict[str, Any], rows: list[tuple[str, str]]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return recordings (name: patient, time) and rows (patient, day), numbered from 2."""
    recordings = pd.DataFrame(
        [(record, *one, "", "", "") for record, one in files.items()],
        columns=["record", "patient", "acquired", "sex", "birth_date", "age_years"],
    )
    table = pd.DataFrame(
        {
            "patient": [patient for patient, _ in rows],
            "rhc_date": [datetime.date.fromisoformat(day) for _, day in rows],
            "sex": "",
            "birth_date": None,
        },
        index=range(2, 2 + len(rows)),
    )
    return recordings, table


def linked(files: dict[str, Any], rows: list[tuple[str, str]], *window: Any) -> Match:
    """Link recordings (name: patient, time) to rows (patient, day)."""
    return match(*tables(files, rows), IdRule(leading_zeros=True), Window(*window))


def pairs(found: Match) -> dict[int, list[str]]:
    return {int(row): list(part) for row, part in found.pairs.groupby("row")["record"]}


@pytest.mark.parametrize(
    ("taken", "when", "inside"),
    [
        ("2020-03-03T23:59:59", "nearest", True),  # 7 days before, to the end of the day
        ("2020-03-02T23:59:59", "nearest", False),  # 8 calendar days, 7 x 24 h and a minute
        ("2020-03-17T23:59:59", "nearest", True),
        ("2020-03-18T00:00:00", "nearest", False),
        ("2020-03-10T23:59:00", "before", True),  # the day itself counts on both sides
        ("2020-03-10T00:01:00", "after", True),
        ("2020-03-11T00:00:00", "before", False),
        ("2020-03-09T23:59:00", "after", False),
        ("2020-03-09T23:30:00-05:00", "before", True),  # the clock of the place, not of Greenwich
        ("2020-03-11T00:30:00+02:00", "before", False),
    ],
)
def test_windows_are_of_whole_days_and_hold_their_ends(taken: str, when: str, inside: bool) -> None:
    found = linked({"a": ("7", taken)}, [("7", "2020-03-10")], 7, when, "one")
    assert pairs(found) == ({2: ["a"]} if inside else {})
    assert [left.reason for left in found.rows_left] == ([] if inside else [OUTSIDE])


def test_of_two_as_near_that_before_is_taken_and_of_one_day_the_first() -> None:
    day = [("7", "2020-03-10")]
    both = {"after": ("7", "2020-03-12T08:00:00"), "before": ("7", "2020-03-08T20:00:00")}
    assert pairs(linked(both, day, 7, "nearest", "one")) == {2: ["before"]}
    same = {"late": ("7", "2020-03-10T20:00:00"), "early": ("7", "2020-03-10T08:00:00")}
    assert pairs(linked(same, day, 7, "nearest", "one")) == {2: ["early"]}
    assert pairs(linked(same, day, 7, "nearest", "all")) == {2: ["early", "late"]}


def test_a_recording_goes_to_the_nearest_of_two_catheters_and_one_row_stays_without() -> None:
    rows = [("7", "2020-03-10"), ("7", "2020-03-20")]
    files = {"a": ("7", "2020-03-14"), "b": ("7", "2020-03-17")}
    assert pairs(linked(files, rows, 30, "nearest", "all")) == {2: ["a"], 3: ["b"]}
    found = linked(files, rows, 30, "nearest", "one")
    assert pairs(found) == {3: ["b"]}
    assert [(left.who, left.reason) for left in found.rows_left] == [("row 2", NEARER)]


def test_two_rows_of_one_day_under_two_spellings_of_an_id_are_left_out() -> None:
    rows = [("007", "2020-03-10"), ("7", "2020-03-10"), ("8", "2020-03-10")]
    files = {"a": ("7", "2020-03-10"), "b": ("8", "2020-03-10")}
    found = linked(files, rows, 30, "nearest", "one")
    assert pairs(found) == {4: ["b"]}
    told = [(left.who, left.reason) for left in found.rows_left]
    assert told == [("row 2", SAME_DAY), ("row 3", SAME_DAY)]


def test_recordings_after_the_catheter_or_on_the_other_side_of_the_window_are_told() -> None:
    days = [(f"P{i}", "2020-03-10") for i in range(12)]
    files = {f"r{i}": (f"P{i}", f"2020-03-{9 if i == 0 else 13}T08:00:00") for i in range(12)}

    def told(when: When) -> list[str]:
        recordings, table = tables(files, days)
        window = Window(7, when, "one")
        found = match(recordings, table, IdRule(), window)
        return tell_sides(recordings, table, IdRule(), window, found)

    assert "after the catheter in 11 of 12 rows, by 3 days in the median" in told("nearest")[0]
    assert told("before")[0].startswith("`when` before gives 1 recording, after would give 11")
    assert told("after") == []
