import json
from pathlib import Path

import pytest

from benchmarks import kept_beats
from lsemvae.nn.kept_beats import KeptBeats, TypicalBeats

QUICK = ["--batch", "2", "--repeats", "1", "--threads", "1"]


@pytest.fixture(autouse=True)
def _memory_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_beats, "keep_freed_memory", lambda: True)


def test_both_ways_are_timed(tmp_path: Path) -> None:
    kept_beats.main([*QUICK, "--out", str(tmp_path / "found.json")])
    rows = json.loads((tmp_path / "found.json").read_text())["rows"]
    assert [row["beats"] for row in rows] == ["found in every step", "kept"]
    assert all(row["step_s"] > 0 for row in rows)


def test_ways_that_differ_are_not_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    of = KeptBeats.of

    def wrong(self: KeptBeats, *batch: object) -> TypicalBeats:
        found = of(self, *batch)  # type: ignore[arg-type]
        return found._replace(median=found.median + len(self))

    monkeypatch.setattr(KeptBeats, "of", wrong)
    with pytest.raises(ValueError, match="with and without"):
        kept_beats.measure(2, 1)
