"""An outcome has one of four names, and the quarantine list and the summary use them."""

import csv
from pathlib import Path

from data_modules.conversion.quarantine import RecordFate, describe, summarise, write_quarantine
from data_modules.reading.reasons import REMEDIES

OUTCOMES = [
    RecordFate("a", True, ()),
    RecordFate("b", True, (("padded", "short"), ("lead_gap", "V1"))),
    RecordFate("c", False, (("too_short", "1 s"),)),
    RecordFate("d", False, (("checksum_mismatch", "damaged"),)),
]


def test_outcomes_are_named() -> None:
    kinds = [outcome.kind for outcome in OUTCOMES]
    assert kinds == ["accepted", "accepted_with_warnings", "skipped", "rejected"]


def test_the_quarantine_list_has_a_line_for_each_reason(tmp_path: Path) -> None:
    write_quarantine(tmp_path / "q.csv", OUTCOMES)
    with (tmp_path / "q.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    assert [row[:4] for row in rows[1:]] == [
        ["b", "accepted_with_warnings", "padded", "short"],
        ["b", "accepted_with_warnings", "lead_gap", "V1"],
        ["c", "skipped", "too_short", "1 s"],
        ["d", "rejected", "checksum_mismatch", "damaged"],
    ]
    assert rows[0][4] == "remedy"
    assert [row[4] for row in rows[1:]] == [
        REMEDIES[code] for code in ("padded", "lead_gap", "too_short", "checksum_mismatch")
    ]


def test_the_summary_tells_skipped_from_rejected(tmp_path: Path) -> None:
    text = describe(summarise(OUTCOMES, tmp_path / "s.h5", tmp_path / "q.csv", seconds=1.0))
    assert "2 of 4 recordings accepted, 1 of them with warnings" in text
    assert "rejected: checksum_mismatch 1\n" in text
    assert "skipped:  too_short 1\n" in text
