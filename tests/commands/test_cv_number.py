"""`lsemvae cv` on a number of the catheter: folds, units, intervals, and who refuses it."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from data_modules.store.read import EcgStore
from lsemvae.cli import main
from lsemvae.evaluation.statistics.number_metrics import number_metrics
from lsemvae.evaluation.statistics.prediction_interval import conformal_half_width
from tests.conftest import cv, error_of

FOLDS = ["--folds", "4"]  # of which an inner part has nine patients, the fewest for an interval


@pytest.fixture(scope="module")
def out(cohort: Path, encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("numbers")
    assert cv(cohort, encoder, folder, *FOLDS, "--task", "mpap_mmhg") == 0
    return folder


@pytest.fixture(scope="module")
def run(out: Path) -> Path:
    return out / "mpap_mmhg/ls_emvae/12L"


@pytest.fixture(scope="module")
def predictions(run: Path) -> pd.DataFrame:
    return pd.read_csv(run / "predictions.csv", dtype={"record": str, "patient_id": str})


def test_predictions_hold_what_was_measured_in_its_unit(
    predictions: pd.DataFrame, cohort: Path
) -> None:
    table = EcgStore(cohort).table.set_index("record")
    assert list(predictions)[3:5] == ["measured", "estimated"]
    assert list(predictions["measured"]) == list(table.loc[predictions["record"], "mpap_mmhg"])
    assert predictions["patient_id"].nunique() == table["patient_id"].nunique()
    # in mmHg, not in standard deviations
    assert predictions["estimated"].between(5, 80).all()


def test_metrics_are_those_of_the_file(run: Path, predictions: pd.DataFrame) -> None:
    metrics = json.loads((run / "metrics.json").read_text())
    pooled = number_metrics(predictions["measured"], predictions["estimated"])
    assert metrics["pooled"] == pytest.approx(pooled)
    fold = predictions[predictions["fold"] == 1]
    assert metrics["folds"][1]["mae"] == pytest.approx((fold["estimated"] - fold["measured"])
                                                       .abs().mean())  # fmt: skip
    rest = predictions[predictions["fold"] != 1]["measured"].mean()
    means = predictions["fold"].map(
        {k: predictions[predictions["fold"] != k]["measured"].mean() for k in range(4)}
    )
    assert means[predictions["fold"] == 1].eq(rest).all()
    expected = (predictions["measured"] - means).abs().mean()
    assert metrics["training_mean_mae"] == pytest.approx(expected)
    assert metrics["synthetic"] is True


def test_the_scale_is_that_of_the_training_part(run: Path, predictions: pd.DataFrame) -> None:
    state = torch.load(run / "fold_0/last.ckpt", weights_only=True)["state_dict"]
    training = predictions[predictions["fold"] != 0]["measured"]
    assert float(state["centre"]) == pytest.approx(training.mean(), rel=1e-6)
    assert float(state["spread"]) == pytest.approx(training.std(), rel=1e-6)


def test_intervals_come_from_the_inner_part_of_each_fold(
    run: Path, predictions: pd.DataFrame
) -> None:
    inner = pd.read_csv(run / "inner_predictions.csv")
    for fold, part in predictions.groupby("fold"):
        own = inner[inner["fold"] == fold]
        half = conformal_half_width(own["estimated"] - own["measured"], own["patient_id"])
        assert half == (own["estimated"] - own["measured"]).abs().max()  # of nine
        assert (part["high"] - part["low"]).to_numpy() == pytest.approx(2 * half)
        middle = (part["high"] + part["low"]) / 2
        assert middle.to_numpy() == pytest.approx(part["estimated"].to_numpy())


def test_folds_have_the_values_spread_evenly(predictions: pd.DataFrame) -> None:
    fifth = pd.qcut(predictions["measured"].rank(method="first"), 5, labels=False)
    counts = pd.crosstab(predictions["fold"], fifth).to_numpy()
    assert counts.max() - counts.min() <= 2


def test_resistance_is_derived_and_counted_where_it_is_not_stated(
    cohort: Path, encoder: Path, tmp_path: Path
) -> None:
    assert cv(cohort, encoder, tmp_path, "--task", "pvr_wu", "--inner", "false") == 0
    run = tmp_path / "pvr_wu/ls_emvae/12L"
    table = EcgStore(cohort).table.set_index("record")
    found = pd.read_csv(run / "predictions.csv", dtype={"record": str}).set_index("record")
    known = table.loc[found.index]
    expected = (known["mpap_mmhg"] - known["pawp_mmhg"]) / known["cardiac_output_l_min"]
    assert found["measured"].to_numpy() == pytest.approx(expected.to_numpy(), rel=1e-6)
    assert "low" not in found
    derived = json.loads((run / "metrics.json").read_text())["derived"]
    assert derived == {"PVR computed as (mPAP - PAWP) / CO": len(found)}


@pytest.mark.parametrize(
    ("command", "name"),
    [
        (["explain", "RUN", "--cohort", "COHORT"], "`lsemvae explain`"),
        (["cv", "--task", "mpap_mmhg", "--cohort", "COHORT", "--encoder", "ENCODER",
          "--references", "true"], "`lsemvae cv --references`"),
        (["cv", "--task", "mpap_mmhg", "--cohort", "COHORT", "--encoder", "ENCODER",
          "--permute_labels", "1"], "--permute_labels"),
        (["cv", "--task", "mpap_mmhg", "--cohort", "COHORT", "--encoder", "ENCODER",
          "--focal_gamma", "1"], "least squares"),
    ],
)  # fmt: skip
def test_commands_of_a_yes_or_no_refuse_a_number_by_name(
    command: list[str], name: str, run: Path, cohort: Path, encoder: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    places = {"RUN": str(run), "COHORT": str(cohort), "ENCODER": str(encoder)}
    assert main([places.get(word, word) for word in command]) == 2
    message = error_of(capsys)
    assert name in message
    assert "mpap_mmhg" in message


@pytest.fixture(scope="module")
def report(out: Path, cohort: Path, encoder: Path) -> dict[str, Any]:
    """Return report.json of the estimate beside the classifier of the same question."""
    assert cv(cohort, encoder, out, *FOLDS, "--task", "detection", "--inner", "false") == 0
    page = out.parent / "page"
    assert main(["report", str(out), "--cohort", str(cohort), "--out", str(page),
                 "--n_resamples", "100"]) == 0  # fmt: skip
    found: dict[str, Any] = json.loads((page / "report.json").read_text())
    return found


def test_report_shows_errors_agreement_coverage_and_the_classifier(
    report: dict[str, Any], predictions: pd.DataFrame, out: Path
) -> None:
    facts = report["sections"]["numbers"]["facts"]["mpap_mmhg/ls_emvae/12L"]
    plain = number_metrics(predictions["measured"], predictions["estimated"])
    assert {name: one["value"] for name, one in facts["pooled"].items()} == pytest.approx(plain)
    difference = predictions["estimated"] - predictions["measured"]
    assert facts["agreement"]["bias"]["value"] == pytest.approx(difference.mean())
    inside = predictions["measured"].between(predictions["low"], predictions["high"])
    assert facts["interval"]["coverage"]["value"] == pytest.approx(inside.mean())
    assert [row["nominal"] for row in facts["levels"]] == [0.5, 0.8, 0.9, 0.95]
    beside = facts["beside_classifier"]
    assert beside["n_records"] == len(predictions)
    own = json.loads((out / "detection/ls_emvae/12L/metrics.json").read_text())["mean"]["auroc"]
    assert beside["classifier"]["value"] == pytest.approx(own)


def test_report_labels_every_table_of_a_number_as_synthetic(report: dict[str, Any]) -> None:
    section = report["sections"]["numbers"]
    assert len(section["tables"]) == 5
    assert len(section["figures"]) == 2
    for block in section["tables"] + section["figures"]:
        assert "SYNTHETIC" in block["caption"]
    assert "mpap_mmhg/ls_emvae/12L" in report["sections"]["summary"]["facts"]["numbers"]


def test_a_report_of_numbers_alone_has_no_sections_of_a_yes_or_no(
    out: Path, tmp_path: Path
) -> None:
    arguments = [str(out / "mpap_mmhg"), "--out", str(tmp_path), "--n_resamples", "100"]
    assert main(["report", *arguments]) == 0
    sections = set(json.loads((tmp_path / "report.json").read_text())["sections"])
    assert {"summary", "flow", "methods", "numbers", "provenance"} <= sections
    assert not {"results", "calibration", "decision", "operating", "curves"} & sections
    assert not list(tmp_path.glob("model_card*"))


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("estimated", 99.0, "metrics.json is not of predictions.csv"),
        ("measured", 99.0, "metrics.json is not of predictions.csv"),
        ("estimated", np.nan, "has no estimate"),
    ],
)
def test_report_refuses_predictions_that_were_changed(
    column: str, value: float, message: str, out: Path, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    shutil.copytree(out / "mpap_mmhg", tmp_path / "mpap_mmhg")
    file = tmp_path / "mpap_mmhg/ls_emvae/12L/predictions.csv"
    table = pd.read_csv(file, dtype={"record": str, "patient_id": str})
    table.loc[3, column] = value
    table.to_csv(file, index=False)
    capsys.readouterr()
    assert main(["report", str(tmp_path / "mpap_mmhg"), "--out", str(tmp_path / "page")]) == 2
    assert message in error_of(capsys)


def test_benchmark_writes_a_table_of_the_number_beside_the_classifier(
    cohort: Path, tmp_path: Path
) -> None:
    assert main(
        ["benchmark", "--cohort", str(cohort), "--tasks", '["mpap_mmhg", "detection"]',
         "--methods", '["multimodal_cnn"]', "--leads", "[6]", "--budget", "laptop",
         "--epochs", "1", "--folds", "2", "--out", str(tmp_path)]
    ) == 0  # fmt: skip
    long = pd.read_csv(tmp_path / "benchmark_numbers.csv").set_index("metric")
    assert set(long.index) == {"mae", "rmse", "r2", "pearson", "ccc", "bias"}
    run = tmp_path / "cv/mpap_mmhg/multimodal_cnn/6L"
    metrics = json.loads((run / "metrics.json").read_text())
    assert long.loc["mae", "pooled"] == pytest.approx(metrics["pooled"]["mae"])
    table = pd.read_csv(tmp_path / "numbers_mpap_mmhg.csv")
    assert table["method"].tolist() == ["Multimodal-CNN"]
    assert table["same records: classifier"][0] != "-"
    assert "SYNTHETIC" in (tmp_path / "numbers_mpap_mmhg.md").read_text()
    assert pd.read_csv(tmp_path / "benchmark.csv")["task"].unique().tolist() == ["detection"]
