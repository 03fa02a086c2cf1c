"""Send the page of a model many files from many clients at once: nothing may be lost or mixed up.

Run `python -m benchmarks.serving`. The server is a process of its own with a graph of a network
that has learnt nothing; what each client's list says is compared with `lsemvae predict` on the
same files. Fails where a recording is missing, is another client's, or has another probability.
"""

import argparse
import csv
import io
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import httpx2
import numpy as np

from benchmarks.machine import describe_machine, write_results
from benchmarks.recording_files import EIGHT, make_counts, muse_files
from benchmarks.without_torch import make_graph
from lsemvae.cli import main as lsemvae

BATCH = 20  # files of one request, as the page's script sends them
TOLERANCE = 1e-5


class Visit(NamedTuple):
    """What a client saw: probabilities by recording, and how long each request took."""

    found: dict[str, float]
    seconds: list[float]


def make_files(folder: Path, n_clients: int, n_files: int) -> None:
    """Write GE MUSE files of ten seconds and 500 Hz, no two the same: `c3/c3_17.xml`."""
    draw = np.random.default_rng(0)
    for client in range(n_clients):
        (folder / f"c{client}").mkdir()
        for number in range(n_files):
            counts = make_counts(EIGHT, n_samples=5000, rate=500)
            counts = np.rint(counts * draw.uniform(0.4, 2.0)).astype(np.int16)
            counts += draw.integers(-3, 4, size=counts.shape, dtype=np.int16)
            file = folder / f"c{client}" / f"c{client}_{number}.xml"
            file.write_bytes(muse_files(counts, rate=500)["r1.xml"])


@contextmanager
def server(model: Path) -> Iterator[tuple[str, int]]:
    """Run `lsemvae serve` and yield its address and process id."""
    command = [sys.executable, "-m", "lsemvae", "serve", str(model), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            lines = iter(process.stdout or ())
            line = next((one for one in lines if one.startswith("open ")), "")
            if not line:
                sys.exit("error: the server did not start")
            yield line.split()[1].rstrip("/"), process.pid
        finally:
            process.terminate()


def visit(home: str, files: Sequence[Path]) -> Visit:
    """Send files as the page's script does and read the list."""
    seconds = []
    with httpx2.Client(base_url=home, headers={"origin": home}, timeout=600) as client:
        for start in range(0, len(files), BATCH):
            sent = [("files", (one.name, one.read_bytes())) for one in files[start : start + BATCH]]
            begin = time.perf_counter()
            client.post("/recordings", files=sent).raise_for_status()
            seconds.append(time.perf_counter() - begin)
        rows = list(csv.DictReader(io.StringIO(client.get("/worklist.csv").text)))
    return Visit({row["recording"]: float(row["probability"]) for row in rows}, seconds)


def predicted(model: Path, folder: Path) -> dict[str, float]:
    """Return what `lsemvae predict` says of the same files."""
    out = folder / "predictions.csv"
    if lsemvae(["predict", str(model), *map(str, folder.glob("c*/")), "--out", str(out)]):
        sys.exit("error: lsemvae predict failed")
    with out.open(newline="") as file:
        rows = list(csv.DictReader(file))
    return {Path(row["recording"]).name: float(row["probability"]) for row in rows}


def peak_mb(process: int) -> float:
    """Return the largest memory that a process has had."""
    text = Path(f"/proc/{process}/status").read_text()
    return int(text.partition("VmHWM:")[2].split()[0]) / 1024


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve, send, compare, print and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--files", type=int, default=200, help="of each client")
    parser.add_argument("--out", type=Path, default=Path("reports/serving.json"))
    parser.add_argument("--page", type=Path, help="Markdown file whose marked part is replaced")
    options = parser.parse_args(arguments)
    machine = describe_machine()
    with tempfile.TemporaryDirectory() as name:
        folder, model = Path(name), Path(name) / "model.onnx"
        make_graph(model)
        make_files(folder, options.clients, options.files)
        sent = [sorted((folder / f"c{k}").iterdir()) for k in range(options.clients)]
        with server(model) as (home, process), ThreadPoolExecutor(options.clients) as pool:
            begin = time.perf_counter()
            visits = list(pool.map(lambda files: visit(home, files), sent))
            seconds, memory = time.perf_counter() - begin, peak_mb(process)
        expected = predicted(model, folder)
    own = [{file.name for file in files} for files in sent]
    figures = {
        "lost": sum(len(names - set(one.found)) for names, one in zip(own, visits, strict=True)),
        "mixed": sum(len(set(one.found) - names) for names, one in zip(own, visits, strict=True)),
        "different": sum(
            abs(p - expected[name]) > TOLERANCE for one in visits for name, p in one.found.items()
        ),
        "recordings": len(expected),
        "seconds": seconds,
        "slowest_request_s": max(max(one.seconds) for one in visits),
        "median_request_s": float(np.median([s for one in visits for s in one.seconds])),
        "memory_mb": memory,
    }
    markdown = "\n".join([
        f"| {options.clients} clients, {options.files} files each | |",
        "|---|---|",
        f"| recordings lost, in another's list, with another probability than `predict` gives | "
        f"{figures['lost']}, {figures['mixed']}, {figures['different']} |",
        f"| recordings a second, all clients together | {len(expected) / seconds:.0f} |",
        f"| a request of {BATCH} files: median, slowest | {figures['median_request_s']:.1f} s, "
        f"{figures['slowest_request_s']:.1f} s |",
        f"| memory of the server at its peak, {len(expected):,} recordings in its lists | "
        f"{memory:.0f} MB |",
        "",
        f"GE MUSE XML of ten seconds at 500 Hz (SYNTHETIC), graph of an untrained small ResNet1d, "
        f"clients on the same {machine['cores']} cores; load of the machine before: "
        f"{machine['load_before']}.",
    ])  # fmt: skip
    write_results(options.out, {"machine": machine, **figures}, markdown + "\n",
                  page=options.page, program="benchmarks.serving")  # fmt: skip
    if figures["lost"] or figures["mixed"] or figures["different"]:
        sys.exit("error: the lists are not those of the files that were sent")


if __name__ == "__main__":
    main()
