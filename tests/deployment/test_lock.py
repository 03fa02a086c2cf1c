import json
import re
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.special import expit

from benchmarks.recording_files import make_counts, wfdb_files
from data_modules.dataset import EcgPool
from data_modules.normalise import normalise
from data_modules.rhc_cohort import RhcCohort
from lsemvae.cli import main
from lsemvae.core.errors import InputError
from lsemvae.core.leads import LIMB_LEADS
from lsemvae.core.sealed_json import write_json
from lsemvae.crossval.fold_models import load_fold
from lsemvae.deployment.inner_choices import uncertainty_limit
from lsemvae.deployment.lock import LockOptions
from lsemvae.deployment.model_file import read_model
from lsemvae.runtime.own_classes import ALLOW_VARIABLE
from tests.conftest import BEATS, ROOT, error_of
from tests.deployment.conftest import lock, served_rows

OWN_NETWORK = ROOT / "docs/own_network.md"


def test_an_ensemble_is_the_recalibrated_mean_of_the_folds_log_odds(
    study: Path, cohort: Path, encoder: Path, model: Path, tmp_path: Path
) -> None:
    out = tmp_path / "predictions.csv"
    assert main(["predict", str(model), str(cohort), "--out", str(out), "--allow_trained_on"]) == 0
    found = pd.read_csv(out)["probability"].to_numpy()

    data = RhcCohort(str(cohort), normalisation="record")
    batch = normalise(data.dataset(np.arange(len(data.pool))).__getitems__([*range(60)]), "record")
    heads = [load_fold(study / f"fold_{k}", str(encoder), data.ecg_input) for k in range(3)]
    with torch.inference_mode():
        logit = torch.stack([head(batch) for head in heads]).mean(0).numpy()
    line = read_model(model).network.description.recalibration
    np.testing.assert_allclose(found, expit(line.intercept + line.slope * logit), atol=1e-6)


def test_threshold_and_its_inner_sensitivity_are_those_of_the_inner_predictions(
    study: Path, model: Path
) -> None:
    description = read_model(model).network.description
    inner = pd.read_csv(study / "inner_predictions.csv")
    line, point = description.recalibration, description.points["sensitivity_90"]
    odds = np.log(inner["probability"] / (1 - inner["probability"]))
    called = expit(line.intercept + line.slope * odds) >= point.threshold - 1e-12
    assert called[inner["label"] == 1].mean() == pytest.approx(point.sensitivity)
    assert point.sensitivity >= 0.9
    assert (~called[inner["label"] == 0]).mean() == pytest.approx(point.specificity)


def test_a_model_file_says_what_it_was_made_for(model: Path, cohort: Path) -> None:
    locked = read_model(model)
    description = locked.network.description
    assert description.task.mpap_threshold_mmhg == 20
    assert description.task.pawp_threshold_mmhg is None
    assert description.unit == "mV"
    assert description.fewest_leads == 12
    assert description.synthetic
    assert "SYNTHETIC" in description.card
    table = EcgPool([str(cohort)]).table
    assert description.trained_cohort is not None
    assert description.trained_cohort.n_positive == (table["mpap_mmhg"] > 20).sum()
    ages = next(one for one in description.trained_cohort.characteristics if
                one.column == "age_years")  # fmt: skip
    assert ages.mean == pytest.approx(table["age_years"].mean())
    assert (
        len(locked.trained_on.patient) == 2 * 60 + 12
    )  # an id of the cohort as written, and plain  # cohort and pre-training
    assert set(map(str, EcgPool([str(cohort)]).table["patient_id"])).isdisjoint(
        description.to_json().split('"')
    )


def test_a_refit_model_has_one_member_and_the_calibration_of_the_study(
    study: Path, cohort: Path, encoder: Path, model: Path, tmp_path: Path
) -> None:
    out = tmp_path / "refit.safetensors"
    assert lock(study, cohort, encoder, out, "--kind", "refit", "--hashes", "false") == 0
    refit, ensemble = (read_model(file).network.description for file in (out, model))
    assert (refit.n_members, ensemble.n_members) == (1, 3)
    assert refit.recalibration == ensemble.recalibration
    assert read_model(out).trained_on.patient.size == 0
    assert refit.uncertainty_limit is not None


def test_what_is_no_study_is_refused(
    study: Path, cohort: Path, encoder: Path, pretraining: Path, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    out = tmp_path / "m.safetensors"
    assert lock(tmp_path, cohort, encoder, out) == 2
    assert "no finished cross-validation" in error_of(capsys)
    assert lock(study.with_name(study.name.lower()), cohort, encoder, out) == 2
    assert f"(did you mean {study}?)" in error_of(capsys)
    assert lock(study, cohort, cohort, out) == 2
    assert f"{cohort} is a store of recordings and no checkpoint" in error_of(capsys)
    assert lock(study, pretraining, encoder, out) == 2
    assert "not the cohort of the run" in error_of(capsys)
    assert main(["lock", str(study), "--cohort", str(cohort), "--out", str(out)]) == 2
    assert "needs --encoder" in error_of(capsys)
    assert lock(study, cohort, encoder, tmp_path / "m.ckpt") == 2
    assert "must end in .safetensors" in error_of(capsys)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"mpap_threshold_mmhg": 25.0}, "not those of fold_0 (mpap_threshold_mmhg 20.0 against"),
        ({"n_patients": 600}, "metrics.json is not of predictions.csv (n_patients)"),
        ({"synthetic": False}, "does not say that the recordings are synthetic"),
    ],
)
def test_a_study_whose_figures_were_changed_is_refused(
    study: Path, cohort: Path, encoder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    changed: dict[str, Any], message: str,
) -> None:  # fmt: skip
    above = study.parents[2]
    shutil.copytree(above / "detection", tmp_path / "detection")
    shutil.copytree(above / "features", tmp_path / "features")
    copied = tmp_path / study.relative_to(above)
    metrics = json.loads((copied / "metrics.json").read_text())
    write_json(copied / "metrics.json", metrics | changed)
    assert lock(copied, cohort, encoder, tmp_path / "m.safetensors") == 2
    assert message in error_of(capsys)
    assert not (tmp_path / "m.safetensors").exists()


def test_the_classifier_of_another_fold_is_refused(
    study: Path, cohort: Path, encoder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    above = study.parents[2]
    shutil.copytree(above / "detection", tmp_path / "detection")
    shutil.copytree(above / "features", tmp_path / "features")
    copied = tmp_path / study.relative_to(above)
    for name in ("last.ckpt", "last.ckpt.sha256"):
        shutil.copy(copied / "fold_1" / name, copied / "fold_0" / name)
    assert lock(copied, cohort, encoder, tmp_path / "m.safetensors") == 2
    assert "fold_0/last.ckpt is not the one that this fold was finished with" in error_of(capsys)


@pytest.mark.parametrize("told", [None, False, True])
def test_what_a_study_said_of_ids_written_alike_holds_for_its_model(
    study: Path, cohort: Path, encoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str], told: bool | None,
) -> None:  # fmt: skip
    assert json.loads((study / "metrics.json").read_text())["distinct_ids"] is False
    above = study.parents[2]
    shutil.copytree(above / "detection", tmp_path / "detection")
    copied = tmp_path / study.relative_to(above)
    metrics = json.loads((copied / "metrics.json").read_text()) | {"distinct_ids": told}
    write_json(copied / "metrics.json", metrics)

    def opened(*_: object, **given: object) -> None:
        raise InputError(f"asked with {given['distinct_ids']}")

    monkeypatch.setattr("lsemvae.deployment.lock.labelled_cohort", opened)
    assert lock(copied, cohort, encoder, tmp_path / "m.safetensors") == 2
    assert f"asked with {bool(told)}" in error_of(capsys)


def test_a_full_disk_leaves_the_older_model(
    model: Path, study: Path, cohort: Path, encoder: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    out = Path(shutil.copy(model, tmp_path / "m.safetensors"))

    def full(_file: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("lsemvae.deployment.model_file.sync_file", full)
    assert lock(study, cohort, encoder, out) == 2
    assert "No space left" in error_of(capsys)
    assert out.read_bytes() == model.read_bytes()
    assert [file.name for file in tmp_path.iterdir()] == ["m.safetensors"]


def test_a_model_that_orders_the_inner_parts_wrongly_is_not_locked(
    study: Path, cohort: Path, encoder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import shutil

    copy = tmp_path / "cv/detection/ls_emvae/12L"
    shutil.copytree(study, copy)
    inner = pd.read_csv(copy / "inner_predictions.csv", dtype={"record": str, "patient_id": str})
    inner.assign(probability=1 - inner["probability"]).to_csv(
        copy / "inner_predictions.csv", index=False
    )
    forget_digests(copy)
    assert lock(copy, cohort, encoder, tmp_path / "m.safetensors") == 2
    assert "no model to lock" in error_of(capsys)
    metrics = json.loads((copy / "fold_0/finished.json").read_text())
    write_json(copy / "fold_0/finished.json", {**metrics, "permute_labels": 1})
    assert lock(copy, cohort, encoder, tmp_path / "m.safetensors") == 2
    assert "shuffled labels" in error_of(capsys)


@pytest.mark.parametrize(("withhold", "limit"), [(0.0, None), (0.25, 3.5), (0.5, 2.5)])
def test_the_limit_lies_between_the_kept_and_the_withheld(
    withhold: float, limit: float | None
) -> None:
    assert uncertainty_limit(np.array([4.0, 1.0, 3.0, 2.0]), withhold) == limit


@pytest.mark.parametrize("withhold", [-0.1, 1.0, 1.5])
def test_a_share_that_is_none_is_refused_also_where_nothing_says_a_doubt(withhold: float) -> None:
    with pytest.raises(InputError, match="--withhold must be from 0 to below 1"):
        LockOptions(withhold=withhold)


def overlapping_classes(run: Path) -> None:
    """Write inner predictions as if one epoch had taught the networks something."""
    inner = pd.read_csv(run / "inner_predictions.csv", dtype={"record": str, "patient_id": str})
    odd = inner.groupby("label").cumcount() % 2
    inner["probability"] = 0.2 + 0.2 * inner["label"] + 0.4 * odd
    inner.to_csv(run / "inner_predictions.csv", index=False)
    forget_digests(run)


def forget_digests(run: Path) -> None:
    """Leave a run that does not say what its files were, as one of an older version."""
    file = run / "metrics.json"
    kept = json.loads(file.read_text())
    del kept["files_sha256"]
    write_json(file, kept)


@pytest.fixture(scope="module")
def end_to_end(cohort: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a six-lead model of networks trained end to end on a column of the table."""
    folder = tmp_path_factory.mktemp("end_to_end")
    source = cohort.parent / "cohort"
    table = pd.read_csv(source / "cohort.csv", dtype=str)
    table["hypertensive"] = (table["mpap_mmhg"].astype(float) > 20).astype(int)
    table.to_csv(folder / "table.csv", index=False)
    store, out = folder / "store.h5", folder / "model.safetensors"
    records = ["--source", str(source / "records"), "--out", str(store), *BEATS]
    assert main(["prepare", "cohort", "--table", str(folder / "table.csv"), *records]) == 0
    how = ["--method", "resnet1d", "--size", "small", "--epochs", "1", "--folds"]
    task = ["--task", "hypertensive", "--leads", "6", "--inner", "true", "--out", str(folder)]
    assert main(["cv", "--cohort", str(store), *how, "2", *task]) == 0
    run = folder / "hypertensive/resnet1d/6L"
    overlapping_classes(run)
    assert main(["lock", str(run), "--cohort", str(store), "--out", str(out)]) == 0
    return out


def test_networks_trained_end_to_end_are_locked_with_their_leads_and_their_column(
    end_to_end: Path,
) -> None:
    network = read_model(end_to_end).network
    assert network.description.task.positive == "hypertensive = 1"
    assert network.description.made_for.label == "hypertensive = 1"
    assert network.description.leads == ("I", "II", "III", "aVR", "aVL", "aVF")
    assert network.description.uncertainty == "members"
    assert len(network.networks) == len(network.heads) == 2


def test_a_six_lead_model_gives_twelve_lead_files_what_its_six_leads_say(
    end_to_end: Path, cohort: Path, tmp_path: Path
) -> None:
    out, graph = tmp_path / "p.csv", tmp_path / "six.onnx"
    more = ["--allow_trained_on", "--out", str(out)]
    assert main(["predict", str(end_to_end), str(cohort), *more]) == 0
    found = pd.read_csv(out)
    assert set(found["leads"]) == {"I II III aVR aVL aVF"}
    data = RhcCohort(str(cohort), normalisation="record", leads=6)
    batch = normalise(data.dataset(np.arange(len(data.pool))).__getitems__([*range(60)]), "record")
    folder = end_to_end.parent / "hypertensive/resnet1d/6L"
    folds = [load_fold(folder / f"fold_{k}", None, data.ecg_input) for k in range(2)]
    with torch.inference_mode():
        logit = torch.stack([fold(batch) for fold in folds]).mean(0).numpy()
    line = read_model(end_to_end).network.description.recalibration
    expected = expit(line.intercept + line.slope * logit)
    np.testing.assert_allclose(found["probability"], expected, atol=1e-6)
    assert main(["export", str(end_to_end), "--out", str(graph)]) == 0
    again = ["--allow_trained_on", "--out", str(tmp_path / "q.csv")]
    assert main(["predict", str(graph), str(cohort), *again]) == 0
    onnx = pd.read_csv(tmp_path / "q.csv")["probability"]
    np.testing.assert_allclose(onnx, found["probability"], atol=1e-5)


def test_a_six_lead_model_serves_what_it_predicts_for_files_of_a_handheld(
    end_to_end: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = wfdb_files(make_counts(LIMB_LEADS, n_samples=2500), LIMB_LEADS)
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    out = tmp_path / "p.csv"
    assert main(["predict", str(end_to_end), str(tmp_path / "r1.hea"), "--out", str(out)]) == 0
    (predicted,) = pd.read_csv(out).to_dict("records")
    (served,) = served_rows(monkeypatch, end_to_end, files)
    assert served["leads"] == predicted["leads"] == "I II III aVR aVL aVF"
    assert float(served["probability"]) == pytest.approx(predicted["probability"], abs=1e-6)
    assert float(served["uncertainty"]) == pytest.approx(predicted["uncertainty"], abs=1e-6)
    assert int(served["decision"]) == predicted["decision"]


def test_a_network_of_ones_own_is_locked_predicts_and_is_served(
    cohort: Path, recordings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    source = re.search(r"```python\n(# my_net.py\n.*?)```", OWN_NETWORK.read_text(), re.DOTALL)
    assert source is not None
    (tmp_path / "my_net.py").write_text(source[1])
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "my_net", raising=False)
    monkeypatch.setenv(ALLOW_VARIABLE, "my_net")
    how = ["--method", "my_net.TinyNet", "--epochs", "1", "--folds", "2", "--inner", "true"]
    assert main(["cv", "--cohort", str(cohort), "--out", str(tmp_path), *how]) == 0
    run, out = tmp_path / "detection/my_net.TinyNet/12L", tmp_path / "m.safetensors"
    overlapping_classes(run)
    assert main(["lock", str(run), "--cohort", str(cohort), "--out", str(out)]) == 0
    records, table = recordings / "cohort/records", tmp_path / "p.csv"
    known = ["--allow_trained_on"]
    files = {name: (records / name).read_bytes() for name in ("ecg00001.hea", "ecg00001.dat")}
    one = str(records / "ecg00001.hea")
    assert main(["predict", str(out), one, "--out", str(table), *known]) == 0
    (served,) = served_rows(monkeypatch, out, files, *known)
    predicted = pd.read_csv(table)["probability"][0]
    assert float(served["probability"]) == pytest.approx(predicted, abs=1e-6)

    capsys.readouterr()
    with (tmp_path / "my_net.py").open("a") as file:
        file.write("\n\nWIDTH = 3\n")
    assert main(["predict", str(out), one, "--out", str(table), *known]) == 2
    assert "another source of my_net.TinyNet" in error_of(capsys)
    monkeypatch.delenv(ALLOW_VARIABLE)
    assert main(["serve", str(out), "--port", "0"]) == 2
    assert "my_net.TinyNet may not be imported" in error_of(capsys)
