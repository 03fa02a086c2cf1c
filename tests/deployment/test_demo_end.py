"""How the demo ends: its study, here a small one, becomes a model that is applied and served."""

import csv
from pathlib import Path

import pytest

from lsemvae.commands import demo
from lsemvae.predicting.run import NoResultError
from tests.deployment.conftest import served_rows


def test_the_demo_takes_the_next_patient_where_one_is_withheld(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[str] = []

    def predict(_: str, recordings: list[str], *, out: str) -> None:
        asked.extend(recordings)
        if len(asked) == 1:
            raise NoResultError("none of 1 recording gave a result")

    monkeypatch.setattr("lsemvae.commands.predict.predict", predict)
    monkeypatch.setattr(demo, "DATA", tmp_path)
    monkeypatch.setattr("sys.argv", [".venv/bin/lsemvae", "demo"])
    monkeypatch.setenv("PATH", str(tmp_path))
    demo.demo_prediction()
    assert len(set(asked)) == 2
    printed = capsys.readouterr().out
    assert "note: none of 1 recording gave a result" in printed
    assert f"Drop {Path(asked[1]).name} and" in printed
    assert "A page for such files: .venv/bin/lsemvae serve" in printed


def test_the_demo_ends_with_a_model_a_prediction_and_the_pages_command(
    study: Path, cohort: Path, encoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setattr(demo, "RUNS", tmp_path)
    monkeypatch.setattr(demo, "DATA", tmp_path / "data")
    monkeypatch.setattr(demo, "MODEL", tmp_path / "model.safetensors")
    (tmp_path / "cv").symlink_to(study.parents[2])
    for _ in range(2):  # a second demo does the same again
        demo.demo_model(str(cohort), str(encoder))
        demo.demo_prediction()
    printed = capsys.readouterr().out
    assert "a SYNTHETIC recording of a new patient" in printed
    assert f"A page for such files: lsemvae serve {tmp_path / 'model.safetensors'}" in printed
    with (tmp_path / "prediction.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert row["outcome"] == "result"
    assert "synthetic" in row["findings"]
    files = {
        path.name: path.read_bytes() for path in (tmp_path / "data").rglob("*") if path.is_file()
    }
    record = {name: one for name, one in files.items() if Path(row["recording"]).name in name}
    assert len(record) == 2
    (served,) = served_rows(monkeypatch, tmp_path / "model.safetensors", record)
    assert float(served["probability"]) == pytest.approx(float(row["probability"]), abs=1e-6)
