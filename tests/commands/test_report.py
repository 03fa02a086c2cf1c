"""`lsemvae report` through its door, on the tiny cohort's store with simulated predictions."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import h5py
import pandas as pd
import pytest

from data_modules.cohort.labels import task_labels
from data_modules.store.read import EcgStore
from lsemvae.cli import main
from lsemvae.core.files import file_sha256
from lsemvae.core.sealed_json import FILES as DIGESTS
from lsemvae.core.sealed_json import write_json
from lsemvae.core.tasks import Thresholds
from lsemvae.evaluation.predictions import read_predictions
from lsemvae.evaluation.report import pdf
from lsemvae.report_evidence.gather import _title
from tests.conftest import error_of
from tests.report_runs import write_run

QUICK = ["--n_resamples", "100"]


def labelled(store: EcgStore, task: str = "detection") -> pd.DataFrame:
    """Return record, patient and label of a task."""
    label = task_labels(store.table, task, Thresholds())
    return store.table[["record", "patient_id"]].assign(label=label)[label.notna()]


def runs_of(store: EcgStore, out: Path) -> Path:
    """Write a run of both tasks with two methods on a store and return the folder above."""
    for number, task in enumerate(("detection", "phenotype")):
        for seed, method in enumerate(("ls_emvae", "multimodal_cnn")):
            write_run(out, labelled(store, task), task=task, method=method, leads=6 if seed else 12,
                      cohort_sha256=store.sha256, seed=10 * number + seed)  # fmt: skip
    return out


@pytest.fixture(scope="module")
def runs(cohort: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return runs_of(EcgStore(cohort), tmp_path_factory.mktemp("runs") / "cv")


@pytest.fixture(scope="module")
def numbers(runs: Path, cohort: Path) -> dict[str, Any]:
    out = runs.parent / "page"
    words = [str(runs / "detection"), str(runs / "phenotype")]
    assert main(["report", *words, "--cohort", str(cohort), "--out", str(out), *QUICK]) == 0
    found: dict[str, Any] = json.loads((out / "report.json").read_text())
    return found


def test_words_before_the_first_option_are_runs(numbers: dict[str, Any]) -> None:
    assert set(numbers["records"]) == {
        f"{task}/{run}" for task in ("detection", "phenotype")
        for run in ("ls_emvae/12L", "multimodal_cnn/6L")
    }  # fmt: skip


def test_store_gives_flow_groups_and_interval(numbers: dict[str, Any], cohort: Path) -> None:
    table, sections = EcgStore(cohort).table, numbers["sections"]
    flow = dict(sections["flow"]["facts"]["flow"])
    assert flow["recordings in the store"] == len(table)
    kept = pd.read_csv(f"{cohort}.quarantine.csv").query("outcome == 'accepted'")
    doubtful = kept[~kept["code"].isin(["resampled", "cut_to_length"])]
    assert flow["recordings with warnings"] == doubtful["record"].nunique()
    assert flow["noted: resampled"] == (kept["code"] == "resampled").sum() > 0
    assert "warned of: resampled" not in flow
    days = pd.to_datetime(table["rhc_date"]) - pd.to_datetime(table["ecg_date"])
    assert sections["flow"]["facts"]["ecg_to_catheter_days"]["q50"] == days.dt.days.median()
    groups = {row["characteristic"]: row for row in sections["characteristics"]["facts"]["table"]}
    assert groups["Patients"]["PH"] == str((table["mpap_mmhg"] > 20).sum())
    assert "p (detection)" in groups["mPAP (mmHg)"]


def test_other_definitions_count_what_the_pressures_say(
    numbers: dict[str, Any], cohort: Path
) -> None:
    table, labels = EcgStore(cohort).table, numbers["sections"]["labels"]["facts"]
    detection = labels["detection/ls_emvae/12L"]
    assert detection["mPAP > 25 mmHg"]["n_positive"] == (table["mpap_mmhg"] > 25).sum()
    phenotype = labels["phenotype/ls_emvae/12L"]
    assert set(phenotype) == {f"mPAP > {m} mmHg, PAWP > {p} mmHg"
                              for m in (20, 25) for p in (12, 15, 18)}  # fmt: skip
    ill = table[table["mpap_mmhg"] > 20]
    part = phenotype["mPAP > 20 mmHg, PAWP > 18 mmHg"]
    assert (part["n_records"], part["n_positive"]) == (len(ill), (ill["pawp_mmhg"] > 18).sum())


def test_subgroups_and_baseline_are_there(numbers: dict[str, Any]) -> None:
    sections = numbers["sections"]
    assert set(sections["subgroups"]["facts"]["detection/ls_emvae/12L"]["sex"]) >= {"F", "M"}
    titles = [row[0] for table in sections["results"]["tables"] for row in table["rows"]]
    assert titles.count("logistic regression on age, sex, heart rate") == 2
    assert not any("machine measurements" in title for title in titles)
    assert "has no column machine_" in " ".join(sections["results"]["texts"])
    assert "cut from 12-lead recordings" in " ".join(sections["summary"]["texts"])


def test_report_without_a_store_says_what_it_lacks(runs: Path, tmp_path: Path) -> None:
    assert main(["report", str(runs / "detection/ls_emvae"), "--out", str(tmp_path), *QUICK]) == 0
    page = (tmp_path / "index.html").read_text()
    assert "no store was given (--cohort)" in page
    assert "<h1>LS-EMVAE: cross-validated report</h1>" in page


def refused(runs: Path, cohort: Path, out: Path, *more: str) -> bool:
    """Tell whether a report is refused before anything of it is written."""
    code = main(["report", "--cv", str(runs), "--cohort", str(cohort), "--out", str(out), *more])
    return code == 2 and not out.exists()


def seal(file: Path) -> None:
    """Say in metrics.json that these are the predictions of the run."""
    metrics = json.loads((file.parent / "metrics.json").read_text())
    metrics[DIGESTS][file.name] = file_sha256(file)
    write_json(file.parent / "metrics.json", metrics)


def another_patient(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(patient_id=table["patient_id"].where(table.index != 0, "stranger"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (another_patient, "is of another patient in the store"),
        (lambda table: table[table["fold"] != 2], "fold 2 is missing"),
        (lambda table: pd.concat([table, table[:1]]), "predicted twice"),
    ],
)
def test_predictions_that_the_store_contradicts_are_refused(
    runs: Path, cohort: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    change: Callable[[pd.DataFrame], pd.DataFrame], message: str,
) -> None:  # fmt: skip
    copied = shutil.copytree(runs, tmp_path / "cv")
    file = copied / "detection/ls_emvae/12L/predictions.csv"
    change(pd.read_csv(file, dtype={"record": str})).to_csv(file, index=False)
    seal(file)
    assert refused(copied, cohort, tmp_path / "page")
    assert message in error_of(capsys)


def test_labels_of_another_definition_are_refused(
    runs: Path, cohort: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copied = shutil.copytree(runs, tmp_path / "cv")
    for file in copied.rglob("metrics.json"):
        changed = json.loads(file.read_text()) | {"mpap_threshold_mmhg": 30.0}
        write_json(file, changed)
    assert refused(copied, cohort, tmp_path / "page")
    assert "has another label in the store" in error_of(capsys)


def test_runs_of_two_cohorts_are_refused(
    runs: Path, cohort: Path, pretraining: Path, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    assert refused(runs, pretraining, tmp_path / "page")
    assert "another cohort" in error_of(capsys)


def leaking_store(cohort: Path, store: Path, kind: str, rows: list[int]) -> Path:
    """Copy a store and give two records one patient or one signal."""
    shutil.copy(cohort, store)
    with h5py.File(store, "r+") as file:
        names = [name.decode() for name in file["columns"][:]]
        column = "patient_id" if kind == "patient" else "signal_sha256"
        dataset = file["table"][str(names.index(column))]
        values = dataset[:]
        values[rows[1]] = values[rows[0]]
        dataset[...] = values
    return store


@pytest.mark.parametrize("kind", ["patient", "signal"])
def test_leak_between_folds_is_refused_unless_the_run_admits_it(
    cohort: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr("data_modules.store.read.check_table", lambda _: None)  # it is changed
    clean = EcgStore(cohort)
    probe = read_predictions(write_run(tmp_path / "probe", labelled(clean)) / "predictions.csv")
    rows = [probe.index[probe["fold"] == fold][0] for fold in (0, 1)]
    store = leaking_store(cohort, tmp_path / "leaking.h5", kind, rows)
    honest, admitting = (tmp_path / name for name in ("honest", "admitting"))
    write_run(honest, labelled(EcgStore(store)), cohort_sha256=clean.sha256)
    capsys.readouterr()
    assert refused(honest, store, tmp_path / "page")
    error = error_of(capsys)
    if kind == "patient":  # which no run can admit: folds are by patient
        assert "is in several folds" in error
        return
    assert "leakage: fold 0 and fold 1 share 1 signal" in error
    leak = {"kind": "signal", "between": ["fold 0", "fold 1"], "n": 1}
    write_run(admitting, labelled(EcgStore(store)), cohort_sha256=clean.sha256, leaks=[leak])
    arguments = ["--cv", str(admitting), "--cohort", str(store), "--out", str(tmp_path / "page")]
    assert main(["report", *arguments, *QUICK]) == 0
    assert "LEAKAGE, allowed" in (tmp_path / "page/index.html").read_text()


def explanation(runs: Path, out: Path) -> Path:
    """Write what `lsemvae explain` leaves, for the first run."""
    out.mkdir()
    about = json.loads((runs / "detection/ls_emvae/12L/metrics.json").read_text())
    names = ("task", "method", "leads", "data", "synthetic", "cohort_sha256", "encoder_sha256",
             "splits_sha256")  # fmt: skip
    span = {"n_records": 20, **{part: {f"q{q}": 0.1 for q in ("05", "50", "95")}
                                for part in ("samples", "leads")}}  # fmt: skip
    found = {
        **{name: about[name] for name in names},
        "n_records": 60,
        "attribution": {"method": "integrated_gradients", "baseline": "isoelectric"},
        "completeness": {"largest_delta_logit": 0.01, "median_delta_logit": 0.001},
        "ranking": [{"lead": "II", "share": 0.4, "low": 0.35, "high": 0.45}],
        "model_randomisation": {"head": span},
    }
    write_json(out / "attribution.json", found)
    (out / "gate.csv").write_text("lead_set,expert,label,mean,sd,n_records\n12L,II,1,0.25,0.1,9\n")
    picture = next((runs.parent / "page/figures").glob("*.png"))
    shutil.copy(picture, out / "leads.png")
    return out


def test_explanation_is_shown_and_one_of_another_run_refused(
    runs: Path, numbers: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = explanation(runs, tmp_path / "explain")
    words = ["report", str(runs / "detection"), "--explain", str(folder), *QUICK]
    assert main([*words, "--out", str(tmp_path / "page")]) == 0
    shown = json.loads((tmp_path / "page/report.json").read_text())["sections"]["attribution"]
    assert shown["tables"][0]["rows"] == [["II", "40.0 % [35.0 %, 45.0 %]"]]
    assert shown["figures"][0]["file"] == "figures/explain_leads.png"
    assert [row["mean"] for row in shown["facts"]["gate"]] == [0.25]
    capsys.readouterr()
    other = [word.replace("/detection", "/phenotype") for word in words]
    assert main([*other, "--out", str(tmp_path / "other")]) == 2
    assert "which is none of the reported runs" in error_of(capsys)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "name the folders of runs"),
        (["nowhere"], "no finished cross-validation below nowhere"),
        (["one/fold_0"], "one/fold_0; it is a part of the run one: name that"),
        (["nowhere", "--n_resamples", "10"], "--n_resamples must be in 100..100000, got 10"),
        (["nowhere", "--n_resamples", "1000000000"], "in 100..100000, got 1000000000"),
    ],
)
def test_bad_request_is_one_line(
    arguments: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    Path("one/fold_0").mkdir(parents=True)
    Path("one/metrics.json").touch()
    assert main(["report", *arguments]) == 2
    assert message in error_of(capsys)


def test_pdf_without_a_browser_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(pdf.shutil, "which", lambda name: None)
    assert main(["report", "runs", "--pdf", "true"]) == 2
    assert "install Chromium, or leave out --pdf" in error_of(capsys)


def test_a_page_is_titled_by_its_methods() -> None:
    def title(*methods: str) -> str:
        return _title([SimpleNamespace(method_title=name) for name in methods])  # type: ignore[misc]

    assert title("TinyNet", "TinyNet", "MVAE") == "TinyNet, MVAE: cross-validated report"
    assert title("A", "B", "C", "D") == "4 methods: cross-validated report"
