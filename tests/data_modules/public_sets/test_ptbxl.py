"""`prepare ptbxl` on files in the official layout, and on the genuine record at hand."""

import os
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from data_modules.public_sets.ptbxl import ptbxl_table
from data_modules.rhc_cohort import RhcCohort
from data_modules.store.read import EcgStore
from lsemvae.cli import main
from lsemvae.core.errors import InputError
from tests.conftest import error_of

N = 20
# the columns of the published tables that are read, and one that is not
STATEMENTS = """,description,diagnostic,form,rhythm,diagnostic_class,diagnostic_subclass,kind
NDT,non-diagnostic T abnormalities,1.0,1.0,,STTC,STTC,other ST-T
NORM,normal ECG,1.0,,,NORM,NORM,Normal/abnormal
IRBBB,incomplete right bundle branch block,1.0,,,CD,IRBBB,Intraventricular
LVOLT,low QRS voltages,,1.0,,,,QRS
SR,sinus rhythm,,,1.0,,,Rhythm
AFIB,atrial fibrillation,,,1.0,,,Rhythm
"""
CODES = ["{'NORM': 100.0, 'SR': 0.0}", "{'IRBBB': 50.0, 'NDT': 0.0, 'AFIB': 0.0}"]


def write_tables(folder: Path, n: int = N, **changed: dict[int, str]) -> None:
    """Write both tables as published: two recordings in each of ten folds."""
    rows = pd.DataFrame({
        "ecg_id": [str(number + 1) for number in range(n)],
        "patient_id": [f"{15000 + number}.0" for number in range(n)],
        "age": ["56.0"] * n, "sex": ["1"] * n, "height": [""] * n,
        "recording_date": ["1984-11-09 09:17:34"] * n, "report": ["sinusrhythmus"] * n,
        "scp_codes": [CODES[number % 2] for number in range(n)],
        "strat_fold": [str(number // 2 + 1) for number in range(n)],
        "filename_lr": [f"records100/00000/{number + 1:05}_lr" for number in range(n)],
        "filename_hr": [f"records500/00000/{number + 1:05}_hr" for number in range(n)],
    })  # fmt: skip
    for column, cells in changed.items():
        for row, value in cells.items():
            rows.loc[row, column] = value
    folder.mkdir(parents=True, exist_ok=True)
    rows.to_csv(folder / "ptbxl_database.csv", index=False)
    (folder / "scp_statements.csv").write_text(STATEMENTS)


@pytest.fixture(scope="module")
def official(recordings: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder in the layout of PTB-XL with synthetic recordings at 500 Hz."""
    folder = tmp_path_factory.mktemp("ptbxl")
    write_tables(folder)
    target = folder / "records500/00000"
    target.mkdir(parents=True)
    headers = sorted((recordings / "cohort/records").rglob("*.hea"))[:N]
    for number, header in enumerate(headers):
        name = f"{number + 1:05}_hr"
        (target / f"{name}.hea").write_text(header.read_text().replace(header.stem, name))
        shutil.copy(header.with_suffix(".dat"), target / f"{name}.dat")
    return folder


@pytest.fixture(scope="module")
def store(official: Path) -> Path:
    out = official / "ptbxl.h5"
    rate = ["--signal.sampling_rate_hz", "100"]
    assert main(["prepare", "ptbxl", "--source", str(official), "--out", str(out), *rate]) == 0
    return out


def test_labels_are_by_kind_and_missing_where_nothing_of_a_kind_is_stated(tmp_path: Path) -> None:
    write_tables(tmp_path, scp_codes={2: "{'SR': 0.0}", 3: "{'NORM': 80.0, 'LVOLT': 0.0}"})
    table = ptbxl_table(tmp_path, "hr")
    nan = np.nan
    np.testing.assert_array_equal(table["super_NORM"][:4], [1, 0, nan, 1])
    np.testing.assert_array_equal(table["super_CD"][:4], [0, 1, nan, 0])
    np.testing.assert_array_equal(table["super_STTC"][:4], [0, 1, nan, 0])
    np.testing.assert_array_equal(table["sub_IRBBB"][:4], [0, 1, nan, 0])
    np.testing.assert_array_equal(table["rhythm_AFIB"][:4], [0, 1, 0, nan])
    np.testing.assert_array_equal(table["form_LVOLT"][:4], [nan, 0, nan, 1])
    np.testing.assert_array_equal(table["form_NDT"][:4], [nan, 1, nan, 0])


def test_patients_ages_and_sex_are_as_published(tmp_path: Path) -> None:
    write_tables(tmp_path, age={0: "300.0", 1: ""}, sex={2: "0"})
    table = ptbxl_table(tmp_path, "lr")
    assert table["patient_id"][0] == "15000"
    np.testing.assert_array_equal(table["age_years"][:3], [np.nan, np.nan, 56])
    assert table["sex"][:3].tolist() == ["F", "F", "M"]
    assert table["record"][0] == "records100/00000/00001_lr"


def test_the_store_holds_all_and_is_split_by_the_official_folds(
    store: Path, tmp_path: Path
) -> None:
    table = EcgStore(store).table
    assert len(table) == N
    data = RhcCohort(str(store), "super_NORM", n_folds=10, splits=str(tmp_path / "splits.json"),
                     fold_column="official_fold")  # fmt: skip
    fold = table["record"].map(data.load_splits().fold)
    np.testing.assert_array_equal(fold, table["official_fold"] - 1)


def test_drawn_and_official_folds_are_never_taken_for_one_another(
    store: Path, tmp_path: Path
) -> None:
    file, official = str(tmp_path / "splits.json"), "official_fold"
    first = RhcCohort(str(store), "super_NORM", n_folds=10, splits=file, fold_column=official)
    first.load_splits()
    with pytest.raises(InputError, match="seed -1 against 0"):
        RhcCohort(str(store), "super_NORM", n_folds=10, splits=file).load_splits()


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--folds", "5", "--fold_column", "official_fold"], "has 10 folds.*give --folds 10"),
        (["--folds", "10", "--fold_column", "fold"], "has no column 'fold'"),
        (["--folds", "10", "--fold_column", "official_fold", "--task", "form_NDT"],
         "lacks one of the classes"),
    ],
)  # fmt: skip
def test_folds_that_the_table_does_not_have_are_refused(
    more: list[str], message: str, store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import re

    task = [] if "--task" in more else ["--task", "super_NORM"]
    assert main(["cv", *task, "--method", "multimodal_cnn", "--cohort", str(store), "--out",
                 str(tmp_path), *more]) == 2  # fmt: skip
    assert re.search(message, error_of(capsys))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"scp_codes": {4: "{'NORM': "}}, "scp_codes of ecg_id 5 are damaged"),
        ({"scp_codes": {4: "{'XYZ': 1}"}}, "scp_statements.csv does not know: XYZ"),
        ({"patient_id": {4: "abc"}}, "line 6 of patient_id holds 'abc'"),
        ({"patient_id": {4: ""}}, "ecg_id 5 has no patient_id"),
    ],
)
def test_a_damaged_cell_is_named(
    changed: dict[str, dict[int, str]], message: str, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    write_tables(tmp_path, **changed)
    out = str(tmp_path / "ptbxl.h5")
    assert main(["prepare", "ptbxl", "--source", str(tmp_path), "--out", out]) == 2
    assert message in error_of(capsys)


def test_another_folder_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["prepare", "ptbxl", "--source", str(tmp_path), "--out", "x.h5"]) == 2
    assert "ptbxl_database.csv not found; source is the folder of PTB-XL" in error_of(capsys)


def test_the_genuine_record_and_the_genuine_statements_are_read(tmp_path: Path) -> None:
    corpora = os.environ.get("ECG_CORPORA")
    if corpora is None:
        pytest.skip("ECG_CORPORA is unset: no real recordings here")
    write_tables(tmp_path, 1)
    shutil.copy(Path(corpora) / "ptbxl_zscored/scp_statements.csv", tmp_path)
    folder = tmp_path / "records100/00000"
    folder.mkdir(parents=True)
    for suffix in ("hea", "dat"):
        shutil.copy(Path(corpora) / f"ptbxl_raw/00001_lr.{suffix}", folder)
    out = tmp_path / "genuine.h5"
    assert main(["prepare", "ptbxl", "--source", str(tmp_path), "--files", "lr", "--out", str(out),
                 "--signal.sampling_rate_hz", "100"]) == 0  # fmt: skip
    store = EcgStore(out)
    assert store.unit == "mV"
    assert bool(store.present.all())
    assert store.table["sub_NORM"].tolist() == [1.0]
