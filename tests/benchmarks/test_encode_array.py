"""Test the program that times arrays beside files."""

import json
from pathlib import Path

from benchmarks import encode_array


def test_both_ways_give_the_same_features(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("<!-- made by python -m benchmarks.encode_array -->\n<!-- end -->\n")
    rows = encode_array.measure(12, 1)
    encode_array.write_results(
        tmp_path / "figures.json", {"rows": rows}, encode_array.markdown(rows),
        page=page, program="benchmarks.encode_array",
    )  # fmt: skip
    row = json.loads((tmp_path / "figures.json").read_text())["rows"][0]
    assert row["shape"] == [12, 12, 5000]
    assert row["largest_difference"] < 1e-3
    assert row["ratio_wall"] == row["array"]["wall_s"] / row["files"]["wall_s"]
    assert "| 12 x 12 x 5,000 |" in page.read_text()
