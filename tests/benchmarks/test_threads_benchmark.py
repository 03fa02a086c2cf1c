import json
from pathlib import Path

import pytest
import torch

from benchmarks import threads


def test_both_numbers_of_threads_are_timed_for_steps_and_encodings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threads, "keep_freed_memory", lambda: True)
    monkeypatch.setattr(threads, "faster_float32_products", lambda: True)
    before, page = torch.get_num_threads(), tmp_path / "page.md"
    page.write_text("<!-- made by python -m benchmarks.threads -->\n<!-- end -->\n")
    try:
        threads.main(
            ["--sizes", "1", "--steps", "1", "--patience", "0", "--page", str(page),
             "--out", str(tmp_path / "found.json")]
        )  # fmt: skip
    finally:
        torch.set_num_threads(before)
    found = json.loads((tmp_path / "found.json").read_text())
    (row,), (heads,) = found["rows"], found["heads"]
    assert all(row[f"{part}_{n}"] > 0 for part in ("step", "encode") for n in ("1", "all"))
    assert row["gflop"] == pytest.approx(0.39, abs=0.01)
    assert f"{row['step_all'] / row['step_1']:.2f}" in page.read_text()
    assert f"| {heads['heads']}, 384 | {1000 * heads['step_1']:.1f}, " in page.read_text()
