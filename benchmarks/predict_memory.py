"""Measure how memory grows with the files to predict: `python -m benchmarks.predict_memory`.

Folders of more and more headers that share a few signal files, the graph of an untrained network,
one process for each folder. What grows are the names; the slope says what 100,000 files take.
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.machine import describe_machine, write_results
from benchmarks.recording_files import make_counts, wfdb_files
from benchmarks.without_torch import make_graph, predict

N_SIGNALS = 4
MANY = 100_000
MAX_MEMORY_MB = 400.0


def make_folder(folder: Path, n: int) -> Path:
    """Write n headers that share the samples of a few recordings."""
    folder.mkdir()
    draw = np.random.default_rng(0)
    contents = []
    for number in range(N_SIGNALS):
        counts = make_counts(n_samples=5000, rate=500)
        noisy = counts + draw.integers(-3, 4, size=counts.shape, dtype=np.int16)
        files = wfdb_files(noisy, rate=500)
        (folder / f"s{number}.dat").write_bytes(files["r1.dat"])
        first, rest = files["r1.hea"].split(b"\n", 1)
        contents.append((first, rest.replace(b"r1.dat", b"s%d.dat" % number)))
    for number in range(n):
        first, rest = contents[number % N_SIGNALS]
        head = first.replace(b"r1", b"r%d" % number, 1)
        (folder / f"r{number}.hea").write_bytes(head + b"\n" + rest)
    return folder


def main(arguments: Sequence[str] | None = None) -> None:
    """Predict folders of growing size, print and write the memory; fails above the limit."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--files", type=int, nargs="+", default=[250, 1000, 3000])
    parser.add_argument("--graph", type=Path, help="of `lsemvae export`; a small one by default")
    parser.add_argument("--out", type=Path, default=Path("reports/predict_memory.json"))
    parser.add_argument("--page", type=Path, help="Markdown file whose marked part is replaced")
    options = parser.parse_args(arguments)
    rows = []
    with tempfile.TemporaryDirectory() as name:
        here = Path(name)
        graph = options.graph or here / "graph.onnx"
        if options.graph is None:
            make_graph(graph)
        for n in options.files:
            found = predict(sys.executable, graph, [make_folder(here / str(n), n)], here / "p.csv")
            rows.append({"files": n, "memory_mb": found["memory_mb"]})
    slope, start = np.polyfit([r["files"] for r in rows], [r["memory_mb"] for r in rows], 1)
    expected = float(start + slope * MANY)
    lines = ["| files | memory at its peak |", "|---|---|"]
    lines += [f"| {row['files']:,} | {row['memory_mb']:.0f} MB |" for row in rows]
    lines += ["", f"Straight line through them: {1000 * slope:.2f} MB for each thousand files, so "
              f"{expected:.0f} MB for {MANY:,}."]  # fmt: skip
    results = {"machine": describe_machine(), "rows": rows, "mb_per_1000_files": 1000 * slope,
               "expected_mb": expected}  # fmt: skip
    write_results(options.out, results, "\n".join(lines) + "\n", page=options.page,
                  program="benchmarks.predict_memory")  # fmt: skip
    if expected > MAX_MEMORY_MB:
        sys.exit(f"error: {MANY:,} files would take {expected:.0f} MB, above {MAX_MEMORY_MB:.0f}")


if __name__ == "__main__":
    main()
