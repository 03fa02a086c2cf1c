"""Time an array's way to features beside that of files: `python -m benchmarks.encode_array`.

The array holds SYNTHETIC recordings and is mapped from the disk. The other way prepares the same
recordings as files into a store and encodes that.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import wfdb

from benchmarks.machine import describe_machine, write_results
from benchmarks.silent import run_command
from data_modules.rhc_cohort import RhcCohort
from lsemvae.crossval.features import encode_all
from lsemvae.encoding.arrays import encode
from lsemvae.models import load_pretrained
from lsemvae.models.checkpoint import Pretrained

LIMIT = 1.5
"""Times the clock of `prepare` and encoding from the store that an array may take."""


class Recordings(NamedTuple):
    """The same recordings twice: (N, L, T) in mV at a rate (Hz) of named leads, and as files."""

    ecg: np.ndarray
    rate: float
    leads: list[str]
    folder: Path


class Cost(NamedTuple):
    """Seconds of this process and of the clock."""

    cpu_s: float
    wall_s: float


def make_recordings(folder: Path, n: int) -> Recordings:
    """Write n synthetic recordings as WFDB files, and as one array that is mapped."""
    run_command("synthesize", "--out", str(folder), "--n_patients", str(n),
                "--n_pretraining_patients", "2")  # fmt: skip
    cohort = folder / "cohort"
    files = [cohort / "records" / name for name in pd.read_csv(cohort / "cohort.csv").record]
    first = wfdb.rdrecord(str(files[0]))
    shape = (len(files), first.n_sig, first.sig_len)
    ecg = np.lib.format.open_memmap(folder / "ecg.npy", "w+", np.float32, shape)
    for row, file in enumerate(files):
        ecg[row] = wfdb.rdrecord(str(file)).p_signal.T
    ecg.flush()
    mapped = np.load(folder / "ecg.npy", mmap_mode="r")
    return Recordings(mapped, float(first.fs), list(first.sig_name), cohort)


def encode_by_store(made: Recordings, store: Path, pretrained: Pretrained) -> np.ndarray:
    """Return the features (N, F) by way of files and a store."""
    run_command("prepare", "cohort", "--table", str(made.folder / "cohort.csv"), "--source",
                str(made.folder / "records"), "--out", str(store), "--jobs", "1",
                "--signal.sampling_rate_hz", "100")  # fmt: skip
    data = RhcCohort(str(store), normalisation=pretrained.data.ecg_input.normalisation)
    return np.asarray(encode_all(pretrained, data))


def measure(n: int, rounds: int) -> list[dict[str, Any]]:
    """Time both ways in turn and compare their features."""
    pretrained, rows = load_pretrained("public"), []
    with tempfile.TemporaryDirectory() as name:
        made = make_recordings(Path(name), n)
        _encode(made, 64)  # the first call imports and allocates
        for number in range(rounds):
            features, array = _timed(lambda: _encode(made, n))
            store = Path(name) / f"{number}.h5"
            kept, files = _timed(lambda store=store: encode_by_store(made, store, pretrained))
            rows.append({
                "shape": list(made.ecg.shape), "array": array._asdict(), "files": files._asdict(),
                "ratio_cpu": array.cpu_s / files.cpu_s, "ratio_wall": array.wall_s / files.wall_s,
                "largest_difference": float(np.abs(features - kept).max()),
            })  # fmt: skip
    return rows


def markdown(rows: Sequence[dict[str, Any]]) -> str:
    """Return the table of docs/python.md."""
    lines = [
        "| SYNTHETIC recordings | array: CPU, clock (s) | prepare + encode: CPU, clock (s) "
        "| ratio: CPU, clock | largest difference of a feature |",
        "|---|---|---|---|---|",
    ]
    for row in rows:
        array, files = row["array"], row["files"]
        lines.append(
            f"| {' x '.join(f'{size:,}' for size in row['shape'])} "
            f"| {array['cpu_s']:.1f}, {array['wall_s']:.1f} "
            f"| {files['cpu_s']:.1f}, {files['wall_s']:.1f} "
            f"| {row['ratio_cpu']:.2f}, {row['ratio_wall']:.2f} "
            f"| {row['largest_difference']:.1g} |"
        )
    return "\n".join([*lines, ""])


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print and write the table; fails where an array takes above 1.5 times the clock."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--records", type=int, default=10_000, help="recordings of 12 x 5000")
    parser.add_argument("--rounds", type=int, default=2, help="times that both ways take turns")
    parser.add_argument("--out", type=Path, default=Path("reports/encode_array.json"))
    parser.add_argument("--page", type=Path, help="Markdown file whose marked part is replaced")
    options = parser.parse_args(arguments)
    machine = describe_machine()
    rows = measure(options.records, options.rounds)
    write_results(options.out, {"machine": machine, "rows": rows}, markdown(rows),
                  page=options.page, program="benchmarks.encode_array")  # fmt: skip
    slowest = max(row["ratio_wall"] for row in rows)
    if slowest > LIMIT:
        sys.exit(f"error: an array takes {slowest:.2f} times the way of files, above {LIMIT}")


def _encode(made: Recordings, n: int) -> np.ndarray:
    return np.asarray(encode(made.ecg[:n], made.rate, made.leads, encoder="public"))


def _timed(function: Callable[[], np.ndarray]) -> tuple[np.ndarray, Cost]:
    cpu, wall = time.process_time(), time.perf_counter()
    result = function()
    return result, Cost(time.process_time() - cpu, time.perf_counter() - wall)


if __name__ == "__main__":
    main()
