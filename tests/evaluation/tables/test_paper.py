import pytest
from scipy.stats import ttest_ind_from_stats

from lsemvae.evaluation.tables.paper import (
    paper_characteristic,
    paper_group_size,
    paper_p_value,
    paper_result,
    paper_table,
)


def mean(task: str, method: str, leads: str, metric: str) -> float:
    return float(paper_result(task, method, leads, metric).split(" ± ")[0])


def test_table_2_is_complete() -> None:
    table = paper_table("table2")
    assert len(table) == 90  # 8 methods with 12 leads, 7 with 6, 2 tasks, 3 metrics
    assert not table.duplicated(["task", "method", "leads", "metric"]).any()
    assert table["mean"].str.fullmatch(r"0\.\d{3}").all()
    assert table["sd"].str.fullmatch(r"0\.\d{2}").all()
    assert paper_result("detection", "beta_vae", "6L") == "-"


@pytest.mark.parametrize(
    ("task", "metric", "gain"),
    [
        ("detection", "accuracy", 0.013),
        ("detection", "auroc", 0.028),
        ("detection", "mcc", 0.059),
        ("phenotype", "accuracy", 0.003),
        ("phenotype", "mcc", 0.169),
    ],
)
def test_gains_over_st_mem_are_those_of_the_text(task: str, metric: str, gain: float) -> None:
    found = mean(task, "ls_emvae", "12L", metric) - mean(task, "st_mem", "12L", metric)
    assert found == pytest.approx(gain)


def test_loss_from_12_to_6_leads_is_that_of_the_text() -> None:
    for task, loss in (("detection", 0.038), ("phenotype", 0.027)):
        found = mean(task, "ls_emvae", "12L", "auroc") - mean(task, "ls_emvae", "6L", "auroc")
        assert found == pytest.approx(loss)


@pytest.mark.parametrize(
    ("variable", "p"),
    [("bsa_m2", 0.0009), ("heart_rate_bpm", 0.0005), ("spap_mmhg", 0.061), ("dpap_mmhg", 0.041)],
)
def test_welch_p_of_the_phenotypes_needs_136_pre_capillary_patients(
    variable: str, p: float
) -> None:
    cells = [paper_characteristic(variable, group) for group in ("pre-capillary", "post-capillary")]
    (m0, s0), (m1, s1) = (map(float, cell.split(" ± ")) for cell in cells)
    n0, n1 = (int(paper_group_size(group)) for group in ("pre-capillary", "post-capillary"))
    found = ttest_ind_from_stats(m0, s0, n0, m1, s1, n1, equal_var=False).pvalue
    assert found == pytest.approx(p, rel=0.07)
    assert float(paper_p_value(variable, "phenotype")) == pytest.approx(p, rel=0.2)


def test_what_the_paper_does_not_print_is_a_dash() -> None:
    assert paper_result("IRBBB", "ls_emvae", "12L") == "-"
    assert paper_result("detection", "ls_emvae", "2L-I-II") == "-"
    assert paper_characteristic("age_years", "men") == "-"
    assert paper_group_size("men") == "-"
    assert paper_p_value("bmi", "detection") == "-"


def test_every_metric_is_reached() -> None:
    assert paper_result("detection", "ls_emvae", "12L") == "0.852 ± 0.02"
    assert paper_result("phenotype", "ls_emvae", "6L", "accuracy") == "0.869 ± 0.01"
    assert paper_result("phenotype", "multimodal_cnn", "6L", "mcc") == "0.032 ± 0.02"
    assert paper_characteristic("age_years", "PH") == "65.41 ± 13.02"
