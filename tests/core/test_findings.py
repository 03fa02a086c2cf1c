from pathlib import Path

import pandas as pd

from lsemvae.core.findings import MAX_SHOWN, Finding, describe_findings, write_findings


def test_findings_are_grouped_by_check() -> None:
    findings = [Finding("a", ("row 1",), "one"), Finding("b", ("row 2",), "two"),
                Finding("a", ("row 3",), "three")]  # fmt: skip
    lines = describe_findings(findings).splitlines()
    assert lines == ["3 findings", "a", "  row 1: one", "  row 3: three", "b", "  row 2: two"]
    assert describe_findings([]) == "nothing was found"


def test_text_shortens_long_lists_and_the_file_does_not(tmp_path: Path) -> None:
    rows = tuple(f"row {number}" for number in range(MAX_SHOWN + 5))
    findings = [Finding("missing", rows, 'a "quoted", text')]
    assert f"row {MAX_SHOWN - 1} and 5 more: a" in describe_findings(findings)
    write_findings(findings, tmp_path / "deep/findings.csv")
    (row,) = pd.read_csv(tmp_path / "deep/findings.csv").itertuples(index=False)
    assert row.where.split("; ") == list(rows)
    assert row.message == 'a "quoted", text'


def test_findings_of_the_same_words_are_one_line() -> None:
    """The CSV file keeps each; a value out of range in every row filled the screen."""
    ages = [f"age_years is {600 + n}.5; expected" for n in range(20)]
    many = [Finding("cell", (f"row {n}",), age) for n, age in enumerate(ages)]
    other = Finding("cell", ("row 3",), "sex is 'x'; expected")
    lines = describe_findings([*many, other]).splitlines()
    assert len(lines) == 4
    assert lines[2].endswith("row 7 and 12 more; the first: age_years is 600.5; expected")
    assert lines[3] == "  row 3: sex is 'x'; expected"
