import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.multitest import multipletests

from lsemvae.core.errors import InputError
from lsemvae.evaluation.statistics.comparison import aligned, compare, fold_metrics, holm
from lsemvae.evaluation.statistics.delong import paired_delong
from lsemvae.evaluation.statistics.metrics import METRICS, binary_metrics
from lsemvae.evaluation.statistics.nadeau_bengio import corrected_resampled_t
from tests.evaluation.simulated import predictions


def noisy(table: pd.DataFrame, noise: float, seed: int) -> pd.DataFrame:
    """Return predictions of the same records that are worse by noise."""
    rng = np.random.default_rng(seed)
    odds = np.log(table["probability"] / (1 - table["probability"]))
    blurred = odds + noise * rng.normal(size=len(table))
    return table.assign(probability=1 / (1 + np.exp(-blurred)))


def test_holm_by_hand() -> None:
    # .005 * 4, .01 * 3, .03 * 2, and .04 * 1, raised to the one before it.
    assert holm([0.01, 0.04, 0.03, 0.005]).tolist() == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_holm_equals_statsmodels() -> None:
    p = np.random.default_rng(0).random(12) ** 3
    np.testing.assert_allclose(holm(p), multipletests(p, method="holm")[1])


def test_a_p_that_has_no_value_is_not_counted() -> None:
    adjusted = holm([0.02, np.nan, 0.03])
    assert adjusted[[0, 2]].tolist() == pytest.approx([0.04, 0.04])
    assert np.isnan(adjusted[1])
    assert holm([]).shape == (0,)
    with pytest.raises(InputError, match=r"0..1"):
        holm([1.5])


def test_the_table_holds_what_each_test_says() -> None:
    table = predictions(300)
    runs = {"ours": table, "worse": noisy(table, 3.0, 1), "equal": noisy(table, 0.1, 2)}
    rows = compare(runs, reference="ours", n_resamples=200).set_index("method")
    assert rows.index.tolist() == ["worse", "equal"]
    for name in rows.index:
        other = runs[name]
        assert rows.loc[name, "delong"] == paired_delong(
            table["label"], table["probability"], other["probability"],
            patient_id=table["patient_id"], fold=table["fold"],
        )  # fmt: skip
        differences = fold_metrics(table)["auroc"] - fold_metrics(other)["auroc"]
        assert rows.loc[name, "nadeau_bengio"] == corrected_resampled_t(
            differences, test_to_train=1 / 4
        )
        assert set(rows.loc[name, "bootstrap"]) == set(METRICS)
    for test in ("delong", "nadeau_bengio"):
        raw = [comparison.p for comparison in rows[test]]
        np.testing.assert_allclose(rows[f"{test}_p_holm"], multipletests(raw, method="holm")[1])
    assert rows.loc["worse", "delong"].difference.low > 0
    assert rows.loc["worse", "bootstrap"]["auroc"].low > 0
    assert rows.loc["equal", "delong"].p > 0.05


def test_the_order_of_the_records_does_not_matter() -> None:
    table = predictions(100)
    other = noisy(table, 1.0, 3)
    shuffled = other.sample(frac=1, random_state=0)
    first, second = (
        compare({"a": table, "b": given}, reference="a", n_resamples=50)
        for given in (other, shuffled)
    )
    assert first.equals(second)


def test_runs_on_other_records_folds_or_labels_are_refused_all_named() -> None:
    table = predictions(100)
    runs = {
        "a": table,
        "b": table.assign(label=1 - table["label"]),
        "c": table.assign(fold=(table["fold"] + 1) % 5),
        "d": table.head(99),
    }
    with pytest.raises(InputError) as caught:
        aligned(runs)
    for said in ("b differs from a in label", "c differs from a in fold", "d differs from a in re"):
        assert said in str(caught.value)


def test_a_comparison_needs_two_runs_and_a_reference_among_them() -> None:
    table = predictions(100)
    with pytest.raises(InputError, match=r"at least two runs, got \['a'\]"):
        compare({"a": table}, reference="a")
    with pytest.raises(InputError, match="reference c is none of a, b"):
        compare({"a": table, "b": table}, reference="c")


def test_metrics_by_fold_name_a_fold_without_both_classes() -> None:
    table = predictions(100)
    values = fold_metrics(table)
    part = table[table["fold"] == 3]
    assert tuple(values.loc[3]) == binary_metrics(part["label"], part["probability"])
    with pytest.raises(InputError, match="fold 2: all 20 labels are 1"):
        fold_metrics(table.assign(label=table["label"].where(table["fold"] != 2, 1.0)))
