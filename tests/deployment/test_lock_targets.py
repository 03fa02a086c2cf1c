"""Models of a number and of several labels: locked, described, applied and exported."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.special import expit

from data_modules.normalise import normalise
from data_modules.rhc_cohort import RhcCohort
from lsemvae.cli import main
from lsemvae.crossval.fold_models import load_head
from lsemvae.crossval.printed import print_table
from lsemvae.deployment.card import _positive_patients
from lsemvae.deployment.inner_choices import choose
from lsemvae.deployment.model_file import read_model
from lsemvae.evaluation.runs import read_cv_run
from lsemvae.evaluation.statistics.prediction_interval import conformal_half_width
from lsemvae.predicting.outcome import WITHIN_DISEASE
from tests.conftest import cv, error_of
from tests.deployment.conftest import lock
from tests.report_runs import labelled_patients, write_run

LABELS = "detection,phenotype"
NUMBER = "mpap_mmhg"
TRAINING = ["--epochs", "8", "--lr", "0.01", "--folds", "2"]


@pytest.fixture(scope="module")
def studies(cohort: Path, encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a study of each kind; both have inner predictions."""
    out = tmp_path_factory.mktemp("targets")
    assert cv(cohort, encoder, out, "--task", NUMBER, *TRAINING) == 0
    assert cv(cohort, encoder, out, "--task", LABELS, "--inner", "true", *TRAINING) == 0
    return out


def locked(studies: Path, task: str, cohort: Path, encoder: Path) -> Path:
    out = studies / f"{task.partition(',')[0]}.safetensors"
    run = studies / task / "ls_emvae/12L"
    assert lock(run, cohort, encoder, out, "--withhold", "0") == 0
    return out


@pytest.fixture(scope="module")
def number(studies: Path, cohort: Path, encoder: Path) -> Path:
    return locked(studies, NUMBER, cohort, encoder)


@pytest.fixture(scope="module")
def labels(studies: Path, cohort: Path, encoder: Path) -> Path:
    return locked(studies, LABELS, cohort, encoder)


def predicted(model: Path, cohort: Path, out: Path) -> pd.DataFrame:
    assert main(["predict", str(model), str(cohort), "--out", str(out), "--allow_trained_on"]) == 0
    return pd.read_csv(out)


def member_outputs(study: Path, cohort: Path, encoder: Path) -> torch.Tensor:
    """Return what each fold's model puts out for the whole cohort, (K, N) or (K, N, L)."""
    data = RhcCohort(str(cohort), normalisation="record")
    batch = normalise(data.dataset(np.arange(len(data.pool))).__getitems__([*range(60)]), "record")
    heads = [load_head(study / f"fold_{k}", str(encoder), data.ecg_input) for k in range(2)]
    with torch.inference_mode():
        return torch.stack([
            head.centre + head.spread * head(batch) if hasattr(head, "centre") else head(batch)
            for head in heads
        ])  # fmt: skip


def test_a_number_is_the_mean_of_the_folds_estimates_with_a_conformal_interval(
    number: Path, studies: Path, cohort: Path, encoder: Path, tmp_path: Path
) -> None:
    found = predicted(number, cohort, tmp_path / "p.csv")
    study = studies / NUMBER / "ls_emvae/12L"
    expected = member_outputs(study, cohort, encoder).mean(0).numpy()
    np.testing.assert_allclose(found["estimated"], expected, rtol=1e-5)
    inner = pd.read_csv(study / "inner_predictions.csv", dtype={"patient_id": str})
    half = conformal_half_width(inner["estimated"] - inner["measured"], inner["patient_id"])
    np.testing.assert_allclose(found["high"] - found["estimated"], half, rtol=1e-6)
    np.testing.assert_allclose(found["estimated"] - found["low"], half, rtol=1e-6)
    assert set(found["unit"]) == {"mmHg"}
    assert not {"probability", "decision", "threshold"} & set(found)


def test_each_label_is_recalibrated_and_decided_on_its_own(
    labels: Path, studies: Path, cohort: Path, encoder: Path, tmp_path: Path
) -> None:
    found = predicted(labels, cohort, tmp_path / "p.csv")
    study = studies / LABELS / "ls_emvae/12L"
    logit = member_outputs(study, cohort, encoder).mean(0).numpy()
    inner = pd.read_csv(study / "inner_predictions.csv")
    for k, name in enumerate(LABELS.split(",")):
        known = inner.dropna(subset=[f"label:{name}"])
        chosen = choose(known[f"label:{name}"], known[f"probability:{name}"], "here")
        line, threshold = chosen.recalibration, chosen.points["youden"].threshold
        probability = expit(line.intercept + line.slope * logit[:, k])
        np.testing.assert_allclose(found[f"probability:{name}"], probability, atol=1e-5)
        np.testing.assert_allclose(found[f"threshold:{name}"], threshold)
        np.testing.assert_array_equal(
            found[f"decision:{name}"], found[f"probability:{name}"] >= threshold
        )
    assert "probability" not in found
    below = found["findings"].fillna("").str.split().map(lambda codes: WITHIN_DISEASE in codes)
    np.testing.assert_array_equal(below, found["decision:detection"] == 0)
    assert 0 < below.sum() < len(below)
    again = tmp_path / "p90.json"
    more = ["--out", str(again), "--allow_trained_on", "--point", "sensitivity_90"]
    assert main(["predict", str(labels), str(cohort), *more]) == 0
    content = json.loads(again.read_text())
    assert content["model"]["point"] == "sensitivity_90"
    assert content["predictions"][0]["point"] == "sensitivity_90"
    assert 0 <= content["predictions"][0]["probability:phenotype"] <= 1


def test_the_graph_gives_what_the_model_gives(labels: Path, cohort: Path, tmp_path: Path) -> None:
    graph = tmp_path / "model.onnx"
    assert main(["export", str(labels), "--out", str(graph)]) == 0
    first, second = (predicted(one, cohort, tmp_path / f"{one.suffix[1:]}.csv")
                     for one in (labels, graph))  # fmt: skip
    pd.testing.assert_frame_equal(first, second, rtol=1e-4, atol=1e-4)


def test_a_model_says_in_words_what_it_puts_out(number: Path, labels: Path) -> None:
    told = read_model(number).network.description
    assert told.task.positive == "mPAP (mmHg), estimated"
    assert "interval of ±" in told.card
    assert "MAE (mmHg), mean over the folds" in told.card
    told = read_model(labels).network.description
    assert [one.name for one in told.labels] == LABELS.split(",")
    assert told.labels[1].positive.startswith("post-capillary (mPAP > 20 mmHg")
    assert "AUROC of phenotype" in told.card


@pytest.mark.parametrize("command", ["external", "stress", "serve"])
def test_commands_of_one_yes_or_no_refuse_them_by_name(
    command: str, number: Path, labels: Path, cohort: Path, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    rest = ["--port", "0"] if command == "serve" else [
        "--cohort", str(cohort), "--out", str(tmp_path / "out"),
    ]  # fmt: skip
    for model, told in ((number, "mPAP (mmHg), estimated"), (labels, "detection, phenotype")):
        capsys.readouterr()
        assert main([command, str(model), *rest]) == 2
        error = error_of(capsys)
        assert f"`lsemvae {command}` takes a model of one yes or no; this one tells {told}" in error


def test_patients_and_their_recordings_are_counted_apart(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    labelled = labelled_patients(60)
    labelled["patient_id"] = labelled["patient_id"].iloc[::2].repeat(2).to_numpy()
    labelled["label"] = labelled["label"].iloc[::2].repeat(2).to_numpy()
    folder = write_run(tmp_path, labelled)
    positive = int(labelled["label"].iloc[::2].sum())
    metrics = json.loads((folder / "metrics.json").read_text())
    print_table({"derived": {}, **metrics}, folder)
    told = " ".join(capsys.readouterr().out.split())
    assert f"60 records of 30 patients, {2 * positive} records positive" in told
    assert _positive_patients(read_cv_run(folder)) == positive
