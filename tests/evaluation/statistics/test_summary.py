import json

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score

from lsemvae.core.errors import InputError
from lsemvae.evaluation.statistics.summary import compare_runs, summarise_run
from tests.evaluation.simulated import inner_of, predictions


def beside(table: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return a cohort and label definitions, in another order than the predictions."""
    number = np.arange(len(table))
    cohort = pd.DataFrame(
        {
            "record": table["record"],
            "sex": np.where(number % 2, "F", "M"),
            "age_years": 35.0 + number % 60,
        }
    )
    labels = pd.DataFrame({"record": table["record"], "mPAP > 25": 1 - table["label"]})
    return cohort.iloc[::-1], labels.iloc[::-1]


def test_a_run_with_everything_has_every_section() -> None:
    table = predictions(400)
    cohort, labels = beside(table)
    result = summarise_run(table, inner_of(table), cohort=cohort, labels=labels, n_resamples=100)
    text = json.dumps(result, allow_nan=False)
    assert "unavailable" not in text
    label, probability = table["label"], table["probability"]
    auroc = roc_auc_score(label, probability)
    pooled = result["pooled"]
    assert pooled["auroc_delong"]["value"] == pytest.approx(auroc)
    assert pooled["bootstrap"]["average_precision"]["value"] == pytest.approx(
        average_precision_score(label, probability)
    )
    assert result["calibration"]["as_predicted"]["brier"] == pytest.approx(
        brier_score_loss(label, probability)
    )
    assert result["records"]["n_positive"] == label.sum()
    assert result["records"]["prevalence"] == pytest.approx(label.mean())
    assert len(result["folds"]["values"]) == 5
    assert list(result["operating_points"]) == [
        "fixed", "sensitivity_90", "specificity_90", "youden"
    ]  # fmt: skip
    assert list(result["operating_points"]["youden"]["thresholds"]) == ["0", "1", "2", "3", "4"]
    assert list(result["decision_curve"]) == ["as_predicted", "logistic", "isotonic"]
    assert result["abstention"][0]["kept"]["auroc"]["value"] == pytest.approx(auroc)
    assert result["permutation"]["p"] < 0.01


def test_columns_are_joined_by_record() -> None:
    table = predictions(400)
    cohort, labels = beside(table)
    result = summarise_run(table, cohort=cohort, labels=labels, n_resamples=20)
    women = table[np.arange(400) % 2 == 1]
    assert result["subgroups"]["sex"]["F"]["auroc"]["value"] == pytest.approx(
        roc_auc_score(women["label"], women["probability"])
    )
    assert "below 40" in result["subgroups"]["age_years"]
    assert result["label_sensitivity"]["mPAP > 25"]["auroc"]["value"] == pytest.approx(
        1 - roc_auc_score(table["label"], table["probability"])
    )


def test_what_the_files_do_not_allow_says_why() -> None:
    table = predictions(200).drop(columns="uncertainty")
    result = summarise_run(table, n_resamples=20)
    assert "no cohort was given" in result["subgroups"]["unavailable"]
    assert "no table of label definitions" in result["label_sensitivity"]["unavailable"]
    assert "no column uncertainty" in result["abstention"]["unavailable"]
    for section, name in (("operating_points", "youden"), ("calibration", "logistic")):
        assert "no inner_predictions.csv" in result[section][name]["unavailable"]
    assert result["operating_points"]["fixed"]["threshold"] == 0.5
    cohort = pd.DataFrame({"record": table["record"], "sex": "F"})
    result = summarise_run(table, cohort=cohort, n_resamples=20)
    assert result["subgroups"]["age_years"] == {"unavailable": "the cohort has no column age_years"}


def test_a_table_that_lacks_records_of_the_run_is_refused() -> None:
    table = predictions(200)
    cohort, labels = beside(table)
    with pytest.raises(InputError, match="cohort lacks 3 records, as r0000"):
        summarise_run(table, cohort=cohort.iloc[:-3])
    with pytest.raises(InputError, match="label definitions needs a column record without dup"):
        summarise_run(table, labels=pd.concat([labels, labels]))


def test_inner_predictions_of_held_out_records_are_refused_not_left_out() -> None:
    table = predictions(200)
    leak = table[table["fold"] == 1].head(1)
    with pytest.raises(InputError, match="fold 1: record r0001 is held out in this fold"):
        summarise_run(table, pd.concat([inner_of(table), leak]))


def test_a_section_that_the_data_do_not_allow_says_why() -> None:
    table = predictions(60)
    table["label"] = (table["probability"] > 0.5).astype(float)
    result = summarise_run(table, inner_of(table), n_resamples=20)
    assert "separate the classes" in result["calibration"]["logistic"]["unavailable"]
    assert "unavailable" not in result["calibration"]["isotonic"]
    assert "separate the classes" in result["calibration"]["as_predicted"]["slope"]["method"]


def test_unusable_predictions_are_refused_by_name() -> None:
    table = predictions(200)
    bad = [
        (table.drop(columns="fold"), "no column fold"),
        (pd.concat([table, table.head(2)]), "2 records are predicted twice, as r0000"),
        (table.assign(probability=2.0), r"not in 0..1"),
        (table.assign(label=1.0), "expected both classes"),
        (table.assign(fold=np.nan), "200 records have no fold"),
    ]
    for given, said in bad:
        with pytest.raises(InputError, match=said):
            summarise_run(given)
        with pytest.raises(InputError, match=f"b: .*{said}"):
            compare_runs({"a": table, "b": given}, reference="a")


def test_same_seed_same_summary() -> None:
    table = predictions(150)
    first, again, other = (summarise_run(table, n_resamples=50, seed=seed) for seed in (3, 3, 4))
    assert first == again
    assert first["pooled"] != other["pooled"]


def test_held_out_labels_change_no_threshold() -> None:
    table = predictions(300)
    inner = inner_of(table)
    first, second = (
        summarise_run(given, inner, n_resamples=20)["operating_points"]
        for given in (table, table.assign(label=1 - table["label"]))
    )
    for name in ("sensitivity_90", "specificity_90", "youden"):
        assert first[name]["thresholds"] == second[name]["thresholds"]
        assert first[name]["counts"] != second[name]["counts"]


def test_comparisons_are_ready_for_json() -> None:
    table = predictions(200)
    runs = {"a": table, "b": table.assign(probability=1 - table["probability"])}
    result = compare_runs(runs, reference="a", n_resamples=50)
    assert result["reference"] == "a"
    (row,) = json.loads(json.dumps(result, allow_nan=False))["rows"]
    aurocs = [
        roc_auc_score(part["label"], part["probability"]) for _, part in table.groupby("fold")
    ]
    assert row["delong"]["difference"]["value"] == pytest.approx(2 * sum(aurocs) / 5 - 1)
    assert row["bootstrap"]["auroc"]["low"] > 0
