"""Lines of a CSV file that are longer than its header do not move its columns."""

import io
from pathlib import Path

import pytest

from lsemvae.cli import main
from lsemvae.evaluation.kept_files import read_every_cell
from tests.conftest import error_of


def test_commas_at_line_ends_move_nothing() -> None:
    table = read_every_cell(io.StringIO("a,b\n1,2,\n3,4,\n"))
    assert table.to_dict("list") == {"a": [1, 3], "b": [2, 4]}


@pytest.mark.parametrize("text", ["a,b\n1,2,3\n4,5,6\n", "a,b\n1,2\n4,5,6\n"])
def test_a_longer_line_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"more cells|Expected 2 fields in line 3, saw 3"):
        read_every_cell(io.StringIO(text))


def test_check_tables_refuses_longer_lines(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "t.csv"
    table.write_text("comparison,variable\nx,y,z\n")
    assert main(["check", "tables", "--table1", str(table)]) == 2
    assert "more cells than its header" in error_of(capsys)
