from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from data_modules.store.read import EcgStore
from lsemvae.cli import main
from tests.conftest import error_of


def test_table_of_the_cohort_stands_beside_the_papers(
    cohort: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "deep/table1"
    assert main(["table1", "--cohort", str(cohort), "--out", str(out)]) == 0
    assert "SYNTHETIC" in capsys.readouterr().out
    shown = pd.read_csv(f"{out}.csv", dtype=str, keep_default_na=False).set_index("Unnamed: 0")
    pressures = EcgStore(cohort).table["mpap_mmhg"]
    assert shown.loc["Patients", "PH"] == str((pressures > 20).sum())
    ph = pressures[pressures > 20]
    assert shown.loc["mPAP (mmHg)", "PH"] == f"{ph.mean():.2f} ± {ph.std():.2f}"
    assert shown.loc["mPAP (mmHg)", "PH, paper"] == "26.82 ± 5.14"
    for kind in ("md", "tex"):
        assert "SYNTHETIC" in Path(f"{out}.{kind}").read_text(encoding="utf-8")


def test_what_the_cohort_lacks_is_one_line(
    cohort: Path, pretraining: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = ["--out", str(tmp_path / "t")]
    assert main(["table1", "--cohort", str(pretraining), *out]) == 2
    assert "has no pressures" in error_of(capsys)
    assert main(["table1", "--cohort", str(cohort), "--columns.bmi=BMI", *out]) == 2
    assert "has no column bmi" in error_of(capsys)
    assert main(["table1", str(cohort), "--tasks", "detection,phenotype", *out]) == 2
    assert "several tasks a list: --tasks '[A, B]'" in error_of(capsys)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("ending", [".csv", ".md", ".tex"])
def test_a_table_that_is_named_with_an_ending_has_one(
    ending: str, cohort: Path, tmp_path: Path
) -> None:
    assert main(["table1", str(cohort), "--out", str(tmp_path / f"t.1{ending}")]) == 0
    assert sorted(file.name for file in tmp_path.iterdir()) == ["t.1.csv", "t.1.md", "t.1.tex"]


def test_the_terminal_shows_one_table_for_each_comparison(
    cohort: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["table1", "--cohort", str(cohort), "--out", str(tmp_path / "t")]) == 0
    printed = capsys.readouterr().out
    assert printed.index("Table 1, detection") < printed.index("Table 1, phenotype")
    assert printed.count("Welch's t-test") == 1
    assert printed.count("(SYNTHETIC)") == 3  # of two tables, and of the caption below
    assert "|" not in printed
    assert "&lt;" not in printed


def test_no_word_is_broken_in_a_terminal_of_80_columns(
    cohort: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("COLUMNS", "80")
    assert main(["table1", "--cohort", str(cohort), "--out", str(tmp_path / "t")]) == 0
    words = set(capsys.readouterr().out.split())
    assert {"capillary", "capillary,", "Diastolic", "Systolic", "surface", "p", "p,"} <= words


def test_a_store_without_pressures_has_groups_by_a_column_that_is_named(
    pretraining: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    table = EcgStore(pretraining).table[["record", "patient_id"]]
    labelled = table.assign(older=(np.arange(len(table)) % 2).astype(float))
    monkeypatch.setattr(EcgStore, "table", labelled)
    words = ["--cohort", str(pretraining), "--tasks", "older", "--out", str(tmp_path / "t")]
    assert main(["table1", *words]) == 0
    shown = pd.read_csv(tmp_path / "t.csv", dtype=str).set_index("Unnamed: 0")
    assert shown.loc["Recordings", "older = 1"] == str(len(table) // 2)
    assert "mmHg" not in capsys.readouterr().out
