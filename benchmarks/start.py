"""Measure the CPU seconds of `lightning fit` before its first training step.

Run `python -m benchmarks.start`: each run is a process of its own that imports, reads its settings,
opens a store of drawn recordings and stops the clock of the processors where the first batch
reaches the loss. A first run, which is not counted, compiles what has no bytecode yet.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.busy import own_environment
from benchmarks.machine import describe_machine, write_results
from data_modules.conversion.prepare import prepare_mimic
from data_modules.signals.settings import SignalSettings
from data_modules.simulation.files import write_mimic
from lsemvae.core.experiments import experiment

SAID = "before the first step: "
PROGRAM = f"""
import os, sys
from lsemvae import cli
from lsemvae.tasks import Pretrainer
step = Pretrainer.training_step
def training_step(self, batch, batch_idx):
    if self.global_step == 0:
        used = os.times()
        print("{SAID}", used.user + used.system, flush=True)
    return step(self, batch, batch_idx)
Pretrainer.training_step = training_step
sys.argv = ["lsemvae", "fit", *sys.argv[1:]]
sys.exit(cli.main())
"""
N_PATIENTS = 8
LIMIT_S = 5.0


def cpu_seconds(store: Path, out: Path) -> float:
    """Return what one process used until its first step.

    Raises:
        RuntimeError: it had no first step.
    """
    arguments = [
        "--config", str(experiment("demo/pretrain.yaml")), "--data.init_args.store", str(store),
        "--data.init_args.batch_size", "2", "--trainer.max_steps", "1",
        "--trainer.default_root_dir", str(out), "--trainer.logger.init_args.save_dir", str(out),
    ]  # fmt: skip
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments],
        env=own_environment({}), cwd=out.parent, capture_output=True, text=True, check=False,
    )  # fmt: skip
    told = [line for line in ended.stdout.splitlines() if line.startswith(SAID)]
    if not told:
        raise RuntimeError(f"no first step: {ended.stderr[-2000:]}")
    return float(told[0].removeprefix(SAID))


def measure(runs: int, folder: Path) -> list[float]:
    """Return the CPU seconds of some runs, after one that is not counted."""
    store = folder / "store.h5"
    write_mimic(folder / "mimic", n_patients=N_PATIENTS, seed=1)
    prepare_mimic(
        str(folder / "mimic"), str(store), label="synthetic ECGs",
        signal=SignalSettings(sampling_rate_hz=250.0, segment="median_beat"),
    )  # fmt: skip
    return [cpu_seconds(store, folder / f"run_{number}") for number in range(runs + 1)][1:]


def markdown(results: dict[str, Any]) -> str:
    """Return the part of docs/performance.md."""
    seconds = results["cpu_s"]
    middle = statistics.median(seconds)
    return (
        f"{len(seconds)} runs: median {middle:.2f} s of CPU before the first step, "
        f"{min(seconds):.2f} to {max(seconds):.2f}; limit {LIMIT_S:g} s, "
        f"{'met' if middle < LIMIT_S else 'missed'}.\n"
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print and write the figures as JSON and Markdown."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--out", type=Path, default=Path("reports/start.json"))
    parser.add_argument("--page", type=Path, help="Markdown file whose marked part is replaced")
    options = parser.parse_args(arguments)
    machine = describe_machine()
    with tempfile.TemporaryDirectory() as folder:
        results = {"machine": machine, "cpu_s": measure(options.runs, Path(folder))}
    made = markdown(results)
    write_results(options.out, results, made, page=options.page, program="benchmarks.start")


if __name__ == "__main__":
    main()
