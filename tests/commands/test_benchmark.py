"""`lsemvae benchmark` from tiny stores to tables, resumed, in parallel and on a Dask cluster."""

import json
import re
import shutil
from functools import partial
from pathlib import Path

import pandas as pd
import pytest
import yaml

from data_modules.conversion.prepare import prepare_cohort
from data_modules.signals.settings import SignalSettings
from data_modules.simulation.files import write_cohort
from data_modules.store.read import EcgStore
from lsemvae.cli import main
from lsemvae.core.errors import InputError
from lsemvae.core.leads import LEADS, LIMB_LEADS
from lsemvae.core.sealed_json import write_json
from lsemvae.crossval.encoders import PretrainSettings, is_pretrained, pretrain_encoder
from lsemvae.crossval.jobs import Job, run_jobs
from lsemvae.models.methods import ABLATIONS, METHODS, TABLE_2
from lsemvae.runtime.exit_code import exit_code
from lsemvae.tasks import Pretrainer
from tests.conftest import ROOT, error_of
from tests.job_endings import end

METHODS_RUN = ["multimodal_cnn", "beta_vae", "ls_emvae", "ls_emvae_no_poe"]
SMALL = ["--budget", "laptop", "--pretrain_epochs", "1", "--epochs", "1", "--folds", "2"]


def arguments(cohort: Path, pretraining: Path, out: Path, *more: str) -> list[str]:
    return [
        "benchmark", "--cohort", str(cohort), "--pretrain", json.dumps([str(pretraining)]),
        "--tasks", '["detection"]', "--methods", json.dumps(METHODS_RUN), "--out", str(out),
        *SMALL, *more,
    ]  # fmt: skip


@pytest.fixture(scope="module")
def finished(cohort: Path, pretraining: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a small benchmark."""
    out = tmp_path_factory.mktemp("benchmark")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        assert main(arguments(cohort, pretraining, out)) == 0
    return out


def test_every_method_gets_a_row_per_task_and_lead_set(finished: Path) -> None:
    long = pd.read_csv(finished / "benchmark.csv")
    found = set(zip(long["method"], long["leads"], strict=True))
    expected = {(name, leads) for name in METHODS_RUN for leads in ("12L", "6L")}
    assert found == expected - {("beta_vae", "6L")}
    assert set(long["metric"]) == {"accuracy", "auroc", "mcc"}
    table = pd.read_csv(finished / "table2_detection.csv", keep_default_na=False)
    assert table["method"].tolist() == [
        "beta-VAE", "Multimodal-CNN", "LS-EMVAE", "larger class alone"
    ]  # fmt: skip
    assert table.set_index("method").loc["beta-VAE", "AUROC 6L"] == "-"
    assert table.set_index("method").loc["LS-EMVAE", "paper AUROC 12L"] == "0.852 ± 0.02"


def test_the_tables_name_data_budget_and_what_the_encoders_saw(finished: Path) -> None:
    for kind in ("md", "tex"):
        text = (finished / f"table2_detection.{kind}").read_text()
        for part in ("SYNTHETIC data", "small networks", "1 epoch per fold", "2 folds by patient"):
            assert part in text
    assert "**" in (finished / "table2_detection.md").read_text()
    assert (finished / "ablations_detection.md").is_file()
    for stem in ("table2", "ablations"):
        for kind in ("png", "svg"):
            assert (finished / f"{stem}_auroc.{kind}").stat().st_size > 1000


def test_all_methods_share_the_folds(finished: Path) -> None:
    records = [
        pd.read_csv(file, dtype=str).set_index("record")["fold"].sort_index()
        for file in finished.glob("cv/detection/*/*/predictions.csv")
    ]
    assert len(records) == 7
    assert all(fold.equals(records[0]) for fold in records)


def test_the_folds_of_a_column_are_taken_as_they_are(
    cohort: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    few = ["benchmark", "--cohort", str(cohort), "--methods", '["multimodal_cnn"]', "--tasks",
           '["detection"]', "--leads", "[6]", *SMALL, "--out", str(tmp_path)]  # fmt: skip
    assert main([*few, "--fold_column", "sex"]) == 0
    frozen = json.loads((tmp_path / "cv/detection/splits.json").read_text())["fold"]
    sex = EcgStore(cohort).table.set_index("record")["sex"]
    assert {(sex[record], fold) for record, fold in frozen.items()} == {("F", 0), ("M", 1)}
    assert "2 folds of column sex" in (tmp_path / "table2_detection.md").read_text()
    capsys.readouterr()
    assert main(few) == 2
    assert "holds a benchmark with other settings (fold_column sex against None" in error_of(capsys)
    assert main([*few[:-1], str(tmp_path / "other"), "--fold_column", "ward"]) == 2
    assert "has no column 'ward' for the folds" in error_of(capsys)
    assert not (tmp_path / "other").exists()


def test_what_is_finished_is_not_run_again_with_stores_elsewhere(
    finished: Path, cohort: Path, pretraining: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(ROOT)
    out = tmp_path / "copy"
    shutil.copytree(finished, out)
    kept = list(out.glob("cv/detection/*/*/fold_*/predictions.csv"))
    lost = out / "cv/detection/ls_emvae/6L/fold_1"
    shutil.rmtree(lost)
    encoders = {file: file.stat().st_mtime_ns for file in out.glob("encoders/*/checkpoints/*")}
    before = {file: file.stat().st_mtime_ns for file in kept if lost not in file.parents}
    stores = (tmp_path / "c.h5", tmp_path / "p.h5")
    for store, moved in zip((cohort, pretraining), stores, strict=True):
        shutil.copy(store, moved)
    assert main(arguments(*stores, out)) == 0
    assert {file: file.stat().st_mtime_ns for file in before} == before
    assert {file: file.stat().st_mtime_ns for file in encoders} == encoders
    assert (lost / "predictions.csv").is_file()
    again, first = (pd.read_csv(folder / "benchmark.csv") for folder in (out, finished))
    pd.testing.assert_frame_equal(again, first)


def test_another_reading_of_the_same_encoder_is_not_pretrained_again(
    finished: Path, cohort: Path, pretraining: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(ROOT)
    out = tmp_path / "copy"
    shutil.copytree(finished, out)
    before = sorted(out.glob("encoders/*"))
    more = ["--methods", '["ls_emvae", "ls_emvae_lead_means"]', "--leads", "[6]"]
    assert main(arguments(cohort, pretraining, out, *more)) == 0
    assert sorted(out.glob("encoders/*")) == before
    rows = pd.read_csv(out / "benchmark.csv").query("leads == '6L' and metric == 'auroc'")
    assert rows["method"].tolist() == ["ls_emvae", "ls_emvae_lead_means"]


def test_other_settings_are_refused_and_the_finished_runs_kept(
    finished: Path, cohort: Path, pretraining: Path, monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(ROOT)
    out = tmp_path / "copy"
    shutil.copytree(finished, out)
    before = {file: file.read_bytes() for file in out.glob("*.*")}
    capsys.readouterr()
    assert main(arguments(cohort, pretraining, out, "--pretrain_epochs", "2")) == 2
    assert "holds a benchmark with other settings (budget" in error_of(capsys)
    assert main(arguments(cohort, cohort, out, "--allow_leakage", "true")) == 2
    assert "holds a benchmark with other settings (data.pretrain" in error_of(capsys)
    plan = json.loads((out / "benchmark.json").read_text())
    del plan["data"]
    plan["cohort"] = "/elsewhere/" + cohort.name  # an earlier version's, moved: names must do
    write_json(out / "benchmark.json", plan)
    kept = (out / "benchmark.json").read_bytes()
    assert main(arguments(cohort, cohort, out, "--allow_leakage", "true")) == 2
    error = error_of(capsys)
    assert "holds a benchmark with other settings (data.pretrain" in error
    assert "data.cohort" not in error
    assert (out / "benchmark.json").read_bytes() == kept
    shutil.copy(finished / "benchmark.json", out)
    assert {file: file.read_bytes() for file in out.glob("*.*")} == before


def test_an_encoder_that_is_not_finished_gives_no_row(
    finished: Path, cohort: Path, pretraining: Path, monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(ROOT)
    out = tmp_path / "copy"
    shutil.copytree(finished, out)
    folder = out / "encoders/ls_emvae_no_poe"
    record = json.loads((folder / "settings.json").read_text())
    record["network"]["fusion"]["gate_floor"] = 0.9
    write_json(folder / "settings.json", record)
    capsys.readouterr()
    assert main(arguments(cohort, pretraining, out)) == 2
    error = error_of(capsys)
    assert (
        "holds an encoder that was pre-trained differently (network.fusion.gate_floor 0.9 against"
        in error
    )
    assert "detection, ls_emvae_no_poe, 12 leads: its encoder is not there" in error
    assert "ls_emvae_no_poe" not in set(pd.read_csv(out / "benchmark.csv")["method"])


def test_pretrained_methods_need_recordings_for_it(
    cohort: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["benchmark", "--cohort", str(cohort), "--methods", '["mvae", "resnet1d"]',
                 "--out", str(tmp_path)]) == 2  # fmt: skip
    assert "mvae are pre-trained: name stores of recordings with --pretrain" in error_of(capsys)


@pytest.mark.parametrize("fault", ["missing", "shared", "unlike"])
def test_recordings_that_every_fold_would_refuse_are_refused_before_any_training(
    fault: str, cohort: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pretrain, expected = cohort, "leakage: pre-training and the cohort share"
    if fault == "missing":
        pretrain, expected = tmp_path / "none.h5", f"there is no store {tmp_path}/none.h5"
    elif fault == "unlike":
        source, pretrain = tmp_path / "source", tmp_path / "slow.h5"
        write_cohort(source, n_patients=7)
        prepare_cohort(
            str(source / "cohort.csv"), str(source / "records"), str(pretrain),
            signal=SignalSettings(sampling_rate_hz=125.0),
        )  # fmt: skip
        expected = "are unlike those of --cohort (sampling_rate_hz 125.0 against"
    assert main(arguments(cohort, pretrain, tmp_path / "out")) == 2
    assert expected in error_of(capsys)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("methods", "expected"),
    [
        ('["resnet50"]', "unknown method 'resnet50'"),
        ("resnet1d,mvae", "for several: lsemvae benchmark --methods '[resnet1d,mvae]'"),
    ],
)
def test_an_unknown_method_is_named(
    cohort: Path, capsys: pytest.CaptureFixture[str], methods: str, expected: str
) -> None:
    assert main(["benchmark", "--cohort", str(cohort), "--methods", methods]) == 2
    assert expected in error_of(capsys)


def test_where_every_run_fails_the_last_line_says_why(
    cohort: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    failed = {"ph/resnet1d/12": "the disk is full"}
    monkeypatch.setattr("lsemvae.benchmark.plan.run_plan", lambda *_, **__: failed)
    assert main(["benchmark", "--cohort", str(cohort), "--methods", '["resnet1d"]', "--out",
                 str(tmp_path)]) == 2  # fmt: skip
    assert "is finished: ph/resnet1d/12: the disk is full" in error_of(capsys)


def test_runs_without_a_comparison_are_named_where_references_are_asked_for(
    cohort: Path, pretraining: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    def run(*tasks: str) -> str:
        asked = ["--references", "true", "--tasks", json.dumps(tasks)]
        given = ["--methods", '["ls_emvae", "resnet1d"]']
        assert main([*arguments(cohort, pretraining, tmp_path, *asked), *given]) == 2
        return "".join(capsys.readouterr())

    monkeypatch.setattr("lsemvae.benchmark.plan.run_plan", lambda *_, **__: {"a run": "no"})
    told = run("detection", "mpap_mmhg")
    left = "detection by resnet1d, mpap_mmhg by resnet1d, mpap_mmhg by ls_emvae"
    assert f"without a comparison: {left}" in " ".join(told.split())
    assert "none of the methods and tasks is that: leave it out" in run("mpap_mmhg")


def test_a_benchmark_with_references_says_where_the_worth_of_pretraining_stands(
    cohort: Path, pretraining: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setattr("lsemvae.benchmark.plan.run_plan", lambda *_, **__: {})
    monkeypatch.setattr("lsemvae.benchmark.tables.write_tables", lambda *_: None)
    asked = ["--references", "true", "--methods", '["ls_emvae"]', "--tasks", '["detection"]']
    assert main([*arguments(cohort, pretraining, tmp_path), *asked]) == 0
    assert f"`lsemvae report {tmp_path}/cv` shows it" in " ".join(capsys.readouterr().out.split())


def test_every_method_is_listed_in_a_table_and_has_its_experiments() -> None:
    assert {method.experiment for method in METHODS.values()} <= {
        file.relative_to(ROOT / "experiments").as_posix()
        for file in (ROOT / "experiments").glob("*/*.yaml")
    }
    for name, method in TABLE_2.items():
        for task in ("detection", "phenotype"):
            for leads in (LEADS, LIMB_LEADS):
                file = ROOT / f"experiments/{task}/{name}_{len(leads)}l.yaml"
                assert file.is_file() == method.takes(leads), file
    assert {"ls_emvae_no_alignment", "ls_emvae_no_poe", "ls_emvae_no_moe"} <= set(ABLATIONS)


def test_rows_differ_from_the_paper_by_what_their_experiments_say() -> None:
    methods = {name: METHODS[name] for name in ("ls_emvae", "ls_emvae_no_poe", "xresnet1d34")}
    assert {name: dict(one.init_args) for name, one in methods.items()} == {
        "ls_emvae": {}, "ls_emvae_no_poe": {"fusion": {"kind": "moe"}},
        "xresnet1d34": {"variant": "xresnet1d34"},
    }  # fmt: skip
    assert [one.pretrained for one in methods.values()] == [True, True, False]


def test_all_encoders_of_table_2_see_all_recordings() -> None:
    """LS-EMVAE's row takes pretrain/ls_emvae_all.yaml, which the others must match."""
    files = [ROOT / "experiments/pretrain/ls_emvae_all.yaml"]
    files += [
        ROOT / "experiments" / method.experiment
        for name, method in METHODS.items()
        if method.pretrained and name not in ("ls_emvae", *ABLATIONS)
    ]
    assert len(files) == 9
    for file in files:
        data = yaml.safe_load(file.read_text())["data"]["init_args"]
        assert data["val_fraction"] == 0.0, file


def test_a_pretraining_that_was_cut_off_goes_on_from_its_last_epoch(
    pretraining: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    settings = PretrainSettings(
        (str(pretraining),), "small", epochs=3, batch_size=8, lr=1e-3, num_workers=0
    )
    trained: list[int] = []

    def start(task: Pretrainer) -> None:
        if task.current_epoch == 2 and trained[-1:] == [1]:
            raise RuntimeError("cut off")
        trained.append(task.current_epoch)

    monkeypatch.setattr(Pretrainer, "on_train_epoch_start", start)
    with pytest.raises(RuntimeError, match="cut off"):
        pretrain_encoder("mvae", tmp_path, settings)
    assert not is_pretrained(tmp_path)
    trained.append(-1)
    pretrain_encoder("mvae", tmp_path, settings)
    assert trained == [0, 1, -1, 2]
    assert is_pretrained(tmp_path)


@pytest.mark.parametrize(
    "dask", [None, pytest.param("local", marks=pytest.mark.slow)], ids=["loky", "dask"]
)
def test_jobs_run_in_parallel_and_one_that_fails_stops_no_other(
    dask: str | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = ["first", "fails", "breaks", "exits", "last"]
    jobs = [Job(name, tmp_path / f"{name}.txt", end, {"text": name}) for name in names]
    outcomes = {outcome.name: outcome.error for outcome in run_jobs(jobs, 2, dask)}
    assert outcomes["first"] is outcomes["last"] is None
    assert outcomes["fails"] == "what is wrong"
    assert "ZeroDivisionError: by zero; see" in str(outcomes["breaks"])
    assert "SystemExit: 2" in str(outcomes["exits"])
    assert "Traceback" in (tmp_path / "breaks.txt").read_text()
    assert (tmp_path / "last.txt").read_text() == "last\n"
    printed = capsys.readouterr().out
    assert re.search(r"FAILED fails \([1-5] of 5.*\): what is wrong\n", printed)
    assert "(5 of 5)" in printed


def test_a_benchmark_that_is_told_to_stop_says_so_and_begins_no_other_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    jobs = [Job(name, tmp_path / f"{name}.txt", end, {"text": name}) for name in ("stops", "last")]
    with pytest.raises(SystemExit) as stopped:
        exit_code(partial(run_jobs, jobs, 1))  # type: ignore[arg-type]
    assert stopped.value.code == 143
    assert capsys.readouterr().err == "told to stop; what is finished is kept\n"
    assert not (tmp_path / "last.txt").exists()


def test_a_dask_scheduler_that_does_not_answer_is_an_input_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("lsemvae.core.joblib_backend.DASK_TIMEOUT", "1s")
    job = Job("one", tmp_path / "one.txt", end, {"text": "one"})
    with pytest.raises(InputError, match="no Dask scheduler answers at"):
        run_jobs([job], 1, "tcp://127.0.0.1:1")
