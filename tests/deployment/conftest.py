"""Make a study of the tiny cohort, the model that is locked of it, and its graph."""

from pathlib import Path

import pandas as pd
import pytest

from lsemvae.cli import main
from tests.conftest import BEATS, cv

RUN = "detection/ls_emvae/12L"


@pytest.fixture(scope="session")
def study(cohort: Path, encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a cross-validation that has learnt something."""
    out = tmp_path_factory.mktemp("study")
    assert cv(cohort, encoder, out, "--epochs", "20", "--lr", "0.01") == 0
    return out / RUN


def lock(study: Path, cohort: Path, encoder: Path, out: Path, *more: str) -> int:
    """Lock a study and return the exit code."""
    files = ["--cohort", str(cohort), "--encoder", str(encoder), "--out", str(out)]
    return main(["lock", str(study), *files, *more])


@pytest.fixture(scope="session")
def model(study: Path, cohort: Path, encoder: Path) -> Path:
    """Return a model that withholds nothing for its uncertainty."""
    out = study / "model.safetensors"
    assert lock(study, cohort, encoder, out, "--withhold", "0") == 0
    return out


@pytest.fixture(scope="session")
def graph(model: Path) -> Path:
    """Return the model as ONNX."""
    out = model.with_suffix(".onnx")
    assert main(["export", str(model), "--out", str(out)]) == 0
    return out


@pytest.fixture(scope="session")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the store of another synthetic cohort, with patients of its own and two sites."""
    folder = tmp_path_factory.mktemp("elsewhere")
    size = ["--n_patients", "80", "--n_pretraining_patients", "1", "--seed", "7"]
    assert main(["synthesize", "--out", str(folder), *size]) == 0
    source = folder / "cohort"
    table = pd.read_csv(source / "cohort.csv", dtype=str)
    table["patient_id"] = "other " + table["patient_id"]
    table["site"] = ["north", "south"] * (len(table) // 2)
    table["strain"] = (table["mpap_mmhg"].astype(float) > 20).astype(int)
    table.loc[:2, "mpap_mmhg"] = ""
    table.to_csv(source / "other.csv", index=False)
    files = ["--table", str(source / "other.csv"), "--source", str(source / "records")]
    out = folder / "elsewhere.h5"
    assert main(["prepare", "cohort", *files, "--out", str(out), *BEATS]) == 0
    return out
