"""Text from files as a terminal and a browser get it."""

import csv
import re
from pathlib import Path

import pandas as pd
import pytest

from data_modules.conversion.quarantine import RecordFate, write_quarantine
from data_modules.linking.archive import Left
from data_modules.linking.outputs import left_table
from lsemvae.core.findings import Finding, describe_findings, write_findings
from lsemvae.core.printable import one_line, printable, say, spreadsheet_cell
from lsemvae.evaluation.tables.table_files import markdown_table
from lsemvae.evaluation.tables.terminal import print_frame
from lsemvae.predicting.outcome import Row
from lsemvae.predicting.output import write_csv
from tests.conftest import ROOT

ESCAPE = "\x1b[2J\x1b]0;title\x07V1"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("mPAP > 20 mmHg, ± 3 µV", "mPAP > 20 mmHg, ± 3 µV"),
        ("\x1b[31mII", r"\x1b[31mII"),
        ("\x9b31m", r"\x9b31m"),  # an escape of one byte
        ("a\u202e31", r"a\u202e31"),  # right to left
        ("two\nlines\tmore", "two\nlines\tmore"),
    ],
)
def test_control_characters_are_written_out(text: str, shown: str) -> None:
    assert printable(text) == shown
    assert "\n" not in one_line(text)


def test_findings_and_quarantine_hold_no_escape(tmp_path: Path) -> None:
    found = [Finding("lead", (ESCAPE,), f"lead {ESCAPE} is unknown")]
    assert "\x1b" not in describe_findings(found)
    write_findings(found, tmp_path / "found.csv")
    write_quarantine(
        tmp_path / "q.csv",
        [RecordFate("r1", False, (("format_unknown", f"lead {ESCAPE}"),), "", False)],
    )
    for file in ("found.csv", "q.csv"):
        with (tmp_path / file).open(newline="") as stream:
            rows = list(csv.reader(stream))
        assert "\x1b" not in str([[cell for cell in row if "\x1b" in cell] for row in rows])
        assert not any("\x1b" in cell for row in rows for cell in row)


def test_table_for_markdown_holds_no_tag() -> None:
    table = pd.DataFrame({"<b>name</b>": ["<img src=x onerror=alert(1)>"]})
    text = markdown_table(table, "of <script>")
    assert "<" not in text
    assert "&lt;img src=x" in text


def test_what_is_said_and_tables_hold_no_escape_and_no_markup(
    capsys: pytest.CaptureFixture[str],
) -> None:
    say(f"lead {ESCAPE}\u202e31 of 2")
    print_frame(pd.DataFrame({f"[red]{ESCAPE}": [f"[/red]{ESCAPE}"]}), f"of {ESCAPE} [b]")
    shown = capsys.readouterr().out
    assert not set("\x1b\x07\u202e") & set(shown)
    assert "[/red]" in shown
    assert "[b]" in shown


@pytest.mark.parametrize("text", ["=1+1", "+1", "-a", "@sum", "\t=1"])
def test_no_table_holds_a_formula(text: str, tmp_path: Path) -> None:
    assert spreadsheet_cell(text) == f"'{text}"
    write_findings([Finding("cell", (text,), text)], tmp_path / "found.csv")
    row = Row(recording=text, outcome="error", code="unreadable", point=text, message=text)
    with (tmp_path / "p.csv").open("w", newline="") as file:
        write_csv(file, [row], {})
    left_table([Left(text, text, text)]).to_csv(tmp_path / "left.csv", index=False)
    for name in ("found.csv", "p.csv", "left.csv"):
        with (tmp_path / name).open(newline="") as stream:
            cells = [cell for line in list(csv.reader(stream))[1:] for cell in line]
        assert not [cell for cell in cells if cell[:1] in set("=+-@\t")]


def test_one_function_prints() -> None:
    """Whatever a file calls a lead or a patient passes through it on its way to a terminal."""
    bare = re.compile(r"(?<![\w.\"`])print\(|sys\.std(out|err)\.write\(|(?<!\w)Console\(\)\.print")
    sources = [*(ROOT / "lsemvae").rglob("*.py"), *(ROOT / "data_modules").rglob("*.py")]
    found = {file.name for file in sources if bare.search(file.read_text(encoding="utf-8"))}
    assert found == {"printable.py"}


def test_a_table_cell_holds_nothing_that_a_terminal_acts_on() -> None:
    text = f"{ESCAPE}\u202e31 \udcff"
    assert spreadsheet_cell(text).isprintable()
