"""Find what contradicts itself in published tables: the paper's own, or any in the same form."""

import math
from pathlib import Path

import pandas as pd

from lsemvae.core.errors import InputError
from lsemvae.core.findings import Finding
from lsemvae.core.instead import found_instead
from lsemvae.evaluation.kept_files import read_every_cell
from lsemvae.evaluation.tables.paper import paper_table
from lsemvae.evaluation.tables.printed import printed_interval, rows_of
from lsemvae.evaluation.tables.table1_checks import (
    contradicting_counts,
    pooled_columns,
    pressure_sums,
    welch_p_values,
)
from lsemvae.evaluation.tables.table2_checks import (
    ClassSizes,
    below_base_rate,
    contradicting_gains,
    impossible_mcc,
)

NUMBERS = {
    "table1": ("n_0", "mean_0", "sd_0", "n_1", "mean_1", "sd_1", "p"),
    "table2": ("mean", "sd"),
}
KEYS = {
    "table1": ("comparison", "variable"),
    "table2": ("task", "method", "leads", "metric"),
}
MAY_BE_EMPTY = ("p", "sd")
SIGNED = ("mean", "mean_0", "mean_1")  # an MCC or a base excess can be negative


def check_tables(
    table1: pd.DataFrame, table2: pd.DataFrame, counts: pd.DataFrame, gains: pd.DataFrame
) -> list[Finding]:
    """Return everything that contradicts itself in the tables or between tables and text.

    Args:
        table1: characteristics, see `table1_checks`; its comparisons are the tasks of table 2,
            group 1 the positive class.
        table2: results, see `table2_checks`.
        counts: group sizes that the text gives; may have no rows.
        gains: differences that the text quotes; may have no rows.
    """
    sizes = class_sizes(table1)
    return [
        *contradicting_counts(table1, counts),
        *pooled_columns(table1),
        *pressure_sums(table1),
        *welch_p_values(table1),
        *below_base_rate(table2, sizes),
        *impossible_mcc(table2, sizes),
        *contradicting_gains(table2, gains),
    ]


def class_sizes(table1: pd.DataFrame) -> dict[str, ClassSizes]:
    """Return the class sizes of each comparison of table 1."""
    first = table1.drop_duplicates("comparison")
    return {row.comparison: ClassSizes(int(row.n_0), int(row.n_1)) for row in rows_of(first)}


def read_published(path: Path, like: str) -> pd.DataFrame:
    """Read a table in the form of one of the paper's, cells as text.

    Args:
        path: CSV file.
        like: table1 or table2.

    Raises:
        InputError: no such file, or the list of missing columns and of cells that are no numbers.
    """
    if not path.is_file():
        instead = found_instead(path, ".csv")
        raise InputError(f"there is no table {path}{instead}; give the path of a CSV file")
    try:
        table = read_every_cell(path, dtype=str, keep_default_na=False)
    except ValueError as error:  # of decoding, of pandas, of lines that are too long
        raise InputError(f"{path} is not a CSV file in UTF-8 ({error})") from error
    expected = [str(name) for name in paper_table(like)]
    missing = [name for name in expected if name not in table]
    if missing:
        raise InputError(f"{path} lacks the columns {', '.join(missing)}; {like} has the columns "
                         f"{', '.join(expected)}")  # fmt: skip
    problems = [
        f"row {number + 2}: {name} is {cell!r}"
        for name in NUMBERS[like]
        for number, cell in enumerate(table[name])
        if not _is_number(cell, name)
    ]
    repeated = table.duplicated(list(KEYS[like]))
    problems += [f"row {number + 2}: a second time" for number in table.index[repeated]]
    if problems:
        raise InputError(
            f"{path} holds cells that are no numbers >= 0, or repeated rows: "
            f"{'; '.join(problems[:20])}"
        )
    return table


def _is_number(cell: str, name: str) -> bool:
    if not cell:
        return name in MAY_BE_EMPTY
    try:
        low, high = printed_interval(cell)
    except InputError:
        return False
    if name in ("n_0", "n_1"):
        return cell.isdigit() and int(cell) >= 2
    bound_alone = cell.startswith("<") and name != "p"
    negative = low + high < 0 and name not in SIGNED
    return math.isfinite(high) and not (bound_alone or negative)
