"""Find columns of groups, such as a site, in which one group is written in several ways."""

from collections.abc import Iterable

import pandas as pd

from data_modules.cohort.cell_spellings import mixed_truths
from data_modules.cohort.columns import DATES, REQUIRED, RESERVED
from data_modules.cohort.identity import alike_ids
from lsemvae.core.counted import counted
from lsemvae.core.errors import InputError
from lsemvae.core.findings import Finding
from lsemvae.core.printable import say
from lsemvae.core.suggestion import suggestion

N_NAMED = 3
FEW_GROUPS, MOST_GROUPS = 20, 200  # of a small and of a large table
REPEATED = 0.5  # a column of more different texts than this share of its cells is free text


def group_word_findings(table: pd.DataFrame) -> list[Finding]:
    """Return the columns of text whose groups are written in several ways.

    Args:
        table: one row for each recording, columns as in `cohort_table`.
    """
    told_elsewhere = {*REQUIRED, *DATES, *RESERVED, "sex", *mixed_truths(table)}
    names = [name for name in table if name not in told_elsewhere]
    told = {name: alike_groups(table[name]) for name in names}
    return [Finding("groups", (str(name),), text) for name, text in told.items() if text]


def check_group_columns(table: pd.DataFrame, names: Iterable[str], where: str) -> None:
    """Refuse columns that a result cannot be split by.

    Args:
        table: of a store.
        names: of the columns; age is split into bands.
        where: the store, as it was named.

    Raises:
        InputError: there is no such column, or it holds nearly as many groups as patients.
    """
    for name in dict.fromkeys(names):
        if name not in table:
            raise InputError(
                f"{where} has no column {name}; it has {', '.join(map(str, table))}"
                f"{suggestion(name, map(str, table))}"
            )
        n_groups = table[name].nunique()
        most = min(MOST_GROUPS, max(FEW_GROUPS, int(REPEATED * len(table))))
        if n_groups > most and name != "age_years":
            raise InputError(
                f"the column {name} of {where} holds {n_groups:,} groups, and results are split by "
                f"{most} at most; name a column of groups, such as sex"
            )


def tell_group_words(table: pd.DataFrame, names: Iterable[str]) -> None:
    """Warn of columns that a result is split by and whose groups are written in several ways."""
    for name in dict.fromkeys(names):
        text = alike_groups(table[name]) if name in table else ""
        if text:
            say(f"warning: {text}")


def alike_groups(column: pd.Series) -> str:
    """Return a sentence on groups that differ in case, blanks, zeros or signs only, or nothing."""
    if pd.api.types.is_numeric_dtype(column.dtype):
        return ""
    filled = column.dropna().astype(str)
    filled = filled[filled != ""]
    if not len(filled) or filled.nunique() > max(2, REPEATED * len(filled)):
        return ""
    groups = alike_ids(filled).groups
    if not groups:
        return ""
    named = ", ".join(" = ".join(map(repr, group)) for group in groups[:N_NAMED])
    more = f" and {len(groups) - N_NAMED} more" if len(groups) > N_NAMED else ""
    return (
        f"{column.name} writes {counted(len(groups), 'group')} in several ways: {named}{more}; "
        "tables, subgroups, sites and folds take each way for a group of its own: write each group "
        "in one way"
    )
