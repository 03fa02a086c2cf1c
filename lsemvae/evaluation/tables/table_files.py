"""Write one table as CSV, Markdown and LaTeX."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd

from lsemvae.core.errors import InputError
from lsemvae.core.files import write_text
from lsemvae.core.outputs import check_output_file

# What LaTeX would read as a command, and what its fonts lack outside mathematics.
LATEX = str.maketrans(
    {
        **{sign: "\\" + sign for sign in "&%$#_{}"},
        "\\": r"\textbackslash{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "<": r"\textless{}",
        ">": r"\textgreater{}",
        "±": r"$\pm$",
        "≤": r"$\leq$",
        "≥": r"$\geq$",
        "Δ": r"$\Delta$",
        "²": r"$^2$",
        "\N{EN DASH}": "--",
        "✓": r"$\checkmark$",
        "✗": r"$\times$",
        "\N{MULTIPLICATION SIGN}": r"$\times$",
    }
)
ENDINGS = (".csv", ".md", ".tex")
MARKDOWN = str.maketrans({**{sign: "\\" + sign for sign in "\\|*_`"}, "<": "&lt;", "\n": " "})


def write_table(
    table: pd.DataFrame,
    stem: Path,
    caption: str,
    bold: pd.DataFrame | None = None,
    underline: pd.DataFrame | None = None,
) -> list[Path]:
    """Write STEM.csv, STEM.md and STEM.tex and return their paths.

    Numbers are written as they are: format what shall be read by people beforehand. A missing cell
    is empty. CSV has no caption and no emphasis.

    Args:
        table: flat column names; the index is not written.
        stem: path without extension, or with that of one of the files; missing folders are made.
        caption: names the data, so that nobody mistakes one cohort for another.
        bold: of the table's shape, true where a cell is bold.
        underline: the same for underlined cells.

    Raises:
        InputError: `bold` or `underline` has another shape than the table.
    """
    for name, mask in (("bold", bold), ("underline", underline)):
        if mask is not None and mask.shape != table.shape:
            raise InputError(f"{name} has the shape {mask.shape}, the table {table.shape}")
    stem = table_stem(stem)
    files = [stem.with_name(f"{stem.name}{kind}") for kind in ENDINGS]
    check_table_files(stem, [str(name) for name in table.columns[:2]])
    write_text(files[0], table.to_csv(index=False))
    write_text(files[1], markdown_table(table, caption, bold, underline))
    write_text(files[2], latex_table(table, stem.name, caption, bold, underline))
    return files


def table_stem(stem: Path) -> Path:
    """Return the path that the endings of the files are put after; `t.csv` means `t`.

    Raises:
        InputError: the path has no name: it is a dot, `/`, or nothing.
    """
    if stem.name in ("", ".."):
        raise InputError(
            f"--out {str(stem)!r} names a folder; name the files in it without ending, such as "
            f"{stem / 'table1'}"
        )
    return stem.with_suffix("") if stem.suffix in ENDINGS else stem


def check_table_files(stem: Path, first_columns: Sequence[str]) -> None:
    """Check that STEM.csv, .md and .tex are not there, or are those of an earlier table.

    Raises:
        InputError: names one that is something else.
    """
    marks = {
        ".csv": pd.DataFrame(columns=list(first_columns)).to_csv(index=False).strip(),
        ".md": "".join(f"| {name.translate(MARKDOWN)} " for name in first_columns),
        ".tex": r"\begin{table}",
    }
    for kind, mark in marks.items():
        check_output_file(stem.with_name(f"{stem.name}{kind}"), mark=mark.encode())


def markdown_table(
    table: pd.DataFrame,
    caption: str,
    bold: pd.DataFrame | None = None,
    underline: pd.DataFrame | None = None,
) -> str:
    """Return a table as GitHub Markdown, the caption in a line above it."""
    cells = _cells(table, lambda text: text.translate(MARKDOWN))
    cells = _wrap(cells, underline, "<u>", "</u>")
    cells = _wrap(cells, bold, "**", "**")
    rows = [[str(name).translate(MARKDOWN) for name in cells], ["---"] * len(cells.columns)]
    rows += cells.to_numpy().tolist()
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([f"{caption.translate(MARKDOWN)}", "", *lines, ""])


def latex_table(
    table: pd.DataFrame,
    label: str,
    caption: str,
    bold: pd.DataFrame | None = None,
    underline: pd.DataFrame | None = None,
) -> str:
    """Return a table as a LaTeX float for the packages booktabs and amssymb."""
    cells = _cells(table, _latex).rename(columns=lambda name: _latex(str(name)))
    cells = _wrap(cells, underline, r"\underline{", "}")
    cells = _wrap(cells, bold, r"\textbf{", "}")
    style = cells.reset_index(drop=True).style.hide(axis="index")
    return style.to_latex(
        hrules=True,
        caption=_latex(caption),
        label=f"tab:{label}",
        column_format="l" + "r" * (len(cells.columns) - 1),
        position_float="centering",
    )


def _latex(text: str) -> str:
    return text.translate(LATEX)


def _cells(table: pd.DataFrame, escape: Callable[[str], str]) -> pd.DataFrame:
    """Return every cell as escaped text, missing ones as empty text."""
    return table.map(lambda cell: "" if pd.isna(cell) else escape(str(cell)))


def _wrap(cells: pd.DataFrame, mask: pd.DataFrame | None, before: str, after: str) -> pd.DataFrame:
    if mask is None:
        return cells
    return cells.where(~mask.to_numpy(dtype=bool) | (cells == ""), before + cells + after)
