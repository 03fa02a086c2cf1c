"""Make a study of the tiny cohort, the model that is locked of it, and its graph."""

from pathlib import Path

import pytest

from lsemvae.cli import main
from tests.conftest import cv

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
