import json
from pathlib import Path

import pytest
import torch

from benchmarks import explaining

QUICK = ["--records", "1", "--n_steps", "2", "--repeats", "1"]


@pytest.fixture(autouse=True)
def _memory_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(explaining, "keep_freed_memory", lambda: True)


def test_both_ways_of_both_parts_are_timed(tmp_path: Path) -> None:
    explaining.main([*QUICK, "--out", str(tmp_path / "found.json")])
    rows = json.loads((tmp_path / "found.json").read_text())["rows"]
    assert [(row["part"], row["way"]) for row in rows] == [
        (part, way) for part, both in explaining.WAYS.items() for way in both
    ]
    assert "SYNTHETIC" in (tmp_path / "found.md").read_text()


def test_ways_that_differ_are_not_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(explaining, "by_captum", lambda *_: torch.ones(1, 12, 1000))
    with pytest.raises(ValueError, match="do not give the same"):
        explaining.measure(1, 2, 1)
