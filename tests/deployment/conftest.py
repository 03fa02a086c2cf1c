"""Make a study of the tiny cohort, the model that is locked of it, and its graph."""

import csv
import io
import socket
from pathlib import Path

import pytest
import uvicorn
from starlette.testclient import TestClient

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


def served_rows(
    monkeypatch: pytest.MonkeyPatch, model: Path, files: dict[str, bytes], *more: str
) -> list[dict[str, str]]:
    """Serve a model for one visit: send files, look at every page, return the CSV's rows."""
    rows: list[dict[str, str]] = []

    def visit(server: uvicorn.Server, sockets: list[socket.socket]) -> None:
        home = f"http://127.0.0.1:{sockets[0].getsockname()[1]}"
        with TestClient(server.config.app, base_url=home, headers={"origin": home}) as client:
            sent = [("files", item) for item in files.items()]
            assert client.post("/recordings", files=sent).status_code == 200
            rows.extend(csv.DictReader(io.StringIO(client.get("/worklist.csv").text)))
            for number in range(1, len(rows) + 1):
                shown = client.get(f"/recordings/{number}")
                assert shown.status_code == 200
                assert ("Which leads moved" in shown.text) == (rows[number - 1]["code"] == "")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(uvicorn.Server, "run", visit)
        assert main(["serve", str(model), "--port", "0", *more]) == 0
    return rows
