import os
from pathlib import Path

import pytest

from benchmarks import doubts

PAGE = Path(__file__).parents[2] / "docs/data.md"


@pytest.mark.skipif("ECG_CORPORA" not in os.environ, reason="ECG_CORPORA is unset: no recordings")
def test_the_page_has_the_rows_that_the_program_makes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doubts, "SETS", {"CinC 2021": "cinc2021"})
    monkeypatch.setattr(doubts, "RATES", ())

    doubts.main(["--out", str(tmp_path / "found.json")])
    made = (tmp_path / "found.md").read_text().splitlines()
    rows = [line for line in made if "CinC 2021" in line]
    assert len(rows) == 6
    assert set(rows) <= set(PAGE.read_text().splitlines())
