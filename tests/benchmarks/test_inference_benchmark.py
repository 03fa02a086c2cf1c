import importlib
import json
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).parents[2]


@pytest.fixture
def inference(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(str(ROOT))
    program = importlib.import_module("benchmarks.inference")
    peaks = program.measure_peaks
    monkeypatch.setattr(program, "measure_peaks", lambda: peaks([64], 1000, 1))
    monkeypatch.setattr(program, "keep_freed_memory", lambda: True)
    return program


def test_benchmark_times_encodings_and_the_way_to_the_heads(inference, tmp_path: Path) -> None:
    sizes = ["--batch", "3", "--samples", "100", "--latent", "4", "--patients", "60"]
    beats = ["--signal", "segment=median_beat", "sampling_rate_hz=100"]
    few = ["--repeats", "2", "--epochs", "2", "--folds", "2", "--threads", "1", "--patience", "0"]
    inference.main([*sizes, *beats, *few, "--out", str(tmp_path / "inference.json")])
    results = json.loads((tmp_path / "inference.json").read_text())
    found = [(row["output"], row["leads"], row["form"]) for row in results["encoding"]]
    assert found == [
        (output, leads, form)
        for output in ("means", "means and variances")
        for leads in (12, 6)
        for form in ("plain", "ours")
    ]
    for row in results["encoding"]:
        assert row["records_per_s"] == pytest.approx(3 / row["seconds"])
        assert 0 < row["gemm_share"] < 1.5
    for row in results["heads"]:
        assert row["records"] == 60
        assert row["features_s"] > 0
        assert row["heads_s"] > 0
        rate = next(
            each["records_per_s"]
            for each in results["encoding"]
            if (each["form"], each["leads"]) == ("plain", row["leads"])
            and each["output"] == "means and variances"
        )
        assert row["uncached_plain_s_computed"] == pytest.approx(60 / rate * 2 * 2)
    assert (tmp_path / "inference.md").read_text().count("| ours |") == 4


def test_encodings_that_differ_are_not_timed(inference, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        inference, "plain_means", lambda encoders, ecg, leads: torch.zeros(len(ecg), len(leads), 4)
    )
    with pytest.raises(ValueError, match="apart"), torch.inference_mode():
        inference.measure_encoding(inference.Sizes(2, 100, 4), 1, 1.0)


def test_ways_to_train_heads_are_compared(inference, tmp_path: Path) -> None:
    heads = importlib.import_module("benchmarks.heads")
    small = ["--patients", "60", "--latent", "4", "--epochs", "1", "--folds", "2"]
    heads.main([*small, "--patience", "0", "--out", str(tmp_path / "heads.json")])
    results = json.loads((tmp_path / "heads.json").read_text())
    assert [row["way"] for row in results["rows"]] == list(heads.WAYS)
    assert results["rows"][0]["times_faster"] == 1.0
    assert all(row["cpu_s"] > 0 for row in results["rows"])
    assert (tmp_path / "heads.md").read_text().startswith(results["machine"]["processor"])
