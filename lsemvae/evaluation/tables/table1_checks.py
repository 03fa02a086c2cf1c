"""Check that a published table of patient characteristics agrees with itself.

The table has one row for each variable and comparison of two groups, cells as text with their
printed digits: comparison, within (the group that both groups together are, or empty), variable,
group_0, n_0, mean_0, sd_0, group_1, n_1, mean_1, sd_1, p (may be empty).
"""

import itertools
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import ttest_ind_from_stats

from lsemvae.core.counted import counted
from lsemvae.core.findings import Finding
from lsemvae.evaluation.tables.printed import half_unit, printed_interval, rows_of

# The rule of thirds errs by 1.6 mmHg (SD) in single adults: Chemla et al., Chest 2009;135:760-768.
# About three of these; the mean of a group errs less.
GROUP_TOLERANCE_MMHG = 5.0
PRESSURES = ["spap_mmhg", "dpap_mmhg", "mpap_mmhg"]
SIDES = ("0", "1")


def by_group(table: pd.DataFrame) -> pd.DataFrame:
    """Return one row for each comparison, variable and group, with numbers and their rounding.

    Columns: comparison, within, variable, group, n, mean, sd, mean_error, sd_error.
    """
    parts = []
    for side in SIDES:
        names = {f"{name}_{side}": name for name in ("group", "n", "mean", "sd")}
        part = table[["comparison", "within", "variable", *names]].rename(columns=names)
        errors = {f"{name}_error": part[name].map(half_unit) for name in ("mean", "sd")}
        numbers = part[["n", "mean", "sd"]].astype(float)
        parts.append(part.assign(**numbers, **errors))
    return pd.concat(parts, ignore_index=True)


def pooled_columns(table: pd.DataFrame) -> list[Finding]:
    """Find columns of a whole group that are no statistic of its two parts.

    The mean of the whole is the mean of its parts weighted by their sizes; its variance is the
    variance within the parts and between their means.
    """
    cells = by_group(table)
    wrong: list[dict[str, Any]] = []
    for (whole, variable), parts in cells[cells["within"] != ""].groupby(["within", "variable"]):
        printed = cells[(cells["group"] == whole) & (cells["variable"] == variable)]
        if len(printed) == 1 and len(parts) == 2:
            wrong += _compare(printed.iloc[0], parts)
    if not wrong:
        return []
    found = []
    for (whole, name), rows in pd.DataFrame(wrong).groupby(["whole", "name"], sort=False):
        unweighted = int(rows["unweighted"].sum())
        values = ", ".join(f"{r.variable} {r.printed:g} (expected {r.expected:.2f})"
                           for r in rows_of(rows))  # fmt: skip
        found.append(
            Finding(
                "pooled column",
                (f"{whole}, {name}",),
                f"{counted(len(rows), 'cell is', 'cells are')} no {name} of both parts together: "
                f"{values}; {unweighted} of them equal the plain mean of the two columns, "
                "whatever the sizes of the parts",
            )
        )
    return found


def _compare(printed: pd.Series, parts: pd.DataFrame) -> list[dict[str, Any]]:
    """Compare a whole's mean and SD with those that its parts give."""
    n, mean, sd = (parts[name].to_numpy() for name in ("n", "mean", "sd"))
    pooled = float(n @ mean / n.sum())
    variance = ((n - 1) @ sd**2 + n @ (mean - pooled) ** 2) / (n.sum() - 1)
    wrong = []
    for name, label, column, right in (
        ("mean", "mean", mean, pooled), ("sd", "SD", sd, float(np.sqrt(variance))),
    ):  # fmt: skip
        error = printed[f"{name}_error"] + parts[f"{name}_error"].max() + 1e-9
        if abs(printed[name] - right) > error:
            wrong.append({
                "whole": printed["group"], "name": label, "variable": printed["variable"],
                "printed": printed[name], "expected": right,
                "unweighted": abs(printed[name] - column.mean()) <= error,
            })  # fmt: skip
    return wrong


def pressure_sums(
    table: pd.DataFrame, tolerance_mmhg: float = GROUP_TOLERANCE_MMHG
) -> list[Finding]:
    """Find groups whose mean pressures cannot belong together: mPAP ~ dPAP + (sPAP - dPAP) / 3."""
    cells = by_group(table)
    pressures = cells[cells["variable"].isin(PRESSURES)]
    means = pressures.pivot_table(index="group", columns="variable", values="mean", sort=False)
    if not set(PRESSURES) <= set(means):
        return []
    off = (means["mpap_mmhg"] - _mean_pressure(means)).abs() > tolerance_mmhg
    return [
        Finding(
            "pressures",
            (str(group),),
            f"systolic {row['spap_mmhg']:g} and diastolic {row['dpap_mmhg']:g} mmHg give a mean "
            f"pressure near {_mean_pressure(row):.1f}, printed is {row['mpap_mmhg']:g}",
        )
        for group, row in means[off].iterrows()
    ]


def _mean_pressure(pressures: Any) -> Any:
    """Return what the rule of thirds makes of systolic and diastolic pressure."""
    return pressures["dpap_mmhg"] + (pressures["spap_mmhg"] - pressures["dpap_mmhg"]) / 3


def welch_interval(row: Any, n: tuple[int, int] | None = None) -> tuple[float, float]:
    """Return the smallest and largest p-value of Welch's t-test that the printed digits allow.

    Args:
        row: a row of the table.
        n: other group sizes than the row's.
    """
    corners = [printed_interval(getattr(row, f"{name}_{side}")) for side in SIDES
               for name in ("mean", "sd")]  # fmt: skip
    mean_0, sd_0, mean_1, sd_1 = np.array(list(itertools.product(*corners))).T
    n_0, n_1 = n or _sizes(row)
    p = ttest_ind_from_stats(mean_0, sd_0, n_0, mean_1, sd_1, n_1, equal_var=False).pvalue
    return float(np.min(p)), float(np.max(p))


def p_value_fits(row: Any, n: tuple[int, int] | None = None) -> bool:
    """Tell whether the printed p-value is one that the row's means, SDs and sizes can give."""
    low, high = printed_interval(row.p)
    least, most = welch_interval(row, n)
    return low <= most and least <= high


def welch_p_values(table: pd.DataFrame) -> list[Finding]:
    """Find printed p-values that Welch's t-test does not give."""
    return [
        Finding(
            "p-value",
            (f"{row.variable}, {row.group_0} against {row.group_1}",),
            f"printed {row.p}, the printed means, SDs and sizes give {_p_text(row)}",
        )
        for row in rows_of(table[table["p"] != ""])
        if not p_value_fits(row)
    ]


def _p_text(row: Any) -> str:
    n_0, n_1 = _sizes(row)
    found = ttest_ind_from_stats(
        float(row.mean_0), float(row.sd_0), n_0, float(row.mean_1), float(row.sd_1), n_1,
        equal_var=False,
    )  # fmt: skip
    return f"{found.pvalue:.2g}"


def _sizes(row: Any) -> tuple[int, int]:
    return int(row.n_0), int(row.n_1)


def contradicting_counts(table: pd.DataFrame, counts: pd.DataFrame) -> list[Finding]:
    """Find group sizes that another place gives differently, and say which the p-values support.

    Args:
        table: the table.
        counts: the other place: comparison, group, n as text.
    """
    found = []
    for comparison, other in counts.groupby("comparison", sort=False):
        rows = table[table["comparison"] == comparison]
        size = dict(zip(other["group"], other["n"].astype(int), strict=True))
        groups = tuple(rows[["group_0", "group_1"]].iloc[0]) if len(rows) else ()
        if not groups or not set(groups) <= set(size):
            continue
        ours, theirs = _sizes(rows.iloc[0]), (size[groups[0]], size[groups[1]])
        if ours == theirs:
            continue
        tested = [row for row in rows_of(rows) if row.p]
        fit = [sum(p_value_fits(row, n) for row in tested) for n in (ours, theirs)]
        found.append(
            Finding(
                "group sizes",
                groups,
                f"the table counts {ours[0]} and {ours[1]}, the text {theirs[0]} and {theirs[1]}; "
                f"of {len(tested)} printed p-values {fit[0]} fit the table's "
                f"sizes, {fit[1]} the text's",
            )
        )
    return found
