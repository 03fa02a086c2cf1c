"""Delimited text: what was written is read, what is unclear is refused."""

import csv
import tempfile
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_modules.cohort.csv_cells import DELIMITERS, decimal_commas, read_cells
from lsemvae.core.errors import InputError

CELL = st.text(st.characters(exclude_categories=["Cc", "Cs"]) | st.sampled_from(',;\t\n"'))
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
    ("encoding", "guess"), [("latin-1", "Latin-1 or Windows-1252"), ("utf-16", "UTF-16")]
)
def test_other_encodings_are_named_and_not_guessed_at(
    tmp_path: Path, encoding: str, guess: str
) -> None:
    (tmp_path / "t.csv").write_text("record,patient_id\n1,M\u00fcller\n", encoding)
    with pytest.raises(InputError, match=f"is not UTF-8 text .* perhaps {guess}"):
        read_cells(tmp_path / "t.csv")


def test_rows_keep_the_numbers_of_the_spreadsheet(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("\na,b\n1,2\n,\n\n3\n4,5\n")
    cells = read_cells(tmp_path / "t.csv")
    assert cells.table.index.tolist() == [3, 7]
    assert cells.problems == ["row 6: it has 1 cells, the header has 2"]


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
