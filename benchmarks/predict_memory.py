"""Measure how memory grows with the files to predict: `python -m benchmarks.predict_memory`.

Folders of more and more headers that share a few signal files, simulated or of real recordings
(`--records`), the graph of an untrained network, one process for each folder. What grows are the
names; where no folder has 100,000 files, a straight line says what they take.
"""

import argparse
import os
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


def make_folder(folder: Path, n: int, records: Sequence[Path] = ()) -> Path:
    """Write n headers that share the samples of a few recordings.

    Args:
        folder: new.
        n: headers.
        records: headers of real WFDB records; simulated ones by default.
    """
    folder.mkdir()
    contents = _copied(folder, records) if records else _simulated(folder)
    for number in range(n):
        first, rest = contents[number % len(contents)]
        head = b"r%d %s" % (number, first.split(b" ", 1)[1])
        (folder / f"r{number}.hea").write_bytes(head + b"\n" + rest)
    return folder


def _copied(folder: Path, records: Sequence[Path]) -> list[tuple[bytes, bytes]]:
    """Copy the signal files of records; return first line and rest of each header."""
    contents = []
    for record in records:
        first, rest = record.read_bytes().split(b"\n", 1)
        signals = rest.splitlines()[: int(first.split()[1])]
        for name in {line.split()[0].decode() for line in signals}:
            new = f"{record.stem}.dat"  # other endings would be recordings of their own
            (folder / new).write_bytes((record.parent / name).read_bytes())
            rest = rest.replace(name.encode(), new.encode())
        contents.append((first, rest))
    return contents


def _simulated(folder: Path) -> list[tuple[bytes, bytes]]:
    """Write signal files; return first line and rest of each header."""
    draw = np.random.default_rng(0)
    contents = []
    for number in range(N_SIGNALS):
        counts = make_counts(n_samples=5000, rate=500)
        noisy = counts + draw.integers(-3, 4, size=counts.shape, dtype=np.int16)
        files = wfdb_files(noisy, rate=500)
        (folder / f"s{number}.dat").write_bytes(files["r1.dat"])
        first, rest = files["r1.hea"].split(b"\n", 1)
        contents.append((first, rest.replace(b"r1.dat", b"s%d.dat" % number)))
    return contents


def main(arguments: Sequence[str] | None = None) -> None:
    """Predict folders of growing size, print and write the memory; fails above the limit."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--files", type=int, nargs="+", default=[250, 1000, 3000])
    parser.add_argument("--records", type=Path, nargs="+", default=[], help="WFDB headers")
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
            folder = make_folder(here / str(n), n, options.records)
            found = predict(sys.executable, graph, [folder], here / "p.csv")
            rows.append({"files": n, **found})
            print(f"{n:,} files: {found['memory_mb']:.0f} MB, {found['wall_s']:.0f} s", flush=True)
    slope, start = np.polyfit([r["files"] for r in rows], [r["memory_mb"] for r in rows], 1)
    expected = float(start + slope * MANY)
    lines = ["| files | results | memory at its peak | each |", "|---|---|---|---|"]
    lines += [
        f"| {row['files']:,} | {row['results']:,} | {row['memory_mb']:.0f} MB | "
        f"{1000 * row['wall_s'] / row['files']:.0f} ms |"
        for row in rows
    ]
    n_real = len(options.records)
    real = f"Headers of {n_real} real recordings" if n_real else "Simulated recordings"
    lines += [
        "",
        f"{real}, one process, one thread; load of the machine: {os.getloadavg()[0]:.1f}. "
        f"{1000 * slope:.2f} MB for each thousand files.",
    ]
    if max(options.files) < MANY:
        lines[-1] += f" A straight line gives {expected:.0f} MB for {MANY:,}."
    results = {"machine": describe_machine(), "rows": rows, "mb_per_1000_files": 1000 * slope,
               "expected_mb": expected}  # fmt: skip
    write_results(options.out, results, "\n".join(lines) + "\n", page=options.page,
                  program="benchmarks.predict_memory")  # fmt: skip
    expected = max(expected, *(row["memory_mb"] for row in rows))
    if expected > MAX_MEMORY_MB:
        sys.exit(f"error: {MANY:,} files would take {expected:.0f} MB, above {MAX_MEMORY_MB:.0f}")


if __name__ == "__main__":
    main()
