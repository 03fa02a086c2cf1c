import math

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t as student

from lsemvae.evaluation.tables.table1 import (
    TwoGroups,
    characteristics_table,
    chi_squared_p,
    counting_note,
    p_text,
    welch_p,
)


def cohort(n: int = 90) -> pd.DataFrame:
    rng = np.random.default_rng(4)
    return pd.DataFrame({
        "patient_id": [f"p{i}" for i in range(n)],
        "age_years": rng.normal(60, 10, n) + 8 * (np.arange(n) % 3 == 0),
        "sex": rng.choice(["F", "M"], n),
        "smoker": (rng.random(n) < 0.4).astype(float),
    })  # fmt: skip


def comparison(table: pd.DataFrame, name: str = "detection") -> TwoGroups:
    label = pd.Series((np.arange(len(table)) % 3 == 0).astype(float), index=table.index)
    return TwoGroups(name, label, ("non-PH", "PH"))


def cell(shown: pd.DataFrame, row: str, column: str) -> str:
    return str(shown.set_index("").loc[row, column])


def test_welch_p_is_that_of_its_formula() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(0, 1, 12), rng.normal(0.7, 3, 40)
    va, vb = a.var(ddof=1) / 12, b.var(ddof=1) / 40
    t = (a.mean() - b.mean()) / math.sqrt(va + vb)
    df = (va + vb) ** 2 / (va**2 / 11 + vb**2 / 39)
    expected = 2 * student.sf(abs(t), df)
    with_gaps = pd.Series([*a, np.nan])
    assert welch_p(with_gaps, pd.Series(b)) == pytest.approx(expected)
    assert math.isnan(welch_p(pd.Series([1.0]), pd.Series(b)))


def test_chi_squared_p_is_that_of_a_hand_calculation() -> None:
    one, other = pd.Series(["F"] * 30 + ["M"] * 20), pd.Series(["F"] * 20 + ["M"] * 30)
    assert chi_squared_p(one, other) == pytest.approx(math.erfc(math.sqrt(4.0 / 2)))  # chi2 = 4
    assert math.isnan(chi_squared_p(one[:3], other[:3]))
    assert math.isnan(chi_squared_p(one[:10], other[:10]))  # one level alone


def test_cells_are_recomputed_from_the_patients() -> None:
    table = cohort()
    variables = {"age_years": "Age", "sex": "Sex", "smoker": "Smoker"}
    shown = characteristics_table(table, [comparison(table)], variables=variables)
    age = table["age_years"][::3]
    assert cell(shown, "Age", "PH") == f"{age.mean():.2f} ± {age.std():.2f}"
    women = (table["sex"][::3] == "F").sum()
    assert cell(shown, "Sex: F", "PH") == f"{women} ({100 * women / 30:.1f} %)"
    smokers = int(table["smoker"][::3].sum())
    assert cell(shown, "Smoker: 1", "PH") == f"{smokers} ({100 * smokers / 30:.1f} %)"
    assert "Smoker: 0" not in set(shown[""])
    assert cell(shown, "Patients", "non-PH") == "60"


def test_every_patient_counts_once() -> None:
    table = cohort(30)
    twice = pd.concat([table, table.iloc[:9].assign(age_years=0.0)], ignore_index=True)
    label = pd.Series([float(i % 2) for i in [*range(30), *range(9)]])
    groups = TwoGroups("other", label, ("a", "b"))
    shown = characteristics_table(twice, [groups], variables={"age_years": "Age"})
    assert cell(shown, "Patients", "a") == "15"
    assert cell(shown, "Recordings", "a") == "20"
    assert cell(shown, "Age", "a") == (
        f"{table['age_years'][::2].mean():.2f} ± {table['age_years'][::2].std():.2f}"
    )


def test_missing_values_are_counted_and_left_out() -> None:
    table = cohort()
    table.loc[[0, 1, 4], "age_years"] = np.nan
    table.loc[2, "sex"] = ""
    shown = characteristics_table(table, [comparison(table)])
    assert cell(shown, "Age (years)", "missing") == "3"
    assert cell(shown, "Sex: F", "missing") == "1"
    kept = table["age_years"][::3].dropna()
    assert cell(shown, "Age (years)", "PH") == f"{kept.mean():.2f} ± {kept.std():.2f}"


def test_paper_stands_beside_its_own_groups_only() -> None:
    table = cohort()
    shown = characteristics_table(table, [comparison(table)])
    assert cell(shown, "Age (years)", "PH, paper") == "65.41 ± 13.02"
    assert cell(shown, "Patients", "PH, paper") == "691"
    assert cell(shown, "Age (years)", "p (detection), paper") == "<0.0001"
    assert cell(shown, "Sex: F", "PH, paper") == "-"
    other = TwoGroups("IRBBB", comparison(table).label, ("without", "with"))
    assert not any("paper" in name for name in characteristics_table(table, [other]))
    bare = characteristics_table(table, [comparison(table)], with_paper=False)
    assert not any("paper" in name for name in bare)


def test_group_of_one_patient_has_no_spread() -> None:
    table = cohort(3)
    shown = characteristics_table(table, [comparison(table)], with_paper=False)
    assert cell(shown, "Age (years)", "PH") == "-"
    assert cell(shown, "Age (years)", "p (detection)") == "-"


@pytest.mark.parametrize(
    ("p", "text"),
    [(0.5, "0.50"), (0.0312, "0.03"), (0.0009, "0.0009"), (0.00001, "<0.0001"), (np.nan, "-")],
)
def test_p_values_are_printed_as_in_the_paper(p: float, text: str) -> None:
    assert p_text(p) == text


def test_patients_of_both_groups_are_counted_below_the_table() -> None:
    table = pd.DataFrame({"patient_id": ["a", "a", "b", "b", "c"], "age_years": range(5)})
    label = pd.Series([0.0, 1.0, 1.0, 1.0, 0.0])
    said = counting_note(table, [TwoGroups("detection", label, ("no", "yes"))])
    assert "once in a group" in said
    assert "1 patient stands in both groups of detection" in said
    assert counting_note(table.iloc[[0, 2, 4]], []) == ""
