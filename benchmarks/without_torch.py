"""Predict in an environment that lacks torch: `make without-torch`.

The graph and the recordings are made here, in the environment that has torch, unless they are
named; `--python` is the interpreter of the other one. Fails where torch, Lightning or W&B can be
imported there, or where the memory is above what is promised; times depend on the machine's load.
"""

import argparse
import csv
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.machine import describe_machine, write_results
from benchmarks.recording_files import make_counts, wfdb_files
from data_modules.signals.settings import SignalSettings
from lsemvae.core.leads import LEADS
from lsemvae.model_file.description import Description, OperatingPoint, Recalibration, Task

FOREIGN = ("torch", "lightning", "wandb", "pandas", "matplotlib")
MAX_MEMORY_MB = 400.0
START_S = 1.5
RUN = """
import json, sys, time
begin = time.perf_counter()
from lsemvae.cli import main
code = main(sys.argv[1:])
loaded = [name for name in %r if name in sys.modules]
# not of getrusage, whose peak is that of the process that started this one, too
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(json.dumps({"code": code, "loaded": loaded, "seconds": time.perf_counter() - begin,
    "memory_mb": int(peak.split()[1]) / 1024}))
"""


def make_graph(path: Path) -> None:
    """Write the graph of a small network that has learnt nothing."""
    import torch

    from lsemvae.deployment.export import export_onnx
    from lsemvae.deployment.locked_network import LockedNetwork, describe
    from lsemvae.deployment.model_file import LockedModel
    from lsemvae.model_file.trained_on import NOBODY
    from lsemvae.models.methods import find_method
    from lsemvae.tasks.head_task import HeadSettings

    torch.manual_seed(0)
    ecg_input = untrained(()).made_for.ecg_input
    network = find_method("resnet1d").build(ecg_input, LEADS, "small")
    description = untrained(describe([network]))
    head = network.own_head() or HeadSettings().build(network.feature_dim(LEADS))
    locked = LockedNetwork(description, [network], [head]).eval()
    export_onnx(LockedModel(locked, NOBODY, ""), path, leads=LEADS)


def untrained(networks: Sequence[dict[str, Any]]) -> Description:
    """Describe a model that has learnt nothing; its data would be synthetic."""
    return Description(
        kind="refit", method="resnet1d", networks=list(networks), frozen=False, n_members=1,
        task=Task("detection", "nothing: an untrained network", 20.0, None), leads=LEADS,
        trained_leads=LEADS, fewest_leads=1, unit="mV", normalisation="record",
        signal=asdict(SignalSettings(sampling_rate_hz=100.0)),
        recalibration=Recalibration(0.0, 1.0),
        points={"youden": OperatingPoint(0.5, 0.5, 0.5)}, point="youden", uncertainty="none",
        uncertainty_limit=None, withheld_share=0.0, hashes=False, label="none", synthetic=True,
        sources={}, versions={}, card="",
    )  # fmt: skip


def make_recordings(folder: Path, n: int) -> None:
    """Write recordings of ten seconds, twelve leads and 500 Hz, no two the same."""
    draw = np.random.default_rng(0)
    for number in range(n):
        counts = make_counts(n_samples=5000, rate=500)
        noisy = counts + draw.integers(-3, 4, size=counts.shape, dtype=np.int16)
        for name, content in wfdb_files(noisy, rate=500).items():
            named = content.replace(b"r1", b"r%d" % number) if name.endswith(".hea") else content
            (folder / name.replace("r1", f"r{number}")).write_bytes(named)


def predict(python: str, model: Path, recordings: Sequence[Path], out: Path) -> dict[str, Any]:
    """Predict in the other environment and return what was measured there.

    Raises:
        SystemExit: it could not.
    """
    arguments = [str(model), *map(str, recordings), "--out", str(out)]
    out.unlink(missing_ok=True)
    begin = time.perf_counter()
    done = subprocess.run(
        [python, "-c", RUN % (FOREIGN,), "predict", *arguments],
        capture_output=True, text=True, check=False, env=os.environ | {"OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    wall = time.perf_counter() - begin
    if done.returncode:
        sys.exit(f"error: {done.stderr.strip()[-500:]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    if found["code"] or found["loaded"]:
        sys.exit(f"error: exit code {found['code']}, imported {found['loaded']}: {done.stderr}")
    with out.open(newline="") as file:
        outcomes = [row["outcome"] for row in csv.DictReader(file)]
    return found | {"wall_s": wall, "n": len(outcomes), "results": outcomes.count("result")}


def import_cpu_s(python: str, package: str) -> float:
    """Return the CPU seconds, the least of three, that an interpreter takes for an import alone."""
    taken = []
    for code in (f"import {package}", "pass"):
        times = []
        for _ in range(3):
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            subprocess.run([python, "-c", code], check=True)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        taken.append(min(times))
    return taken[0] - taken[1]


def main(arguments: Sequence[str] | None = None) -> None:
    """Check what is absent, predict one recording and many, print and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--python", required=True, help="interpreter that has no torch")
    parser.add_argument("--model", type=Path, help="a graph of `lsemvae export`")
    parser.add_argument("--recordings", type=Path, nargs="+", help="files, the first one small")
    parser.add_argument("--n", type=int, default=100, help="recordings made where none are named")
    parser.add_argument("--out", type=Path, default=Path("reports/without_torch.json"))
    parser.add_argument("--page", type=Path, help="Markdown file whose marked part is replaced")
    options = parser.parse_args(arguments)
    for name in ("torch", "lightning", "wandb"):
        command = [options.python, "-c", f"import {name}"]
        if not subprocess.run(command, capture_output=True, check=False).returncode:
            sys.exit(f"error: {options.python} can import {name}")
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        model = options.model or place / "model.onnx"
        if options.model is None:
            make_graph(model)
        recordings = options.recordings
        if recordings is None:
            make_recordings(place, options.n)
            recordings = sorted(place.glob("*.hea"))
        predict(options.python, model, recordings[:1], place / "one.csv")  # files into memory
        one = predict(options.python, model, recordings[:1], place / "one.csv")
        many = predict(options.python, model, recordings, place / "many.csv")
    signal_s = import_cpu_s(options.python, "scipy.signal")
    each_ms = 1000 * (many["seconds"] - one["seconds"]) / (many["n"] - one["n"])
    lines = [
        "| without torch, one thread | measured | wanted |",
        "|---|---|---|",
        f"| start and the first recording | {one['wall_s']:.2f} s | {START_S} s |",
        f"| of it the import of scipy.signal, CPU | {signal_s:.2f} s | |",
        f"| each further recording | {each_ms:.0f} ms | 50 ms |",
        f"| memory at its peak | {many['memory_mb']:.0f} MB | {MAX_MEMORY_MB:.0f} MB |",
        "",
        f"{many['n']} recordings, {many['results']} results; graph of "
        f"{'an untrained small ResNet1d' if options.model is None else model.name}; load of the "
        f"machine before: {os.getloadavg()[0]:.1f}.",
    ]
    results = {
        "machine": describe_machine(),
        "one": one,
        "many": many,
        "each_ms": each_ms,
        "scipy_signal_cpu_s": signal_s,
    }
    write_results(options.out, results, "\n".join(lines) + "\n", page=options.page,
                  program="benchmarks.without_torch")  # fmt: skip
    if many["memory_mb"] > MAX_MEMORY_MB:
        sys.exit(f"error: {many['memory_mb']:.0f} MB are above {MAX_MEMORY_MB:.0f} MB")


if __name__ == "__main__":
    main()
