"""Hold the paper's Tables 1 and 2 and what its text says of them, for display and for checks.

The files in `paper_tables` hold the digits as printed. The text swaps the sizes of the pre- and the
post-capillary group (555 and 136); the p-values of Table 1 show that the table is right.
"""

from functools import cache
from pathlib import Path

import pandas as pd

FOLDER = Path(__file__).parent / "paper_tables"
LEADS = {"12L": "12", "6L": "6"}


@cache
def paper_table(name: str) -> pd.DataFrame:
    """Return one of the files as text cells: table1, table2, text_counts or text_gains."""
    return pd.read_csv(FOLDER / f"{name}.csv", dtype=str, keep_default_na=False)


def paper_result(task: str, method: str, leads: str, metric: str = "auroc") -> str:
    """Return a cell of Table 2 as `mean ± SD`, or a dash where it has none.

    Args:
        task: detection or phenotype.
        method: a method's name as `lsemvae cv --method` takes it, or a baseline of the paper:
            resnet1d, xresnet1d34, beta_vae, st_mem, mvae, mopoe_vae.
        leads: 12L or 6L.
        metric: auroc, accuracy or mcc.
    """
    table = paper_table("table2")
    asked = {"task": task, "method": method, "leads": LEADS.get(leads, ""), "metric": metric}
    found = table[(table[list(asked)] == pd.Series(asked)).all(axis=1)]
    return "-" if found.empty else f"{found['mean'].iloc[0]} ± {found['sd'].iloc[0]}"


def paper_characteristic(variable: str, group: str) -> str:
    """Return a cell of Table 1 as `mean ± SD`, or a dash where it has none.

    Args:
        variable: our column name, such as age_years.
        group: non-PH, PH, pre-capillary or post-capillary.
    """
    table = paper_table("table1")
    for side in ("0", "1"):
        found = table[(table["variable"] == variable) & (table[f"group_{side}"] == group)]
        if len(found):
            return f"{found[f'mean_{side}'].iloc[0]} ± {found[f'sd_{side}'].iloc[0]}"
    return "-"


def paper_group_size(group: str) -> str:
    """Return the number of patients of a group of Table 1, or a dash."""
    table = paper_table("table1")
    for side in ("0", "1"):
        found = table[table[f"group_{side}"] == group]
        if len(found):
            return str(found[f"n_{side}"].iloc[0])
    return "-"


def paper_p_value(variable: str, comparison: str) -> str:
    """Return the printed p-value of Table 1, or a dash; comparison is detection or phenotype."""
    table = paper_table("table1")
    found = table[(table["variable"] == variable) & (table["comparison"] == comparison)]
    return "-" if found.empty else str(found["p"].iloc[0])
