from pathlib import Path

import pandas as pd
import pytest

from lsemvae.core.errors import InputError
from lsemvae.evaluation.tables.table_files import latex_table, markdown_table, write_table

TABLE = pd.DataFrame({"method": ["a_b", "c|d"], "AUROC 50%": ["0.8 ± 0.1", None]})
MASK = pd.DataFrame({"method": [False, False], "AUROC 50%": [True, True]})


def test_all_three_files_hold_the_same_cells(tmp_path: Path) -> None:
    files = write_table(TABLE, tmp_path / "deep/table.v1", "Results, cohort A")
    assert [file.name for file in files] == ["table.v1.csv", "table.v1.md", "table.v1.tex"]
    back = pd.read_csv(files[0])
    pd.testing.assert_frame_equal(back, TABLE.astype(back.dtypes))
    for file in files[1:]:
        assert "Results, cohort A" in file.read_text(encoding="utf-8")


def test_latex_is_escaped_and_balanced() -> None:
    text = latex_table(TABLE, "results", "50 % of A_B & C <ours>", bold=MASK)
    assert r"50 \% of A\_B \& C \textless{}ours\textgreater{}" in text
    assert r"a\_b & \textbf{0.8 $\pm$ 0.1} \\" in text
    assert r"c|d &  \\" in text
    assert r"method & AUROC 50\% \\" in text
    assert r"\begin{tabular}{lr}" in text
    assert text.count(r"\begin{") == text.count(r"\end{") == 2
    assert text.replace(r"\{", "").count("{") == text.replace(r"\}", "").count("}")


def test_backslash_and_braces_are_escaped_once() -> None:
    text = latex_table(pd.DataFrame({"x": ["\\{"]}), "x", "x")
    assert r"\textbackslash{}\{ \\" in text


def test_markdown_has_one_more_bar_than_columns_in_each_row() -> None:
    lines = markdown_table(TABLE, "caption", bold=MASK, underline=MASK).splitlines()
    assert lines[:2] == ["caption", ""]
    assert lines[3] == "| --- | --- |"
    assert lines[4] == r"| a\_b | **<u>0.8 ± 0.1</u>** |"
    assert lines[5] == r"| c\|d |  |"


def test_masks_go_by_position_whatever_the_index() -> None:
    shuffled = TABLE.set_index(pd.Index([7, 3]))
    assert "**<u>0.8 ± 0.1</u>**" in markdown_table(shuffled, "", bold=MASK, underline=MASK)
    assert r"\textbf{0.8" in latex_table(shuffled, "x", "", bold=MASK)


def test_mask_of_another_shape_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"bold has the shape \(1, 2\), the table \(2, 2\)"):
        write_table(TABLE, tmp_path / "x", "", bold=MASK[:1])
    assert list(tmp_path.iterdir()) == []
