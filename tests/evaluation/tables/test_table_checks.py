from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ttest_ind

from lsemvae.core.errors import InputError
from lsemvae.core.findings import Finding
from lsemvae.evaluation.tables.confusion import accuracy_and_mcc
from lsemvae.evaluation.tables.paper import paper_table
from lsemvae.evaluation.tables.printed import half_unit, printed_interval
from lsemvae.evaluation.tables.table1_checks import welch_interval
from lsemvae.evaluation.tables.table2_checks import ClassSizes, below_base_rate
from lsemvae.evaluation.tables.table_checks import check_tables, class_sizes, read_published

TABLES = ("table1", "table2", "text_counts", "text_gains")


@pytest.fixture(scope="module")
def found() -> dict[str, list[Finding]]:
    """Return what is found in the paper's own tables, by check."""
    findings = check_tables(*(paper_table(name) for name in TABLES))
    return {
        check: [finding for finding in findings if finding.check == check]
        for check in {finding.check for finding in findings}
    }


def test_paper_has_ten_accuracies_below_the_larger_class(found: dict[str, list[Finding]]) -> None:
    below = found["accuracy below the larger class"]
    assert [len(finding.where) for finding in below] == [6, 4]
    n_results = (paper_table("table2")["metric"] == "accuracy").sum()
    assert n_results == 30
    assert "phenotype/multimodal_cnn/6L" in below[1].where
    assert "0.775" in below[0].message
    assert "0.803" in below[1].message


def test_paper_contradicts_its_group_sizes(found: dict[str, list[Finding]]) -> None:
    (finding,) = found["group sizes"]
    assert finding.where == ("pre-capillary", "post-capillary")
    assert "table counts 136 and 555, the text 555 and 136" in finding.message
    assert "7 fit the table's sizes, 4 the text's" in finding.message


def test_paper_prints_one_p_value_that_welch_does_not_give(
    found: dict[str, list[Finding]],
) -> None:
    (finding,) = found["p-value"]
    assert finding.where == ("spap_mmhg, non-PH against PH",)
    assert "printed 0.04" in finding.message
    assert "give 0.3" in finding.message


def test_paper_pools_columns_without_weights(found: dict[str, list[Finding]]) -> None:
    mean, sd = found["pooled column"]
    assert mean.where == ("PH, mean",)
    assert sd.where == ("PH, SD",)
    assert "age_years 65.41 (expected 67.74)" in mean.message  # (136 * 61.56 + 555 * 69.26) / 691
    assert "6 of them equal the plain mean" in mean.message  # dPAP's mean is the exception
    assert "7 of them equal the plain mean" in sd.message


def test_paper_prints_pressures_that_cannot_belong_together(
    found: dict[str, list[Finding]],
) -> None:
    groups = [finding.where[0] for finding in found["pressures"]]
    assert sorted(groups) == ["PH", "non-PH", "post-capillary", "pre-capillary"]
    (healthy,) = (finding for finding in found["pressures"] if finding.where == ("non-PH",))
    assert "near 39.3, printed is 14.23" in healthy.message  # 22.54 + (72.75 - 22.54) / 3


def test_paper_prints_impossible_mccs(found: dict[str, list[Finding]]) -> None:
    impossible = [finding.where[0] for finding in found["impossible MCC"]]
    unlikely = [finding.where[0] for finding in found["unlikely MCC"]]
    assert sorted(impossible) == [
        "detection/beta_vae/12L", "phenotype/beta_vae/12L", "phenotype/st_mem/6L",
    ]  # fmt: skip
    assert sorted(unlikely) == ["phenotype/st_mem/12L", "phenotype/xresnet1d34/12L"]


def test_text_quotes_gains_that_the_table_does_not_show(found: dict[str, list[Finding]]) -> None:
    gains = {finding.where[0]: finding.message for finding in found["gain in the text"]}
    quoted = gains.pop("phenotype auroc, ls_emvae 12L against st_mem 12L")
    assert quoted == "the text says 0.047, the table 0.016"
    assert len(gains) == 4  # the ranges against "all unimodal methods" with 6 leads


def consistent_tables() -> list[pd.DataFrame]:
    """Return tables made from drawn patients, which cannot contradict themselves."""
    rng = np.random.default_rng(3)
    sizes = {"non-PH": 80, "pre-capillary": 40, "post-capillary": 160}
    values = {name: rng.normal(60 + 5 * i, 10, n) for i, (name, n) in enumerate(sizes.items())}
    values["PH"] = np.concatenate([values["pre-capillary"], values["post-capillary"]])
    rows = []
    for comparison, within, pair in (
        ("detection", "", ("non-PH", "PH")),
        ("phenotype", "PH", ("pre-capillary", "post-capillary")),
    ):
        a, b = (values[name] for name in pair)
        row = {"comparison": comparison, "within": within, "variable": "age_years"}
        for side, name in enumerate(pair):
            x = values[name]
            cells = name, str(len(x)), f"{x.mean():.2f}", f"{x.std(ddof=1):.2f}"
            columns = (f"{column}_{side}" for column in ("group", "n", "mean", "sd"))
            row |= dict(zip(columns, cells, strict=True))
        rows.append(row | {"p": f"{ttest_ind(a, b, equal_var=False).pvalue:.4f}"})
    return [pd.DataFrame(rows), folds_of_a_classifier(rng), paper_table("text_counts")[:0],
            paper_table("text_gains")[:0]]  # fmt: skip


def folds_of_a_classifier(rng: np.random.Generator) -> pd.DataFrame:
    """Return accuracy and MCC over five folds of 40 positive and 16 negative patients."""
    accuracy, mcc = accuracy_and_mcc(40, 16)
    tp, tn = rng.integers(34, 41, 5), rng.integers(8, 17, 5)
    rows = []
    for metric, values in (("accuracy", accuracy[tp, tn]), ("mcc", mcc[tp, tn])):
        spread = f"{values.mean():.3f}", f"{values.std(ddof=1):.2f}"
        rows.append(("detection", "ls_emvae", "12", metric, *spread, "yes", "yes"))
    return pd.DataFrame(rows, columns=list(paper_table("table2")))


def test_nothing_is_found_in_tables_of_real_samples() -> None:
    assert check_tables(*consistent_tables()) == []


def test_each_planted_fault_is_found_alone() -> None:
    table1, results, counts, gains = consistent_tables()
    for column, check in (("p", "p-value"), ("mean_1", "pooled column")):
        changed = table1.copy()
        changed.loc[0, column] = "0.91" if column == "p" else "99.00"
        found = check_tables(changed, results, counts, gains)
        assert check in {finding.check for finding in found}


def test_accuracy_that_rounds_to_the_base_rate_is_not_below_it() -> None:
    rows = [("t", "m", "12", "accuracy", cell, "", "no", "no") for cell in ("0.667", "0.665")]
    table = pd.DataFrame(rows, columns=list(paper_table("table2")))
    table["method"] = ["rounds", "below"]
    (finding,) = below_base_rate(table, {"t": ClassSizes(1, 2)})
    assert finding.where == ("t/below/12L",)


def test_welch_interval_holds_the_p_value_of_the_unrounded_samples() -> None:
    table1 = consistent_tables()[0]
    for row in table1.itertuples(index=False):
        low, high = welch_interval(row)
        assert low <= float(row.p) + 5e-5
        assert high >= float(row.p) - 5e-5
        assert high - low < 0.01


@pytest.mark.parametrize(
    ("text", "interval"),
    [("0.30", (0.295, 0.305)), ("<0.0001", (0.0, 0.0001)), ("< 0.05", (0.0, 0.05)),
     ("14.7", (14.65, 14.75)), ("136", (135.5, 136.5))],
)  # fmt: skip
def test_printed_number_stands_for_an_interval(text: str, interval: tuple[float, float]) -> None:
    assert printed_interval(text) == pytest.approx(interval)


def test_half_a_unit_counts_the_zeros_that_are_printed() -> None:
    assert half_unit("0.750") == pytest.approx(0.0005)
    assert half_unit("0.75") == pytest.approx(0.005)


def test_class_sizes_come_from_the_first_table() -> None:
    sizes = class_sizes(paper_table("table1"))
    assert sizes == {"detection": (201, 691), "phenotype": (136, 555)}


def test_unreadable_table_lists_every_fault(tmp_path: Path) -> None:
    path = tmp_path / "table1.csv"
    table = paper_table("table1").copy()
    table.loc[0, "mean_0"], table.loc[3, "n_1"], table.loc[5, "sd_0"] = "58,4", "-1", "<3"
    pd.concat([table, table.iloc[[2]]]).to_csv(path, index=False)
    with pytest.raises(InputError) as error:
        read_published(path, "table1")
    for expected in ("row 2: mean_0 is '58,4'", "row 5: n_1", "row 7: sd_0", "a second time"):
        assert expected in str(error.value)
    table.drop(columns=["p", "within"]).to_csv(path, index=False)
    with pytest.raises(InputError, match="lacks the columns within, p"):
        read_published(path, "table1")
