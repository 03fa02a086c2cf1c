"""Runs whose files do not belong together are refused."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from lsemvae.core.errors import InputError
from lsemvae.core.sealed_json import write_json
from lsemvae.evaluation.report.gather import find_runs
from lsemvae.evaluation.report.verify import run_faults, verify_runs
from lsemvae.evaluation.runs import read_cv_run
from tests.report_runs import labelled_patients, write_run

Change = Callable[[pd.DataFrame], pd.DataFrame]


def test_whole_runs_pass_and_absent_splits_are_named(tmp_path: Path) -> None:
    folders = [write_run(tmp_path, labelled_patients(), method=name) for name in ("a", "b")]
    runs, notes = find_runs([str(tmp_path)])
    assert [run.folder for run in runs] == folders
    for above in ("detection", "detection/b", "detection/b/12L"):
        assert find_runs([str(tmp_path / above)])[0][-1].folder == folders[1]
    assert notes == []
    (tmp_path / "benchmark").mkdir()
    (tmp_path / "benchmark/cv").symlink_to(tmp_path, target_is_directory=True)
    assert [run.metrics["method"] for run in find_runs([str(tmp_path / "benchmark")])[0]] == [
        run.metrics["method"] for run in runs
    ]
    assert verify_runs(runs) == []
    (tmp_path / "detection/splits.json").unlink()
    assert len(verify_runs(runs)) == 2


def first_again(table: pd.DataFrame) -> pd.DataFrame:
    return pd.concat([table, table[:1]])


def into_two_folds(table: pd.DataFrame) -> pd.DataFrame:
    """Give a patient a second record in another fold."""
    return pd.concat([table, table[:1].assign(record="new", fold=(table["fold"][0] + 1) % 3)])


def test_a_projection_of_another_run_is_found(tmp_path: Path) -> None:
    folder = write_run(tmp_path, labelled_patients())
    first, second, *others = (folder / "projection.csv").read_text().splitlines()
    (folder / "projection.csv").write_text("\n".join([first, *others, second, ""]))
    found = run_faults(read_cv_run(folder))[0]
    assert found == ["projection.csv is not as the run wrote it"]


@pytest.mark.parametrize("name", ["predictions.csv", "inner_predictions.csv"])
def test_one_other_digit_of_a_probability_is_found(tmp_path: Path, name: str) -> None:
    folder = write_run(tmp_path, labelled_patients())
    text = (folder / name).read_text()
    probability = re.findall(r"0\.\d{8}", text)[0]
    other = f"{probability[:-1]}{(int(probability[-1]) + 1) % 10}"
    (folder / name).write_text(text.replace(probability, other, 1))
    assert run_faults(read_cv_run(folder))[0] == [f"{name} is not as the run wrote it"]


def test_predictions_that_are_no_numbers_are_refused_by_column(tmp_path: Path) -> None:
    folder = write_run(tmp_path, labelled_patients())
    table = pd.read_csv(folder / "predictions.csv").astype({"probability": str})
    table.loc[3, "probability"] = "0.5\0\0"
    table.to_csv(folder / "predictions.csv", index=False)
    with pytest.raises(InputError, match="not every probability is a number"):
        read_cv_run(folder)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda table: table[table["fold"] != 1], "fold 1 is missing"),
        (first_again, "record r000 is predicted twice"),
        (into_two_folds, "patient p000 is in several folds"),
        (lambda table: table[1:], "1 record lacks a prediction, as r000"),
        (lambda table: table.assign(label=1 - table["label"]), "metrics.json is not of predic"),
        (lambda table: table.assign(probability=table["probability"] ** 9), "accuracy"),
        (lambda table: table.assign(fold=(table["fold"] + 1) % 3), "in a fold not its own"),
        (lambda table: table.assign(probability=None), "has no probability"),
        (lambda table: table.drop(columns="patient_id"), "no column patient_id"),
    ],
)
def test_changed_predictions_are_refused(tmp_path: Path, change: Change, message: str) -> None:
    folder = write_run(tmp_path, labelled_patients())
    file = folder / "predictions.csv"
    change(pd.read_csv(file)).to_csv(file, index=False)
    with pytest.raises(InputError, match=message):
        verify_runs([read_cv_run(folder)])


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("mean.auroc", 0.95), ("sd.auroc", 0.001), ("folds.1.mcc", 0.9), ("inner.mean.auroc", 0.9),
        ("base_rate_accuracy", 0.5), ("n_patients", 1200), ("pooled.accuracy", None),
    ],
)  # fmt: skip
def test_every_figure_of_metrics_json_is_that_of_the_predictions(
    tmp_path: Path, path: str, value: float | None
) -> None:
    folder = write_run(tmp_path, labelled_patients())
    metrics = json.loads((folder / "metrics.json").read_text())
    *above, name = (int(key) if key.isdecimal() else key for key in path.split("."))
    part = metrics
    for key in above:
        part = part[key]
    part[name] = value
    write_json(folder / "metrics.json", metrics)
    figure = path.removeprefix("pooled.")
    with pytest.raises(InputError, match=rf"metrics.json is not of .*\({figure}\)"):
        verify_runs([read_cv_run(folder)])


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"mpap_threshold_mmhg": 25.0}, r"fold_0 \(mpap_threshold_mmhg 20.0 against 25.0\)"),
        ({"task": "phenotype"}, "metrics.json is of phenotype, .*splits.json of detection"),
    ],
)
def test_settings_are_those_of_the_folds_and_of_their_file(
    tmp_path: Path, changed: dict[str, Any], message: str
) -> None:
    folder = write_run(tmp_path, labelled_patients())
    metrics = json.loads((folder / "metrics.json").read_text())
    (folder / "fold_0").mkdir()
    kept = {name: metrics[name] for name in ("method", "leads", "mpap_threshold_mmhg")}
    write_json(folder / "fold_0/finished.json", {**kept, "of_older_versions": 1})
    splits = tmp_path / "detection/splits.json"
    write_json(splits, {**json.loads(splits.read_text()), "task": "detection"})
    assert verify_runs([read_cv_run(folder)]) == []
    write_json(folder / "metrics.json", metrics | changed)
    with pytest.raises(InputError, match=message):
        verify_runs([read_cv_run(folder)])


def test_inner_predictions_that_saw_the_fold_are_refused(tmp_path: Path) -> None:
    folder = write_run(tmp_path, labelled_patients())
    file = folder / "inner_predictions.csv"
    inner, outer = pd.read_csv(file), pd.read_csv(folder / "predictions.csv")
    leaked = outer[outer["fold"] == 0][:1].drop(columns="uncertainty")
    pd.concat([inner, leaked]).to_csv(file, index=False)
    with pytest.raises(InputError, match=r"fold 0: record .* is held out in this fold"):
        verify_runs([read_cv_run(folder)])


def test_runs_of_other_data_folds_or_definitions_are_refused_together(tmp_path: Path) -> None:
    first = write_run(tmp_path / "one", labelled_patients())
    other = write_run(
        tmp_path / "two", labelled_patients(90), method="mvae", cohort_sha256="d" * 64,
        mpap_threshold_mmhg=25.0,
    )  # fmt: skip
    with pytest.raises(InputError) as error:
        verify_runs([read_cv_run(first), read_cv_run(other)])
    for part in ("differ in cohort_sha256", "differ in mpap_threshold", "have other folds"):
        assert part in str(error.value)


def test_one_run_twice_and_edited_splits_are_refused(tmp_path: Path) -> None:
    folder = write_run(tmp_path, labelled_patients())
    run = read_cv_run(folder)
    with pytest.raises(InputError, match="detection/ls_emvae/12L was given 2 times"):
        verify_runs([run, run])
    file = tmp_path / "detection/splits.json"
    content = json.loads(file.read_text())
    content["fold"]["r000"] = (content["fold"]["r000"] + 1) % 3
    write_json(file, content)
    with pytest.raises(InputError, match="other folds than those of the run"):
        verify_runs([run])


def test_unfinished_runs_are_named(tmp_path: Path) -> None:
    write_run(tmp_path, labelled_patients())
    (tmp_path / "detection/mvae/12L/fold_0").mkdir(parents=True)
    _, notes = find_runs([str(tmp_path)])
    assert notes == [f"{tmp_path / 'detection/mvae/12L'} is not finished and was left out"]
    with pytest.raises(InputError, match="no finished cross-validation below"):
        find_runs([str(tmp_path / "detection/mvae/12L")])
