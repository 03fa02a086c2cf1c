import json
from pathlib import Path

import pandas as pd
import pytest
from scipy.special import logit
from sklearn.metrics import roc_auc_score

from data_modules.store.read import EcgStore
from lsemvae.cli import main
from lsemvae.deployment.model_file import read_model
from tests.conftest import error_of

FAST = ["--n_resamples", "100", "--n_draws", "20"]


def external(model: Path, cohort: Path, out: Path, *more: str) -> int:
    return main(["external", str(model), "--cohort", str(cohort), "--out", str(out), *FAST, *more])


@pytest.fixture(scope="module")
def report(model: Path, elsewhere: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("external")
    assert external(model, elsewhere, out) == 0
    return out


def facts(report: Path, section: str) -> dict[str, object]:
    numbers = json.loads((report / "external.json").read_text())
    assert numbers["format"] == "lsemvae-external"
    found: dict[str, object] = numbers["sections"][section]["facts"]
    return found


def test_measures_are_those_of_the_predictions_and_the_stores_labels(
    report: Path, elsewhere: Path
) -> None:
    rows = pd.read_csv(report / "predictions.csv", dtype={"recording": str})
    table = EcgStore(elsewhere).table
    known = table["mpap_mmhg"].notna().to_numpy()
    label = table["mpap_mmhg"].to_numpy()[known] > 20
    expected = roc_auc_score(label, rows["probability"][known])
    measures = pd.read_csv(report / "measures.csv", index_col="measure")
    assert measures.loc["auroc", "value"] == pytest.approx(expected)
    ratio = label.sum() / rows["probability"][known].sum()
    assert measures.loc["observed_expected", "value"] == pytest.approx(ratio)
    assert (measures["low"] <= measures["high"]).all()


def test_missing_labels_are_counted(report: Path) -> None:
    counts = facts(report, "outcomes")["outcomes"]
    assert counts["result"]["label missing"] == 3  # type: ignore[index]
    assert counts["result"]["all"] == 80  # type: ignore[index]


def test_thresholds_are_those_of_the_model(report: Path, model: Path) -> None:
    points = read_model(model).network.description.points
    found = facts(report, "thresholds")["points"]
    assert {name: one["threshold"] for name, one in found.items()} == {  # type: ignore[attr-defined]
        name: point.threshold for name, point in points.items()
    }


def test_both_cohorts_stand_side_by_side(report: Path, cohort: Path, elsewhere: Path) -> None:
    found = facts(report, "case_mix")
    before = {one["column"]: one for one in found["training"]["characteristics"]}  # type: ignore[index]
    assert before["age_years"]["mean"] == pytest.approx(EcgStore(cohort).table["age_years"].mean())
    assert found["here"]["n_patients"] == 77  # type: ignore[index]
    rows = pd.read_csv(report / "predictions.csv", dtype={"recording": str})
    known = EcgStore(elsewhere).table["mpap_mmhg"].notna().to_numpy()
    expected = logit(rows["probability"][known]).mean()
    assert found["here"]["log_odds_mean"] == pytest.approx(expected)  # type: ignore[index]


def test_sites_of_the_table_are_left_out_in_turn(report: Path) -> None:
    assert set(facts(report, "sites")["sites"]) == {"north", "south"}  # type: ignore[arg-type]


def test_the_page_says_what_is_synthetic_and_what_is_small(report: Path) -> None:
    page = (report / "index.html").read_text()
    assert "SYNTHETIC data" in page
    assert "patients of the rarer class" in page
    auroc = facts(report, "summary")["measures"]["auroc"]  # type: ignore[index]
    assert auroc["low"] < 0.5
    assert "Thresholds, calibration and net benefit of a guess mean nothing." in page
    assert "not a medical device" in page
    assert {file.name for file in report.iterdir()} == {
        "index.html", "external.json", "measures.csv", "learning_curve.csv", "predictions.csv",
        "figures",
    }  # fmt: skip


def test_patients_of_the_training_are_refused(
    model: Path, cohort: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert external(model, cohort, tmp_path / "out") == 2
    error = error_of(capsys)
    assert "none of 60 recordings gave a result" in error
    assert "trained_on" in error


def test_what_cannot_be_validated_is_one_line(
    model: Path, elsewhere: Path, pretraining: Path, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    cases = [
        ((pretraining,), "needs the column 'mpap_mmhg'"),
        ((elsewhere, "--label", "strain"), "is defined by pressures"),
        ((elsewhere, "--site", "city"), "has no column city"),
        ((elsewhere, "--point", "best"), "no operating point 'best'"),
        ((elsewhere, "--n_draws", "3"), "--n_draws must be in 20..100000, got 3"),
        ((elsewhere, "--n_resamples", "1000000000"), "must be in 20..100000, got 1000000000"),
        ((tmp_path / "none.h5",), "none.h5"),
    ]
    for (store, *more), line in cases:
        assert external(model, store, tmp_path / "out", *map(str, more)) == 2
        assert line in error_of(capsys)


def test_a_folder_of_somebody_else_is_left_alone(
    model: Path, elsewhere: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "index.html").write_text("mine")
    assert external(model, elsewhere, tmp_path) == 2
    assert "did not write it" in error_of(capsys)
    assert [file.name for file in tmp_path.iterdir()] == ["index.html"]
