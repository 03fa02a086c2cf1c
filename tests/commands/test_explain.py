import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lsemvae.cli import main
from lsemvae.core.leads import LEADS, LIMB_LEADS
from lsemvae.core.sealed_json import write_json
from lsemvae.evaluation.report.attribution import _pictures
from lsemvae.explain import run as explain_run
from lsemvae.report_evidence import cohort as report_cohort
from tests.conftest import cv, error_of

QUICK = ["--n_steps", "8"]


@pytest.fixture(scope="module")
def runs(cohort: Path, encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return finished cross-validations with a frozen encoder and trained end to end."""
    out = tmp_path_factory.mktemp("runs")
    assert cv(cohort, encoder, out) == 0
    assert cv(cohort, encoder, out, "--leads", "6") == 0
    assert cv(cohort, encoder, out, "--method", "multimodal_cnn", "--leads", "I,II") == 0
    return out / "detection"


def explain(run: Path, cohort: Path, out: Path, *more: str) -> int:
    arguments = ["--run", str(run), "--cohort", str(cohort), "--out", str(out)]
    return main(["explain", *arguments, *QUICK, *more])


def read(out: Path, name: str) -> pd.DataFrame:
    return pd.read_csv(out / name, dtype={"record": str, "patient_id": str})


@pytest.fixture(scope="module")
def explained(
    runs: Path, cohort: Path, encoder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Return the explanation of the whole cohort by its six-lead models."""
    out = tmp_path_factory.mktemp("explained")
    assert (
        explain(runs / "ls_emvae/6L", cohort, out, "--encoder", str(encoder), "--pictures", "1")
        == 0
    )
    return out


def test_every_record_is_explained_by_the_fold_that_held_it_out(
    explained: Path, runs: Path
) -> None:
    table = read(explained, "attribution.csv")
    predictions = pd.read_csv(runs / "ls_emvae/6L/predictions.csv", dtype={"record": str})
    assert len(table) == 6 * len(predictions)
    assert set(table["lead"]) == set(LIMB_LEADS)
    mine = table.drop_duplicates("record").set_index("record").sort_index()
    theirs = predictions.set_index("record").sort_index()
    assert mine["fold"].tolist() == theirs["fold"].tolist()
    assert mine["probability"].to_numpy() == pytest.approx(theirs["probability"].to_numpy())


def test_shares_sum_to_one_and_contributions_to_a_logit(explained: Path) -> None:
    table = read(explained, "attribution.csv")
    assert table.groupby("record")["share"].sum().to_numpy() == pytest.approx(1.0, abs=1e-4)
    # One model has one flat line: logit - sum of contributions is the same in its whole fold.
    per_record = table.groupby("record").agg(
        fold=("fold", "first"), sum=("contribution_logit", "sum"),
        delta=("delta_logit", "first"), p=("probability", "first"),
    )  # fmt: skip
    flat = np.log(per_record["p"] / (1 - per_record["p"])) - per_record["sum"] + per_record["delta"]
    assert flat.groupby(per_record["fold"]).std().max() < 1e-3


def test_waves_share_what_the_leads_have(explained: Path) -> None:
    waves, leads = read(explained, "waves.csv"), read(explained, "attribution.csv")
    of_leads = leads.set_index(["record", "lead"])["share"]
    of_waves = waves.groupby(["record", "lead"])["share"].sum()
    assert of_waves.to_numpy() == pytest.approx(of_leads[of_waves.index].to_numpy(), abs=1e-4)
    summary = json.loads((explained / "attribution.json").read_text())
    assert sum(row["share"] for row in summary["waves"]) == pytest.approx(1.0)
    assert summary["n_not_delineated"] + waves["record"].nunique() == summary["n_records"]
    assert waves["record"].nunique() > 0.9 * summary["n_records"]


def test_summary_says_what_was_explained_and_how_well(explained: Path) -> None:
    summary = json.loads((explained / "attribution.json").read_text())
    assert summary["synthetic"] is True
    assert summary["cut_from_leads"] == 12
    assert summary["leads"] == list(LIMB_LEADS)
    assert summary["attribution"]["baseline"] == "isoelectric"
    assert summary["completeness"]["largest_delta_logit"] < 0.1
    assert [row["lead"] for row in summary["ranking"]] == list(
        pd.DataFrame(summary["ranking"]).sort_values("share", ascending=False)["lead"]
    )
    for part in ("head", "all"):
        agreement = summary["model_randomisation"][part]
        assert -1 <= agreement["samples"]["q50"] < 0.95
        assert agreement["n_records"] == 24


def test_pictures_say_that_the_data_are_synthetic_and_cut(explained: Path) -> None:
    names = {file.name for file in explained.glob("*.svg")}
    assert {"leads.svg", "waves.svg", "gate.svg"} < names
    assert len(names) == 4  # and one record
    assert {file.stem for file in explained.glob("*.png")} == {name[:-4] for name in names}


def test_gate_is_shown_with_twelve_and_with_six_leads(explained: Path) -> None:
    gate = read(explained, "gate.csv")
    assert gate.groupby("lead_set")["expert"].nunique().to_dict() == {"12L": 13, "6L": 7}
    total = gate.groupby(["lead_set", "label"])["mean"].sum()
    assert total.to_numpy() == pytest.approx(1.0, abs=1e-5)


def test_network_trained_end_to_end_is_explained(runs: Path, cohort: Path, tmp_path: Path) -> None:
    run = runs / "multimodal_cnn/2L-I-II"
    assert (
        explain(run, cohort, tmp_path, "--records", "9", "--waves", "false", "--pictures", "0") == 0
    )
    table = read(tmp_path, "attribution.csv")
    assert table["record"].nunique() == 9
    assert set(table["lead"]) == {"I", "II"}
    assert not (tmp_path / "waves.csv").exists()
    assert not (tmp_path / "gate.csv").exists()


@pytest.mark.parametrize(
    ("method", "baseline"),
    [("saliency", None), ("gradient_shap", None), ("integrated_gradients", "mean_ecg"),
     ("lead_occlusion", None)],
)  # fmt: skip
def test_other_methods_and_baselines(
    method: str, baseline: str | None, runs: Path, cohort: Path, encoder: Path, tmp_path: Path
) -> None:
    more = ["--baseline", baseline] if baseline else []
    run, arguments = (
        runs / "ls_emvae/12L",
        ["--encoder", str(encoder), "--records", "4", "--pictures", "0"],
    )
    assert explain(run, cohort, tmp_path, *arguments, "--method", method, *more) == 0
    table = read(tmp_path, "attribution.csv")
    assert len(table) == 4 * 12
    assert table.groupby("record")["share"].sum().to_numpy() == pytest.approx(1.0, abs=1e-4)
    assert (tmp_path / "waves.csv").exists() == (method != "lead_occlusion")


def test_named_records_are_explained_and_drawn(
    runs: Path, cohort: Path, encoder: Path, tmp_path: Path
) -> None:
    run = runs / "ls_emvae/12L"
    names = pd.read_csv(run / "predictions.csv")["record"].iloc[[5, 1]].tolist()
    arguments = ["--encoder", str(encoder), "--records", ",".join(names), "--pictures", "2"]
    assert explain(run, cohort, tmp_path, *arguments) == 0
    table = read(tmp_path, "attribution.csv")
    assert set(table["record"]) == set(names)
    assert set(table["lead"]) == set(LEADS)
    assert {f"record_{name}.png" for name in names} == {
        file.name for file in tmp_path.glob("record_*.png")
    }


def test_everything_wrong_with_the_files_is_said_at_once(
    runs: Path, pretraining: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert explain(runs / "ls_emvae/12L", pretraining, tmp_path) == 2
    message = error_of(capsys)
    assert "is not the cohort of this run" in message
    assert "needs --encoder" in message


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--records", "nobody,neither"], "2 records were not predicted in this run"),
        (["--records", "0"], "1 or more"),
        (["--baseline", "recordings"], "cannot use baseline=recordings"),
        (["--method", "saliency", "--baseline", "mean_ecg"], "it takes none"),
    ],
)
def test_options_that_cannot_be_are_refused(
    arguments: list[str], message: str, runs: Path, cohort: Path, encoder: Path, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    run = runs / "ls_emvae/12L"
    assert explain(run, cohort, tmp_path, "--encoder", str(encoder), *arguments) == 2
    assert message in error_of(capsys)


def test_unfinished_run_is_refused(
    runs: Path, cohort: Path, encoder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert explain(tmp_path, cohort, tmp_path, "--encoder", str(encoder)) == 2
    assert "predictions.csv not found" in error_of(capsys)
    run = tmp_path / "run"
    shutil.copytree(runs / "ls_emvae/12L", run)
    (run / "fold_2/last.ckpt").unlink()
    assert explain(run, cohort, tmp_path / "out", "--encoder", str(encoder)) == 2
    assert "run `lsemvae cv` to the end first" in error_of(capsys)


def test_model_of_another_fold_is_refused(
    runs: Path, cohort: Path, encoder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    shutil.copytree(runs / "ls_emvae/12L", run)
    for name in ("last.ckpt", "last.ckpt.sha256"):
        shutil.copy(run / "fold_0" / name, run / "fold_1" / name)
    assert explain(run, cohort, tmp_path / "out", "--encoder", str(encoder)) == 2
    assert "fold_1/last.ckpt is not the one that this fold was finished with" in error_of(capsys)
    kept = json.loads((run / "fold_1/finished.json").read_text())
    del kept["files"]  # as in runs of older versions
    write_json(run / "fold_1/finished.json", kept)
    assert explain(run, cohort, tmp_path / "out", "--encoder", str(encoder)) == 2
    assert "another probability than predictions.csv" in error_of(capsys)


def test_a_second_explanation_leaves_nothing_of_the_first_and_nothing_of_others_is_lost(
    runs: Path, cohort: Path, encoder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, out = runs / "ls_emvae/6L", tmp_path / "out"
    more = ["--encoder", str(encoder), "--waves", "false"]
    out.mkdir()
    (out / "attribution.csv").write_text("mine\n")
    assert explain(run, cohort, out, *more, "--records", "3") == 2
    assert "this command did not write it" in error_of(capsys)
    assert (out / "attribution.csv").read_text() == "mine\n"
    (out / "attribution.csv").unlink()
    (out / "holiday.png").write_bytes(b"\x89PNG")
    assert explain(run, cohort, out, *more, "--records", "ecg00001,ecg00002") == 0
    assert {file.stem for file in out.glob("record_*.png")} == {
        "record_ecg00001", "record_ecg00002"
    }  # fmt: skip
    (out / "attribution.json").unlink()  # the last file: as after an interruption
    assert explain(run, cohort, out, *more, "--records", "ecg00001,ecg00002") == 0
    capsys.readouterr()
    assert explain(run, cohort, out, *more, "--records", "ecg00003") == 0
    assert "attribution.csv replaced another result" in capsys.readouterr().err
    assert {file.name for file in out.glob("record_*")} == {
        "record_ecg00003.png", "record_ecg00003.svg"
    }  # fmt: skip
    assert (out / "holiday.png").is_file()
    listed = json.loads((out / "attribution.json").read_text())["pictures"]
    assert listed == ["leads", "gate", "record_ecg00003"]
    shown = _pictures(out, {"pictures": listed}, "")
    assert [picture.name for picture in shown] == [
        "explain_gate", "explain_leads", "explain_record_ecg00003"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "line"),
    [
        ({"method": "mvae"}, "settings are not those of fold_0"),
        ({"mpap_threshold_mmhg": 30.0}, "settings are not those of fold_0"),
        ({"synthetic": False}, "does not say that the recordings are synthetic"),
    ],
)
def test_a_run_that_was_edited_is_refused(
    runs: Path, cohort: Path, encoder: Path, tmp_path: Path, changed: dict[str, object], line: str,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    run = Path(shutil.copytree(runs / "ls_emvae/6L", tmp_path / "run"))
    metrics = json.loads((run / "metrics.json").read_text())
    write_json(run / "metrics.json", metrics | changed)
    assert explain(run, cohort, tmp_path / "out", "--encoder", str(encoder)) == 2
    assert line in error_of(capsys)


def test_labels_that_are_not_those_of_the_run_are_refused(
    runs: Path, cohort: Path, encoder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = relabelled(runs / "ls_emvae/6L", tmp_path, knows=True)
    assert explain(run, cohort, tmp_path / "out", "--encoder", str(encoder)) == 2
    assert "metrics.json is not of predictions.csv" in error_of(capsys)


def relabelled(run: Path, folder: Path, *, knows: bool) -> Path:
    """Copy a run with labels that its probabilities rank rightly, or by chance."""
    copy = Path(shutil.copytree(run, folder / "run"))
    table = pd.read_csv(copy / "predictions.csv", dtype={"record": str, "patient_id": str})
    rank = table.groupby("fold")["probability"].rank(method="first")
    half = rank > table.groupby("fold")["probability"].transform("size") / 2
    table["label"] = (half if knows else rank % 2 == 0).astype(int)
    table.to_csv(copy / "predictions.csv", index=False)
    return copy


@pytest.mark.parametrize("knows", [False, True])
def test_explanation_says_whether_the_models_know_anything(
    runs: Path, cohort: Path, encoder: Path, tmp_path: Path, knows: bool,
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    run = relabelled(runs / "ls_emvae/6L", tmp_path, knows=knows)
    monkeypatch.setattr(explain_run, "run_faults", lambda _: ([], []))
    monkeypatch.setattr(report_cohort, "verify_against_store", lambda *_: None)
    more = ["--encoder", str(encoder), "--pictures", "1", "--records", "6", "--waves", "false"]
    assert explain(run, cohort, tmp_path / "out", *more) == 0
    told = capsys.readouterr().out
    model = json.loads((tmp_path / "out/attribution.json").read_text())["model"]
    assert model["better_than_chance"] is knows
    assert (model["low"] > 0.5) is knows
    picture = (tmp_path / "out/leads.svg").read_text()
    for text in (told, model["text"], picture):
        assert f"AUROC {model['auroc']:.3f} [" in text
        assert ("What moves a guess means nothing" in text) is not knows
    assert ("nothing. Of no meaning: " in told) is not knows
