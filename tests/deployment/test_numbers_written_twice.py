"""A figure of a study is the same number wherever it is written, and that of scikit-learn."""

import json
import re
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    brier_score_loss,
    matthews_corrcoef,
    roc_auc_score,
)

from lsemvae.cli import main
from lsemvae.deployment.model_file import read_model

KEY = "detection/ls_emvae/12L"


def measured(table: pd.DataFrame) -> dict[str, float]:
    called = table["probability"] >= 0.5
    return {
        "auroc": float(roc_auc_score(table["label"], table["probability"])),
        "accuracy": float(accuracy_score(table["label"], called)),
        "mcc": float(matthews_corrcoef(table["label"], called)),
    }


@pytest.fixture(scope="module")
def predictions(study: Path) -> pd.DataFrame:
    return pd.read_csv(study / "predictions.csv")


@pytest.fixture(scope="module")
def folds(predictions: pd.DataFrame) -> pd.DataFrame:
    """Return the measures of each fold, by scikit-learn."""
    return pd.DataFrame([measured(part) for _, part in predictions.groupby("fold")])


def test_a_run_writes_each_figure_once_and_for_all(
    study: Path, predictions: pd.DataFrame, folds: pd.DataFrame
) -> None:
    metrics = json.loads((study / "metrics.json").read_text())
    for kept, expected in zip(metrics["folds"], folds.to_dict("records"), strict=True):
        assert kept == pytest.approx(expected, abs=1e-9)
    for fold, expected in enumerate(folds.to_dict("records")):
        logged = pd.read_csv(study / f"fold_{fold}/metrics.csv").filter(like="test/").dropna()
        row = {name: logged[f"test/{name}"].iloc[-1] for name in expected}
        assert row == pytest.approx(expected, abs=1e-6)  # logged as float32
    assert metrics["mean"] == pytest.approx(folds.mean().to_dict(), abs=1e-9)
    assert metrics["sd"] == pytest.approx(folds.std(ddof=1).to_dict(), abs=1e-9)
    assert metrics["pooled"] == pytest.approx(measured(predictions), abs=1e-9)


def test_report_card_model_and_leaderboard_tell_the_same(
    study: Path, cohort: Path, model: Path, predictions: pd.DataFrame, folds: pd.DataFrame,
    tmp_path: Path,
) -> None:  # fmt: skip
    page, board = tmp_path / "page", tmp_path / "board"
    arguments = [str(study), "--cohort", str(cohort)]
    assert main(["report", *arguments, "--out", str(page), "--n_resamples", "100"]) == 0
    assert main(["leaderboard", "start", *arguments, "--out", str(board)]) == 0
    assert main(["leaderboard", "build", str(board), "--out", str(tmp_path / "site")]) == 0
    mean, sd, pooled = folds.mean(), folds.std(ddof=1), measured(predictions)
    label, probability = predictions["label"], predictions["probability"]
    facts = json.loads((page / "report.json").read_text())["sections"]
    main_facts = facts["summary"]["facts"]["main"][KEY]
    assert main_facts["within_folds"]["value"] == pytest.approx(mean["auroc"])
    for name, value in {
        **pooled,
        "average_precision": float(average_precision_score(label, probability)),
        "brier": float(brier_score_loss(label, probability)),
    }.items():
        assert main_facts["bootstrap"][name]["value"] == pytest.approx(value), name
    table2 = [cell for table in facts["results"]["tables"] for row in table["rows"] for cell in row]
    html = plain((page / "index.html").read_text())
    for name in mean.index:
        shown = f"{mean[name]:.3f} ± {sd[name]:.3f}"
        assert shown in table2, name
        assert shown in html, name
    assert cells(page / "model_card.md", "AUROC, mean over folds")[0] == f"{mean['auroc']:.3f}"
    assert cells(page / "model_card.md", "MCC")[0] == f"{pooled['mcc']:.3f}"
    description: Any = read_model(model).network.description
    for name, title in (("auroc", "AUROC"), ("accuracy", "accuracy"), ("mcc", "MCC")):
        row = f"| {title}, mean over the folds | {mean[name]:.3f} | {sd[name]:.3f} |"
        assert row in description.card, name
    share = f"share of positive recordings {label.mean():.3f}."
    assert f"larger class: {max(label.mean(), 1 - label.mean()):.3f}; {share}" in description.card
    assert "not stated\n\n| measure" not in description.card
    assert description.skill.auroc == pytest.approx(mean["auroc"])
    (low, high) = (main_facts["within_folds"][end] for end in ("low", "high"))
    assert (description.skill.low, description.skill.high) == pytest.approx((low, high))
    site = " ".join(plain(file.read_text()) for file in (tmp_path / "site").rglob("*.html"))
    figures = set(re.findall(r"-?\d\.\d{3}", site))
    assert {f"{value:.3f}" for value in (*mean, pooled["auroc"])} <= figures


def plain(page: str) -> str:
    """Return the words of a page, parted by single spaces."""
    return " ".join(unescape(re.sub(r"<[^>]+>", "", page)).split())


def cells(card: Path, row: str) -> list[str]:
    """Return the cells of a row of a Markdown table behind its first."""
    line = next(line for line in card.read_text().splitlines() if line.startswith(f"| {row} |"))
    return [cell.strip() for cell in line.strip("|").split("|")][1:]


def test_thresholds_give_what_the_model_says_on_its_inner_predictions(
    study: Path, model: Path
) -> None:
    inner, found = pd.read_csv(study / "inner_predictions.csv"), read_model(model)
    description: Any = found.network.description
    logit = np.log(inner["probability"] / (1 - inner["probability"]))
    line = description.recalibration
    probability = 1 / (1 + np.exp(-(line.intercept + line.slope * logit)))
    positive = inner["label"] == 1
    for name, point in description.points.items():
        called = probability >= point.threshold - 1e-12  # a threshold may be a positive's score,
        spared = probability < point.threshold + 1e-12  # or the next above a negative's
        assert called[positive].mean() == pytest.approx(point.sensitivity), name
        assert spared[~positive].mean() == pytest.approx(point.specificity), name
        assert f"{name}: {point.threshold:.3f} (inner sensitivity {point.sensitivity:.3f}" in (
            description.card
        )
