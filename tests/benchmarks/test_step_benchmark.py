import importlib
import json
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def step(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(str(ROOT))
    return importlib.import_module("benchmarks.step")


def tiny(out: Path) -> list[str]:
    sizes = ["--samples", "100", "--latent", "4", "--batch", "2", "3"]
    return [*sizes, "--repeats", "1", "--steps", "1", "--threads", "1", "--out", str(out)]


def test_benchmark_writes_a_row_per_variant_and_batch_with_equal_loss(step, tmp_path: Path) -> None:
    step.main(tiny(tmp_path / "reports" / "bench.json"))
    rows = json.loads((tmp_path / "reports" / "bench.json").read_text())["rows"]
    names = ["plain", "plain kept", "ours", "multichannel"]
    assert [(row["variant"], row["batch"]) for row in rows] == [
        (n, b) for b in (2, 3) for n in names
    ]
    for plain, _, ours, multichannel in (rows[:4], rows[4:]):
        assert plain["ratio_to_plain"] == 1
        assert ours["loss"] == pytest.approx(plain["loss"], rel=1e-5)
        assert multichannel["loss"] != pytest.approx(plain["loss"], rel=1e-5)
        assert all(row["seconds"] > 0 and row["peak_rss_gb"] > 0 for row in (plain, ours))


def test_benchmark_refuses_to_time_networks_that_compute_different_losses(
    step, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured = {"seconds": [1.0], "peak_rss_gb": 1.0}
    losses = {"plain": 10.0, "plain kept": 10.0, "ours": 10.01, "multichannel": 11.0}
    monkeypatch.setattr(step, "time_elsewhere", lambda name, *_: {**measured, "loss": losses[name]})
    with pytest.raises(ValueError, match="equal weights"):
        step.main(tiny(tmp_path / "bench.json"))
    assert not (tmp_path / "bench.json").exists()
