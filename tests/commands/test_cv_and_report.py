import json
import shutil
from pathlib import Path

import pandas as pd
import pytest
import torch

from data_modules.store.read import EcgStore
from lsemvae.cli import main
from tests.conftest import BEATS, cv, error_of


def test_cross_validation_writes_predictions_and_metrics(
    cohort: Path, encoder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cv(cohort, encoder, tmp_path, "--task", "phenotype", "--leads", "6") == 0
    folder = tmp_path / "phenotype/ls_emvae/6L"
    predictions = pd.read_csv(folder / "predictions.csv", dtype=str)
    columns = ["record", "patient_id", "fold", "label", "probability", "uncertainty"]
    assert list(predictions) == columns
    assert predictions["record"].is_unique
    metrics = json.loads((folder / "metrics.json").read_text())
    assert set(metrics["mean"]) == {"auroc", "accuracy", "mcc"}
    assert metrics["synthetic"] is True
    assert len(metrics["folds"]) == 3
    assert "SYNTHETIC" in capsys.readouterr().out


def test_finished_folds_are_not_run_again(
    cohort: Path, encoder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cv(cohort, encoder, tmp_path) == 0
    folder = tmp_path / "detection/ls_emvae/12L"
    kept = (folder / "fold_1/predictions.csv").stat().st_mtime_ns
    shutil.rmtree(folder / "fold_0")
    first = (folder / "predictions.csv").read_text()
    assert cv(cohort, encoder, tmp_path) == 0
    assert (folder / "fold_1/predictions.csv").stat().st_mtime_ns == kept
    assert (folder / "predictions.csv").read_text() == first
    capsys.readouterr()
    assert cv(cohort, encoder, tmp_path, "--lr", "0.01") == 2
    assert "lr 0.0001 against 0.01" in error_of(capsys)


def test_the_inner_part_of_a_fold_is_predicted_without_the_fold(
    cohort: Path, encoder: Path, tmp_path: Path
) -> None:
    assert cv(cohort, encoder, tmp_path) == 0
    folder = tmp_path / "detection/ls_emvae/12L"
    inner = pd.read_csv(folder / "inner_predictions.csv", dtype={"record": str})
    outer = pd.read_csv(folder / "predictions.csv", dtype={"record": str})
    fold_of = outer.set_index("record")["fold"]
    assert (inner["record"].map(fold_of) != inner["fold"]).all()
    assert set(inner["fold"]) == {0, 1, 2}
    assert inner.groupby("fold")["record"].apply(lambda part: part.is_unique).all()
    for fold, part in inner.groupby("fold"):
        patients = set(part["patient_id"])
        assert not patients & set(outer["patient_id"][outer["fold"] == fold])
    metrics = json.loads((folder / "metrics.json").read_text())
    assert len(metrics["inner"]["folds"]) == 3


def test_networks_trained_end_to_end_have_an_inner_part_when_asked_for(
    cohort: Path, encoder: Path, tmp_path: Path
) -> None:
    method = ["--method", "multimodal_cnn", "--size", "small", "--leads", "6"]
    assert cv(cohort, encoder, tmp_path, *method) == 0
    folder = tmp_path / "detection/multimodal_cnn/6L"
    assert not (folder / "inner_predictions.csv").exists()
    kept = (folder / "fold_1/predictions.csv").stat().st_mtime_ns
    assert cv(cohort, encoder, tmp_path, *method, "--inner", "true") == 0
    assert (folder / "inner_predictions.csv").is_file()
    assert (folder / "fold_1/predictions.csv").stat().st_mtime_ns == kept


def test_an_encoder_of_another_method_is_refused(
    cohort: Path, encoder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cv(cohort, encoder, tmp_path, "--method", "mvae") == 2
    assert "holds a LsEmvae, MVAE needs a Mvae" in error_of(capsys)
    assert cv(cohort, encoder, tmp_path, "--method", "ls_emvae_no_poe") == 2
    error = error_of(capsys)
    assert "fusion.kind poe_moe against moe" in error
    assert "experiments/ablations/no_poe.yaml" in error
    assert cv(cohort, encoder, tmp_path, "--method", "ls_emvae_no_gate_floor") == 2
    assert "fusion.gate_floor 0.2 against 0.0" in error_of(capsys)


def test_two_jobs_give_the_same_predictions_as_one(
    cohort: Path, encoder: Path, tmp_path: Path
) -> None:
    assert cv(cohort, encoder, tmp_path / "one") == 0
    assert cv(cohort, encoder, tmp_path / "two", "--jobs", "2") == 0
    one, two = (
        pd.read_csv(tmp_path / name / "detection/ls_emvae/12L/predictions.csv")
        for name in ("one", "two")
    )
    pd.testing.assert_frame_equal(one, two)


def test_shuffled_labels_have_folds_and_results_of_their_own(
    cohort: Path, encoder: Path, tmp_path: Path
) -> None:
    assert cv(cohort, encoder, tmp_path) == 0
    assert cv(cohort, encoder, tmp_path, "--permute_labels", "3") == 0
    folders = [tmp_path / f"{task}/ls_emvae/12L" for task in ("detection", "detection-permuted-3")]
    plain, shuffled = (
        pd.read_csv(folder / "predictions.csv").set_index("record")["label"].sort_index()
        for folder in folders
    )
    assert plain.sum() == shuffled.sum()
    assert (plain != shuffled).any()
    assert json.loads((folders[1] / "metrics.json").read_text())["permute_labels"] == 3
    projection = pd.read_csv(folders[0] / "projection.csv")
    assert set(projection["record"]) == set(plain.index)


def test_folds_are_shared_by_methods_and_leads(cohort: Path, encoder: Path, tmp_path: Path) -> None:
    assert cv(cohort, encoder, tmp_path, "--leads", "6") == 0
    assert cv(cohort, encoder, tmp_path, "--method", "multimodal_cnn", "--leads", "I,II") == 0
    frames = [
        pd.read_csv(tmp_path / "detection" / run / "predictions.csv").set_index("record")["fold"]
        for run in ("ls_emvae/6L", "multimodal_cnn/2L-I-II")
    ]
    pd.testing.assert_series_equal(frames[0].sort_index(), frames[1].sort_index())


def test_any_binary_column_is_a_task(recordings: Path, encoder: Path, tmp_path: Path) -> None:
    table = pd.read_csv(recordings / "cohort/cohort.csv", dtype=str)
    table["older"] = (table["age_years"].astype(float) > 65).astype(int)
    table.to_csv(tmp_path / "table.csv", index=False)
    source, store = recordings / "cohort/records", tmp_path / "store.h5"
    arguments = [
        "--table",
        str(tmp_path / "table.csv"),
        "--source",
        str(source),
        "--out",
        str(store),
    ]
    beats = ["--signal.segment", "median_beat", "--signal.sampling_rate_hz", "100"]
    assert main(["prepare", "cohort", *arguments, *beats]) == 0
    assert cv(store, encoder, tmp_path, "--task", "older") == 0
    metrics = json.loads((tmp_path / "older/ls_emvae/12L/metrics.json").read_text())
    assert metrics["n_positive"] == table["older"].sum()


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--leads", "7"], "leads must be 12, 6"),
        (["--leads", "I,V9"], "unknown lead name 'V9'"),
        (["--task", "IRBBB"], "needs the column 'IRBBB'"),
        (["--method", "resnet"], "unknown method 'resnet'"),
        (["--folds", "50"], "50 folds need"),
        (["--folds", "1"], "folds must be >= 2, got 1"),
        (["--epochs", "0", "--jobs", "0"], "--epochs must be >= 1, got 0; --jobs must be >= 1"),
        (["--lr", "-1"], "lr must be > 0"),
        (["--task", "PH/CTEPH"], "cannot name a result folder"),
        (["--mpap_threshold_mmhg", "500"], "must be above 0 and below 150, got 500"),
        (["--mpap_threshold_mmhg", "149"], "all labelled records"),
        (["--focal_alpha", "7"], "alpha in [0, 1]"),
    ],
)
def test_bad_request_is_one_line(
    cohort: Path, encoder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    arguments: list[str], expected: str,
) -> None:  # fmt: skip
    assert cv(cohort, encoder, tmp_path, *arguments) == 2
    assert expected in error_of(capsys)
    assert not list(tmp_path.rglob("predictions.csv"))


def test_missing_files_are_one_line_each(
    cohort: Path, encoder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cv(tmp_path / "none.h5", encoder, tmp_path) == 2
    assert "none.h5" in error_of(capsys)
    assert cv(cohort, tmp_path / "none.ckpt", tmp_path) == 2
    assert "there is no encoder" in error_of(capsys)


def test_store_of_another_version_is_one_line(
    cohort: Path, encoder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other.h5"
    shutil.copy(cohort, other)
    with other.open("r+b") as file:
        file.write(b"lsemvae-store 99\n")
    assert cv(other, encoder, tmp_path) == 2
    assert "version 99" in error_of(capsys)


def test_encoder_that_does_not_fit_is_one_line(
    recordings: Path, encoder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store, source = tmp_path / "other.h5", recordings / "cohort"
    arguments = ["--table", str(source / "cohort.csv"), "--source", str(source / "records")]
    assert main(
        ["prepare", "cohort", *arguments, "--out", str(store), "--signal.sampling_rate_hz", "125"]
    ) == 0  # fmt: skip
    assert cv(store, encoder, tmp_path) == 2
    error = error_of(capsys)
    assert "sampling_rate_hz 100.0 against 125.0" in error
    assert "n_samples 120 against 1250" in error


def test_report_is_one_self_contained_page(
    cohort: Path, encoder: Path, pretrained: Path, tmp_path: Path
) -> None:
    assert cv(cohort, encoder, tmp_path / "cv") == 0
    assert main(
        ["report", "--cv", str(tmp_path / "cv"), "--cohort", str(cohort), "--pretrain",
         str(pretrained), "--out", str(tmp_path / "page")]
    ) == 0  # fmt: skip
    page = (tmp_path / "page/index.html").read_text().replace("\N{NO-BREAK SPACE}", " ")
    metrics = json.loads((tmp_path / "cv/detection/ls_emvae/12L/metrics.json").read_text())
    assert f"{metrics['mean']['auroc']:.3f} ± {metrics['sd']['auroc']:.3f}" in page
    assert "Synthetic recordings" in page
    assert "http://" not in page
    assert "https://" not in page
    assert page.count("data:image/svg+xml;base64,") >= 12
    assert page.count("data:image/png;base64,") == 4  # three reconstructions, one projection
    assert "Held-out record" in page


def test_report_refuses_the_curves_of_another_encoder(
    cohort: Path, encoder: Path, pretrained: Path, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    assert cv(cohort, encoder, tmp_path / "cv") == 0
    other = shutil.copytree(pretrained, tmp_path / "other")
    changed = torch.load(other / "checkpoints/last.ckpt", weights_only=True)
    changed["epoch"] += 1
    torch.save(changed, other / "checkpoints/last.ckpt")
    (other / "checkpoints/last.ckpt.sha256").unlink()  # it is that of the unchanged file
    capsys.readouterr()
    arguments = ["--cv", str(tmp_path / "cv"), "--cohort", str(cohort), "--pretrain", str(other)]
    assert main(["report", *arguments, "--out", str(tmp_path / "page")]) == 2
    assert "not the encoder that was cross-validated" in error_of(capsys)


def test_thresholds_are_part_of_the_results(cohort: Path, encoder: Path, tmp_path: Path) -> None:
    assert cv(cohort, encoder, tmp_path, "--mpap_threshold_mmhg", "25") == 0
    metrics = json.loads((tmp_path / "detection/ls_emvae/12L/metrics.json").read_text())
    table = EcgStore(cohort).table
    assert metrics["mpap_threshold_mmhg"] == 25
    assert metrics["n_positive"] == (table["mpap_mmhg"] > 25).sum()


def test_a_group_of_the_guideline_is_run_and_says_that_its_resistance_is_computed(
    cohort: Path, encoder: Path, tmp_path: Path
) -> None:
    options = ["--task", "isolated_post_capillary", "--pvr_threshold_wu", "3"]
    assert cv(cohort, encoder, tmp_path, *options) == 0
    run = tmp_path / "isolated_post_capillary/ls_emvae/12L"
    metrics = json.loads((run / "metrics.json").read_text())
    table = EcgStore(cohort).table
    ill = table[table["mpap_mmhg"] > 20]
    resistance = (ill["mpap_mmhg"] - ill["pawp_mmhg"]) / ill["cardiac_output_l_min"]
    assert metrics["n_positive"] == ((ill["pawp_mmhg"] > 15) & (resistance <= 3)).sum()
    assert metrics["derived"] == {"PVR computed as (mPAP - PAWP) / CO": len(ill)}
    arguments = ["--cohort", str(cohort), "--n_resamples", "100", "--out", str(tmp_path / "page")]
    assert main(["report", str(run), *arguments]) == 0
    sections = json.loads((tmp_path / "page/report.json").read_text())["sections"]
    assert sum(sections["flow"]["facts"]["haemodynamic_groups"].values()) == len(ill)
    defined = next(iter(sections["labels"]["facts"].values()))
    assert any("PVR <= 2 WU" in name for name in defined)
    assert any("PVR <= 3 WU" in name for name in defined)
    tables = [table["caption"] for part in sections.values() for table in part["tables"]]
    assert all("PVR computed" in caption for caption in tables if "synthetic" in caption)


def test_one_signal_under_two_patients_is_refused(
    recordings: Path, encoder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = pd.read_csv(recordings / "cohort/cohort.csv", dtype=str)
    copied = shutil.copytree(recordings / "cohort/records", tmp_path / "records")
    first = (copied / f"{table['record'][0]}.hea").read_text()
    (copied / "twin.hea").write_text(first.replace(table["record"][0], "twin"))
    shutil.copy(copied / f"{table['record'][0]}.dat", copied / "twin.dat")
    twin = table.iloc[[0]].assign(record="twin", patient_id="another")
    pd.concat([table, twin]).to_csv(tmp_path / "table.csv", index=False)
    store = tmp_path / "store.h5"
    assert main(["prepare", "cohort", "--table", str(tmp_path / "table.csv"), "--source",
                 str(copied), "--out", str(store), *BEATS]) == 0  # fmt: skip
    capsys.readouterr()
    assert cv(store, encoder, tmp_path / "cv") == 2
    assert "hold the same signal under different patient_id" in error_of(capsys)


def test_report_refuses_runs_of_another_cohort(
    cohort: Path, pretraining: Path, encoder: Path, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    assert cv(cohort, encoder, tmp_path / "cv") == 0
    capsys.readouterr()
    assert main(["report", "--cv", str(tmp_path / "cv"), "--cohort", str(pretraining)]) == 2
    assert "another cohort" in error_of(capsys)
