from pathlib import Path

import pandas as pd
import pytest

from lsemvae.cli import main
from lsemvae.evaluation.tables.paper import paper_table
from tests.conftest import error_of


def test_without_arguments_the_paper_is_checked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "deep/findings.csv"
    assert main(["check", "tables", "--out", str(out)]) == 0
    text = capsys.readouterr().out
    table = pd.read_csv(out)
    assert list(table) == ["check", "where", "message"]
    assert text.startswith(f"{len(table)} findings")
    for check in table["check"]:
        assert check in text


def test_other_tables_are_checked_in_the_place_of_the_papers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table1 = paper_table("table1").query("variable == 'age_years' and comparison == 'detection'")
    table2 = paper_table("table2").query("task == 'detection' and method == 'ls_emvae'")
    paths = {"table1": table1, "table2": table2}
    arguments = []
    for name, table in paths.items():
        table.to_csv(tmp_path / f"{name}.csv", index=False)
        arguments += [f"--{name}", str(tmp_path / f"{name}.csv")]
    assert main(["check", "tables", *arguments]) == 0
    assert "nothing was found" in capsys.readouterr().out


def test_unreadable_table_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "tables", "--table2", str(tmp_path / "none.csv")]) == 2
    assert "there is no table" in error_of(capsys)
    (tmp_path / "empty.csv").touch()
    assert main(["check", "tables", "--table2", str(tmp_path / "empty.csv")]) == 2
    assert "not a CSV file" in error_of(capsys)
