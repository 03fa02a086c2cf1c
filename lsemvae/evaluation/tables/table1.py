"""Make Table 1: characteristics of the patients by group, beside the paper's."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import chi2_contingency, ttest_ind

from lsemvae.core.counted import counted
from lsemvae.evaluation.tables.paper import paper_characteristic, paper_group_size, paper_p_value

# Rows of the paper's Table 1 in its order, then what a cohort has besides.
CHARACTERISTICS = {
    "age_years": "Age (years)",
    "bsa_m2": "Body surface area (m²)",
    "heart_rate_bpm": "Heart rate (1/min)",
    "spap_mmhg": "Systolic PAP (mmHg)",
    "dpap_mmhg": "Diastolic PAP (mmHg)",
    "mpap_mmhg": "mPAP (mmHg)",
    "pawp_mmhg": "PAWP (mmHg)",
    "cardiac_output_l_min": "Cardiac output (L/min)",
    "pvr_wu": "PVR (WU)",
    "sex": "Sex",
}
MIN_EXPECTED = 5  # Cochran's rule: below it the chi-squared distribution is no approximation
NONE = "-"
PATIENTS = "patients"
PAPER = ", paper"  # ends the name of a column of the paper's cells


class TwoGroups(NamedTuple):
    """Two groups side by side.

    Attributes:
        name: detection or phenotype where the paper's columns belong beside them.
        label: 0, 1 or NaN for each row of the table.
        groups: names of the groups 0 and 1.
    """

    name: str
    label: pd.Series
    groups: tuple[str, str]

    def columns_of(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return the part of a table of characteristics that compares these groups, p plain.

        Args:
            table: what `characteristics_table` made.
        """
        names = [*self.groups, _p_column(self)]
        mine = [column for column in table if str(column).removesuffix(PAPER) in names]
        plain = {name: str(name).replace(_p_column(self), "p") for name in mine}
        return table[[table.columns[0], *mine]].rename(columns=plain)


def characteristics_table(
    table: pd.DataFrame,
    comparisons: Sequence[TwoGroups],
    *,
    variables: Mapping[str, str] = CHARACTERISTICS,
    with_paper: bool = True,
) -> pd.DataFrame:
    """Return the characteristics as text cells, one row each.

    Every patient counts once in a group, with the first of his or her recordings in it. Quantities
    are mean ± SD with Welch's t-test, as in the paper; text columns and columns of 0 and 1 are
    n (%) with a chi-squared test. The last column counts patients whose value is missing.

    Args:
        table: one row for each recording, with patient_id.
        comparisons: the columns, from left to right.
        variables: for each column of the table its name in print; absent columns are left out.
        with_paper: put the paper's cells beside ours where it has any.
    """
    rows = _sizes(comparisons, table)
    for name, text in variables.items():
        if name in table:
            rows += _variable(table[name], text, comparisons, table)
    cells = pd.DataFrame(rows)
    columns = {"": cells["text"]}
    for comparison in comparisons:
        for name in (*comparison.groups, _p_column(comparison)):
            columns[name] = cells[name]
            printed = _printed(cells["column"], comparison, name)
            if with_paper and (printed != NONE).any():
                columns[f"{name}{PAPER}"] = printed
    return pd.DataFrame(columns | {"missing": cells["missing"]})


def counting_note(table: pd.DataFrame, comparisons: Sequence[TwoGroups]) -> str:
    """Say how patients with several recordings count; empty where there are none.

    Args:
        table: one row for each recording, with patient_id.
        comparisons: as for `characteristics_table`.
    """
    if not table["patient_id"].duplicated().any():
        return ""
    said = " Each patient counts once in a group, with the first of his or her recordings in it."
    for comparison in comparisons:
        one, other = (_group(comparison, side, table)["patient_id"] for side in (0, 1))
        both = int(one.isin(other).sum())
        if both:
            said += (
                f" {counted(both, 'patient stands', 'patients stand')} in both groups of "
                f"{comparison.name}, with recordings of either; p takes them for two."
            )
    return said


def _printed(columns: pd.Series, comparison: TwoGroups, name: str) -> pd.Series:
    """Return the paper's cells of a group or of the p-values, dashes where it has none."""
    if name == _p_column(comparison):
        return columns.map(lambda column: paper_p_value(column, comparison.name))
    cells = columns.map(lambda column: paper_characteristic(column, name))
    return cells.where(columns != PATIENTS, paper_group_size(name))


def welch_p(one: pd.Series, other: pd.Series) -> float:
    """Return the p-value of Welch's t-test, NaN where a group has fewer than two values."""
    a, b = (values.dropna().to_numpy(dtype=float) for values in (one, other))
    if min(len(a), len(b)) < 2:
        return float("nan")
    return float(ttest_ind(a, b, equal_var=False).pvalue)


def chi_squared_p(one: pd.Series, other: pd.Series) -> float:
    """Return the p-value of the chi-squared test without correction.

    NaN where one level alone occurs, or an expected count is below 5.
    """
    counts = pd.DataFrame({0: one.value_counts(), 1: other.value_counts()}).fillna(0)
    if len(counts) < 2 or (counts.sum() == 0).any():
        return float("nan")
    found = chi2_contingency(counts.to_numpy(), correction=False)
    return float("nan") if found.expected_freq.min() < MIN_EXPECTED else float(found.pvalue)


def p_text(p: float) -> str:
    """Return a p-value as it is printed."""
    if np.isnan(p):
        return NONE
    if p < 0.0001:
        return "<0.0001"
    return f"{p:.4f}" if p < 0.01 else f"{p:.2f}"


def _group(comparison: TwoGroups, side: int, table: pd.DataFrame) -> pd.DataFrame:
    """Return the first recording of every patient of a group."""
    return table[comparison.label == side].drop_duplicates("patient_id")


def _sizes(comparisons: Sequence[TwoGroups], table: pd.DataFrame) -> list[dict[str, str]]:
    """Return the number of patients and, where it differs, of recordings."""
    patients = {"column": PATIENTS, "text": "Patients", "missing": ""}
    recordings = {"column": "", "text": "Recordings", "missing": ""}
    for comparison in comparisons:
        for side, name in enumerate(comparison.groups):
            patients[name] = str(len(_group(comparison, side, table)))
            recordings[name] = str(int((comparison.label == side).sum()))
        patients[_p_column(comparison)] = recordings[_p_column(comparison)] = ""
    return [patients, recordings] if table["patient_id"].duplicated().any() else [patients]


def _variable(
    values: pd.Series, text: str, comparisons: Sequence[TwoGroups], table: pd.DataFrame
) -> list[dict[str, str]]:
    """Return the row of a quantity, or one row for each level of a category."""
    values = values.replace("", np.nan)
    levels = _levels(values)
    test = welch_p if levels == [None] else chi_squared_p
    rows = [
        {"column": str(values.name), "text": text if level is None else f"{text}: {level}"}
        for level in levels
    ]
    for comparison in comparisons:
        parts = [values[_group(comparison, side, table).index] for side in (0, 1)]
        for row, level in zip(rows, levels, strict=True):
            for name, part in zip(comparison.groups, parts, strict=True):
                row[name] = _mean_sd(part) if level is None else _share(part, level)
            row[_p_column(comparison)] = ""
        rows[0][_p_column(comparison)] = p_text(test(*parts))
    labels = pd.concat([comparison.label for comparison in comparisons], axis=1)
    patients = table[labels.notna().any(axis=1)].drop_duplicates("patient_id")
    missing = int(values[patients.index].isna().sum())
    return [row | {"missing": "" if number else str(missing)} for number, row in enumerate(rows)]


def _levels(values: pd.Series) -> list[Any]:
    """Return the levels of a category to show; [None] stands for a quantity."""
    found = sorted(values.dropna().unique())
    if found and set(found) <= {0.0, 1.0}:
        return [1]
    return [None] if pd.api.types.is_numeric_dtype(values) else found


def _mean_sd(values: pd.Series) -> str:
    if values.notna().sum() < 2:
        return NONE
    return f"{values.mean():.2f} ± {values.std():.2f}"


def _share(values: pd.Series, level: Any) -> str:
    known = int(values.notna().sum())
    n = int((values == level).sum())
    return f"{n} ({100 * n / known:.1f} %)" if known else NONE


def _p_column(comparison: TwoGroups) -> str:
    return f"p ({comparison.name})"
