"""Progress in lines: what is done never exceeds what there is."""

import pytest

from data_modules import progress


def test_a_smaller_last_block_is_not_counted_as_a_full_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(progress, "LINE_EVERY_S", 0.0)
    shown = progress.show_progress([(2, "a"), (2, "b")], total=3, text="hashing")
    assert list(shown) == ["a", "b"]
    first, last = capsys.readouterr().err.splitlines()
    assert first.startswith("hashing: 2 of 3")
    assert last.startswith("hashing: 3 of 3")
