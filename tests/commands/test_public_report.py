"""A report on public recordings, recomputed from predictions.csv; needs ECG_CORPORA."""

import json
import os
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy.special import expit, logit
from scipy.stats import norm
from scipy.stats import t as student
from sklearn.metrics import (
    average_precision_score,
    brier_score_loss,
    matthews_corrcoef,
    roc_auc_score,
)
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

from lsemvae.cli import main
from tests.conftest import BEATS

pytestmark = pytest.mark.slow
TASKS, METHODS, N_FOLDS = ("super_CD", "rhythm_AFIB"), ("multimodal_cnn", "resnet1d"), 3
EVERY = 5  # of the 1,442 recordings: seconds in place of minutes
KEYS = [f"{task}/{method}/12L" for task in TASKS for method in METHODS]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Cross-validate two tasks with two methods for one epoch and write the report."""
    corpora = os.environ.get("ECG_CORPORA")
    if not corpora:
        pytest.skip("ECG_CORPORA is unset: no real recordings here")
    source, folder = Path(corpora) / "ptbxl_zscored", tmp_path_factory.mktemp("public")
    store, table = str(folder / "ptbxl.h5"), folder / "labels.csv"
    labels = pd.read_csv(source / "labels_dev.csv", dtype={"record": str, "patient_id": str})
    labels = labels.iloc[::EVERY]
    labels.to_csv(table, index=False)
    records = set(labels["record"])
    with tarfile.open(source / "ptbxl_zscored_dev.tar.xz") as archive:
        archive.extraction_filter = getattr(tarfile, "data_filter", None)  # 3.11.4 on
        for member in archive:
            if member.name.removeprefix("./").rpartition(".")[0] in records:
                archive.extract(member, folder / "records")
    assert main(
        ["prepare", "cohort", "--table", str(table), "--source",
         str(folder / "records"), "--out", store, "--label", "PTB-XL subset", "--amplitude",
         "arbitrary", *BEATS]
    ) == 0  # fmt: skip
    for task in TASKS:
        for method in METHODS:
            assert main(
                ["cv", "--task", task, "--method", method, "--cohort", store, "--out",
                 str(folder / "cv"), "--epochs", "1", "--lr", "1e-3", "--folds", str(N_FOLDS),
                 "--size", "small", "--inner", "true"]
            ) == 0  # fmt: skip
    words = ["report", str(folder / "cv"), "--cohort", store, "--reference", METHODS[0]]
    assert main([*words, "--n_resamples", "200", "--out", str(folder / "page")]) == 0
    return folder


@pytest.fixture(scope="module")
def facts(runs: Path) -> dict[str, Any]:
    """Return the plain values of every section of the report."""
    report = json.loads((runs / "page/report.json").read_text())
    assert report["data"] == "PTB-XL subset"
    assert set(report["records"]) == set(KEYS)
    return {name: section["facts"] for name, section in report["sections"].items()}


def read(runs: Path, key: str, name: str = "predictions") -> pd.DataFrame:
    return pd.read_csv(runs / "cv" / key / f"{name}.csv", dtype={"record": str, "patient_id": str})


def placements(label: pd.Series, score: pd.Series, patient: pd.Series) -> tuple[float, float]:
    """Return AUROC and variance by patient (Obuchowski 1997), pair by pair."""
    one, other = score[label == 1].to_numpy(), score[label == 0].to_numpy()
    above = (one[:, None] > other) + 0.5 * (one[:, None] == other)
    auroc = above.mean()
    parts = pd.DataFrame({"patient": patient, "one": 0.0, "other": 0.0})
    parts.loc[label == 1, "one"] = (above.mean(1) - auroc) / len(one)
    parts.loc[label == 0, "other"] = (above.mean(0) - auroc) / len(other)
    sums = parts.groupby("patient").sum()
    n_one, n_other = (patient[label == value].nunique() for value in (1, 0))
    n = len(sums)
    return float(auroc), float(
        (sums["one"] ** 2).sum() * n_one / (n_one - 1)
        + (sums["other"] ** 2).sum() * n_other / (n_other - 1)
        + 2 * (sums["one"] * sums["other"]).sum() * n / (n - 1)
    )


def on_logit_scale(auroc: float, variance: float) -> tuple[float, float, float]:
    half = norm.ppf(0.975) * np.sqrt(variance) / (auroc * (1 - auroc))
    return auroc, float(expit(logit(auroc) - half)), float(expit(logit(auroc) + half))


def ends(found: dict[str, Any]) -> tuple[float, float, float]:
    return found["value"], found["low"], found["high"]


@pytest.mark.parametrize("key", KEYS)
def test_discrimination_is_that_of_predictions_csv(
    runs: Path, facts: dict[str, Any], key: str
) -> None:
    table, results = read(runs, key), facts["results"]
    label, score = table["label"], table["probability"]
    pooled = results["pooled"][key]
    expected = on_logit_scale(*placements(label, score, table["patient_id"]))
    assert ends(pooled["auroc_delong"]) == pytest.approx(expected)
    assert expected[0] == pytest.approx(roc_auc_score(label, score))
    plain = {
        "average_precision": average_precision_score(label, score),
        "mcc": matthews_corrcoef(label, score >= 0.5),
        "brier": brier_score_loss(label, score),
        "accuracy": ((score >= 0.5) == label).mean(),
    }
    for name, value in plain.items():
        assert pooled["bootstrap"][name]["value"] == pytest.approx(value), name
    folds = [placements(part["label"], part["probability"], part["patient_id"])
             for _, part in table.groupby("fold")]  # fmt: skip
    auroc, variance = np.array(folds).T
    within = on_logit_scale(auroc.mean(), variance.sum() / N_FOLDS**2)
    assert ends(results["within_folds"][key]) == pytest.approx(within)
    half = student.ppf(0.975, N_FOLDS - 1) * np.sqrt(
        (1 / N_FOLDS + 1 / (N_FOLDS - 1)) * auroc.var(ddof=1)
    )
    low, high = np.clip(auroc.mean() + half * np.array([-1, 1]), 0, 1)  # no AUROC lies outside
    anew = auroc.mean(), low, high
    assert ends(results["folds"][key]["mean"]["auroc"]) == pytest.approx(anew)


@pytest.mark.parametrize("key", KEYS)
def test_calibration_and_decisions_are_those_of_predictions_csv(
    runs: Path, facts: dict[str, Any], key: str
) -> None:
    table, inner = read(runs, key), read(runs, key, "inner_predictions")
    label, score = table["label"].to_numpy(), table["probability"].to_numpy()
    found = facts["calibration"][key]
    fit = sm.GLM(label, sm.add_constant(logit(score)), sm.families.Binomial()).fit()
    assert found["as_predicted"]["slope"]["value"] == pytest.approx(fit.params[1], rel=1e-5)
    recalibrated, called = np.empty(len(table)), np.zeros(len(table), dtype=bool)
    for fold, part in inner.groupby("fold"):
        mine = (table["fold"] == fold).to_numpy()
        assert not set(part["patient_id"]) & set(table["patient_id"][mine])
        design = sm.add_constant(logit(part["probability"].to_numpy()))
        constant, slope = sm.GLM(part["label"], design, sm.families.Binomial()).fit().params
        recalibrated[mine] = expit(constant + slope * logit(score[mine]))
        positive = np.sort(part["probability"][part["label"] == 1])[::-1]
        called[mine] = score[mine] >= positive[int(np.ceil(0.9 * len(positive) - 1e-9)) - 1]
    assert found["logistic"]["brier"] == pytest.approx(np.mean((recalibrated - label) ** 2))
    point = facts["operating"][key]["sensitivity_90"]
    ill, well = label == 1, label == 0
    sensitivity = called[ill].mean()
    wilson = proportion_confint(called[ill].sum(), ill.sum(), method="wilson")
    assert ends(point["accuracy"]["sensitivity"]) == pytest.approx((sensitivity, *wilson))
    counts = np.array([[called[ill].sum(), (~called[ill]).sum()],
                       [called[well].sum(), (~called[well]).sum()]])  # fmt: skip
    shares = counts + (0.5 if (counts == 0).any() else 0.0)  # Haldane-Anscombe, as its method says
    true, false = shares[:, 0] / shares.sum(axis=1)
    ppv = 0.03 * true / (0.03 * true + 0.97 * false)
    assert point["at_prevalence"]["0.03"]["ppv"]["value"] == pytest.approx(ppv)
    (row,) = (row for row in facts["decisions"][key]["as_predicted"]
              if np.isclose(row["threshold"], 0.3))  # fmt: skip
    acted = score >= 0.3
    benefit = (acted & ill).mean() - (acted & well).mean() * 0.3 / 0.7
    assert row["net_benefit"] == pytest.approx(benefit)


@pytest.mark.parametrize("task", TASKS)
def test_p_values_are_adjusted_by_holms_method(facts: dict[str, Any], task: str) -> None:
    pairs = facts["results"]["comparisons"][task]
    adjusted = multipletests([pair["delong"]["p"] for pair in pairs], method="holm")[1]
    assert [pair["delong_p_holm"] for pair in pairs] == pytest.approx(adjusted)
