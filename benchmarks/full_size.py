"""Open, split, shuffle and read a store of 800,000 records that takes no room.

Signals are holes of the file system, table and index are whole. Every size is measured in a process
of its own. Time is wall-clock; memory is the resident size of the process, less what it had after
importing, and, as `private`, without pages of files that the system may take back at any time.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.machine import describe_machine, write_results
from tests.data_modules.sparse_store import write_sparse_store

BATCHES = 100


def memory_mb() -> dict[str, float]:
    """Return the resident memory of this process in MB, all of it and without files."""
    status = Path("/proc/self/status").read_text().splitlines()
    kilobytes = {line.split(":")[0]: line.split()[1] for line in status if line.startswith("Rss")}
    found = {name: int(kilobytes[name]) / 1000 for name in ("RssAnon", "RssFile")}
    return {"resident": sum(found.values()), "private": found["RssAnon"]}


def measure(path: str, workers: int) -> dict[str, Any]:
    """Go through the first steps of a training run; seconds and MB of each."""
    from data_modules.mimic_ecg import MimicEcg

    # what the first call of anything costs is none of the store's
    with tempfile.TemporaryDirectory() as folder:
        tiny = write_sparse_store(Path(folder) / "tiny.h5", n_records=500, n_samples=40)
        warm_up = MimicEcg(str(tiny), num_workers=0)
        warm_up.setup("fit")
        next(iter(warm_up.train_dataloader()))
    data = MimicEcg(path, num_workers=workers)
    base, steps = memory_mb(), {}

    def step(name: str, work: Callable[[], Any]) -> Any:
        start = time.perf_counter()
        result = work()
        steps[name] = {"seconds": time.perf_counter() - start}
        steps[name] |= {k: v - base[k] for k, v in memory_mb().items()}
        return result

    step("open", lambda: data.pool)
    step("split by patient", lambda: data.setup("fit"))
    batches = step("shuffle", lambda: iter(data.train_dataloader()))
    step("first batch", lambda: next(batches))
    step(f"{BATCHES} more batches", lambda: sum(len(next(batches).record) for _ in range(BATCHES)))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000 - base["resident"]
    return {"records": len(data.pool), "workers": workers, "steps": steps, "peak_mb": peak}


def measure_elsewhere(path: Path, workers: int) -> dict[str, Any]:
    """Measure in a new process."""
    command = [sys.executable, "-m", "benchmarks.full_size", "--measure", str(path), str(workers)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def as_markdown(results: dict[str, Any]) -> str:
    """Write a row for each size, number of workers and step."""
    lines = [
        "| records | workers | step | seconds | resident MB | private MB |",
        "|---|---|---|---|---|---|",
    ]
    for row in results["rows"]:
        for name, step in row["steps"].items():
            cells = f"{step['seconds']:.2f} | {step['resident']:.0f} | {step['private']:.0f}"
            lines.append(f"| {row['records']:,} | {row['workers']} | {name} | {cells} |")
    return "\n".join([*lines, "", f"private bytes a record: {results['bytes_per_record']:.0f}", ""])


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure every size and write JSON and Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, nargs="+", default=[16_000, 160_000, 800_000])
    parser.add_argument("--workers", type=int, nargs="+", default=[0, 2])
    parser.add_argument("--out", default="reports/full_size.json")
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.measure:
        print(json.dumps(measure(options.measure[0], int(options.measure[1]))))
        return
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for n in options.records:
            path = write_sparse_store(Path(folder) / f"{n}.h5", n_records=n)
            rows += [measure_elsewhere(path, workers) for workers in options.workers]
    alone = sorted((row for row in rows if not row["workers"]), key=lambda row: row["records"])
    memory = [row["steps"]["first batch"]["private"] for row in alone]
    growth = (memory[-1] - memory[0]) * 1e6 / max(alone[-1]["records"] - alone[0]["records"], 1)
    results = {"machine": describe_machine(), "bytes_per_record": growth, "rows": rows}
    write_results(Path(options.out), results, as_markdown(results))


if __name__ == "__main__":
    main()
