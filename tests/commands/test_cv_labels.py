"""`lsemvae cv` on several labels at once: missing ones masked, macro AUROC, report, benchmark."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from data_modules.cohort.labels import task_labels
from data_modules.store.read import EcgStore
from lsemvae.cli import main
from lsemvae.core.tasks import Thresholds
from lsemvae.losses import focal_loss, masked_focal_loss
from tests.conftest import cv, error_of

TASK = "detection,phenotype"  # phenotype is not known of those without hypertension


@pytest.fixture(scope="module")
def out(cohort: Path, encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("labels")
    assert cv(cohort, encoder, folder, "--task", TASK) == 0
    return folder


@pytest.fixture(scope="module")
def predictions(out: Path) -> pd.DataFrame:
    file = out / TASK / "ls_emvae/12L/predictions.csv"
    return pd.read_csv(file, dtype={"record": str, "patient_id": str})


def test_predictions_hold_every_label_and_leave_unknown_ones_empty(
    predictions: pd.DataFrame, cohort: Path
) -> None:
    table = EcgStore(cohort).table
    for name in ("detection", "phenotype"):
        label = task_labels(table, name, Thresholds()).set_axis(table["record"])
        np.testing.assert_array_equal(predictions[f"label:{name}"], label[predictions["record"]])
    unknown = predictions["label:phenotype"].isna()
    assert 0 < unknown.sum() < len(predictions)
    assert predictions.loc[unknown, "probability:phenotype"].between(0, 1).all()


def test_folds_share_out_the_rarest_label(predictions: pd.DataFrame) -> None:
    positive = predictions.groupby("fold")["label:phenotype"].agg(lambda one: (one == 1).sum())
    assert positive.max() - positive.min() <= 1
    assert predictions.groupby("patient_id")["fold"].nunique().eq(1).all()


def test_metrics_are_those_of_the_file(out: Path, predictions: pd.DataFrame) -> None:
    from sklearn.metrics import roc_auc_score

    metrics = json.loads((out / TASK / "ls_emvae/12L/metrics.json").read_text())
    assert metrics["target"] == {"kind": "labels", "names": ["detection", "phenotype"]}
    for name in ("detection", "phenotype"):
        known = predictions[predictions[f"label:{name}"].notna()]
        expected = roc_auc_score(known[f"label:{name}"], known[f"probability:{name}"])
        assert metrics["pooled"][f"auroc:{name}"] == pytest.approx(expected)
        assert metrics["labels"][name]["n_known"] == len(known)
    assert metrics["pooled"]["macro_auroc"] == pytest.approx(
        np.mean([metrics["pooled"][f"auroc:{name}"] for name in ("detection", "phenotype")])
    )


def test_an_unknown_label_has_no_part_in_the_loss_or_its_gradient() -> None:
    logit = torch.tensor([[0.3, -1.0], [2.0, 0.5]], requires_grad=True)
    label = torch.tensor([[1.0, torch.nan], [0.0, 1.0]])
    loss = masked_focal_loss(logit, label, 0.25, 2.0)
    known = focal_loss(logit.detach()[[0, 1, 1], [0, 0, 1]], label[[0, 1, 1], [0, 0, 1]], 0.25, 2.0)
    assert loss.item() == pytest.approx(known.item())
    loss.backward()
    assert logit.grad is not None
    assert logit.grad[0, 1] == 0
    assert bool(logit.grad.isfinite().all())


def test_a_batch_of_unknown_labels_moves_nothing() -> None:
    logit = torch.zeros(2, 2, requires_grad=True)
    loss = masked_focal_loss(logit, torch.full((2, 2), torch.nan), 0.25, 2.0)
    loss.backward()
    assert loss.item() == 0
    assert logit.grad is not None
    assert bool((logit.grad == 0).all())


@pytest.fixture(scope="module")
def report(out: Path, cohort: Path) -> dict[str, Any]:
    page = out.parent / "labels_page"
    assert main(["report", str(out), "--cohort", str(cohort), "--out", str(page)]) == 0
    found: dict[str, Any] = json.loads((page / "report.json").read_text())
    return found


def test_report_shows_each_label_and_their_macro_with_intervals(
    report: dict[str, Any], out: Path
) -> None:
    facts = report["sections"]["several_labels"]["facts"][f"{TASK}/ls_emvae/12L"]
    metrics = json.loads((out / TASK / "ls_emvae/12L/metrics.json").read_text())
    assert facts["macro"]["value"] == pytest.approx(metrics["mean"]["macro_auroc"])
    assert facts["macro"]["low"] < facts["macro"]["value"] < facts["macro"]["high"]
    for name in ("detection", "phenotype"):
        assert facts["each"][name]["value"] == pytest.approx(metrics["mean"][f"auroc:{name}"])
    section = report["sections"]["several_labels"]
    for block in section["tables"] + section["figures"]:
        assert "SYNTHETIC" in block["caption"]
    assert "results" not in report["sections"]


@pytest.mark.parametrize(
    ("column", "value"),
    [("probability:phenotype", 0.999), ("label:phenotype", 1.0), ("probability:detection", "")],
)
def test_report_refuses_labels_that_were_changed(
    column: str, value: float | str, out: Path, cohort: Path, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    shutil.copytree(out / TASK, tmp_path / TASK)
    file = tmp_path / TASK / "ls_emvae/12L/predictions.csv"
    table = pd.read_csv(file, dtype=str, keep_default_na=False)
    row = int(np.flatnonzero(table["label:phenotype"] == ("" if "label" in column else "0.0"))[0])
    table.loc[row, column] = str(value)
    table.to_csv(file, index=False)
    capsys.readouterr()
    arguments = [str(tmp_path / TASK), "--cohort", str(cohort), "--out", str(tmp_path / "page")]
    assert main(["report", *arguments]) == 2
    message = error_of(capsys)
    assert "cannot be reported" in message


def test_benchmark_writes_a_table_of_the_labels(cohort: Path, tmp_path: Path) -> None:
    assert main(
        ["benchmark", "--cohort", str(cohort), "--tasks", json.dumps([TASK]), "--methods",
         '["multimodal_cnn"]', "--leads", "[6]", "--budget", "laptop", "--epochs", "1",
         "--folds", "2", "--out", str(tmp_path)]
    ) == 0  # fmt: skip
    long = pd.read_csv(tmp_path / "benchmark_labels.csv").set_index("label")
    assert list(long.index) == ["macro", "detection", "phenotype"]
    assert long.loc["macro", "auroc"] == pytest.approx(long["auroc"][1:].mean())
    table = pd.read_csv(tmp_path / f"labels_{TASK}.csv")
    assert list(table)[2:] == ["macro AUROC [95 %]", "detection AUROC [95 %]",
                               "phenotype AUROC [95 %]"]  # fmt: skip


@pytest.mark.parametrize(
    ("task", "message"),
    [
        ("detection,detection", "look at 'detection'"),
        ("detection, phenotype", "look at ' phenotype'"),
        ("detection,mpap_mmhg", "look at 'mpap_mmhg'"),
        ("detection,nothing", "needs the column 'nothing'"),
    ],
)
def test_labels_that_are_none_are_refused_by_name(
    task: str, message: str, cohort: Path, encoder: Path, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    assert cv(cohort, encoder, tmp_path, "--task", task) == 2
    assert message in error_of(capsys)


def test_a_label_that_is_too_rare_for_the_folds_is_named(
    cohort: Path, encoder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cv(cohort, encoder, tmp_path, "--task", TASK, "--folds", "20") == 2
    assert "20 folds need 20 patients of each class; the smaller class of label" in error_of(capsys)


def test_lock_asks_for_inner_predictions_of_several_labels(
    out: Path, cohort: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, model = out / TASK / "ls_emvae/12L", tmp_path / "model.safetensors"
    assert main(["lock", str(run), "--cohort", str(cohort), "--out", str(model)]) == 2
    assert "run `lsemvae cv` again with --inner true" in error_of(capsys)
