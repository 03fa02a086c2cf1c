"""Compute what bounds pre-training on GPUs: `python -m benchmarks.roofline`; nothing is measured.

FLOPs, parameters and kept activations are counted from the real network (`benchmarks.step_cost`);
peaks are those of the vendor's data sheets. A step's time is

  passes      max(FLOPs / matrix units, (weights + activations) / memory bandwidth)
  optimiser   28 bytes per parameter / memory bandwidth
  all-reduce  2 (n - 1) / n times the float32 gradients / link bandwidth, a ring over n GPUs

and their sum: nothing overlaps. DDP could hide little of the all-reduce, since the linear layers of
all leads are one parameter, whose gradient is ready before the convolutions' alone.
"""

import argparse
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from benchmarks.pages import update
from benchmarks.step_cost import ADAMW_BYTES, PRODUCT_BYTES, Sizes, StepCost, count_step
from lsemvae.core.leads import LEADS

BATCHES = (8, 32, 128)
SAMPLES, LATENT = 5000, 256
RECORDS, TRAINING_SHARE, EPOCHS = 800_035, 0.9, 100  # MIMIC-IV-ECG; paper section 3
RECORD_BYTES = len(LEADS) * SAMPLES * 2  # int16
NETWORK_GB_S = 25.0  # 200 Gb/s per GPU
REACHED = 0.5  # of every peak: an assumption, for the times that a person plans with

MIXED_PRODUCT_BYTES = 18
"""Per parameter in bf16-mixed: cast 4 + 2, read 2 + 2, gradient written 2, cast back 2 + 4."""

ACTIVATION_PASSES = 5
"""An activation is written, read forward and backward; its gradient is written and read."""


class Gpu(NamedTuple):
    """Peaks of a data sheet: dense matrix products, memory, NVLink in one direction."""

    name: str
    tf32_tflops: float
    bf16_tflops: float
    memory_gb: int
    memory_gb_s: float
    nvlink_gb_s: float
    source: str


A100_SHEET = "NVIDIA A100 Tensor Core GPU datasheet"
H100_SHEET = "NVIDIA H100 Tensor Core GPU datasheet; figures with sparsity halved"
H200_SHEET = "NVIDIA H200 Tensor Core GPU datasheet; figures with sparsity halved"
GPUS = (
    Gpu("A100 40 GB SXM", 156.0, 312.0, 40, 1555.0, 300.0, A100_SHEET),
    Gpu("A100 80 GB SXM", 156.0, 312.0, 80, 2039.0, 300.0, A100_SHEET),
    Gpu("H100 80 GB SXM", 494.5, 989.5, 80, 3350.0, 450.0, H100_SHEET),
    Gpu("H200 141 GB SXM", 494.5, 989.5, 141, 4800.0, 450.0, H200_SHEET),
)


class StepTime(NamedTuple):
    """Seconds of one step's parts at the peaks."""

    matrix: float
    memory: float
    optimiser: float
    all_reduce: float

    @property
    def total(self) -> float:
        """Return the step's seconds when nothing overlaps."""
        return max(self.matrix, self.memory) + self.optimiser + self.all_reduce

    @property
    def bound(self) -> str:
        """Name the longest part."""
        parts = self._asdict()
        return max(parts, key=lambda name: parts[name]).replace("_", "-")


@cache
def cost(batch: int, *, mixed: bool) -> StepCost:
    """Count a step of the default network."""
    return count_step(Sizes(batch, SAMPLES, LATENT), "multichannel", mixed=mixed)


def step_time(gpu: Gpu, batch: int, *, mixed: bool, n_gpus: int = 1) -> StepTime:
    """Return the parts of a step of `batch` recordings on each of `n_gpus`."""
    counted, memory = cost(batch, mixed=mixed), gpu.memory_gb_s * 1e9
    tflops = gpu.bf16_tflops if mixed else gpu.tf32_tflops
    product_bytes = MIXED_PRODUCT_BYTES if mixed else PRODUCT_BYTES
    cast = 2 * counted.parameters if mixed else 0  # kept as well, and no activation
    traffic = counted.parameters * product_bytes
    traffic += (counted.activation_bytes - cast) * ACTIVATION_PASSES
    link = (gpu.nvlink_gb_s if n_gpus <= 8 else NETWORK_GB_S) * 1e9
    exchanged = 2 * (n_gpus - 1) / n_gpus * 4 * counted.parameters
    return StepTime(
        counted.flops / (tflops * 1e12),
        traffic / memory,
        counted.parameters * ADAMW_BYTES / memory,
        exchanged / link,
    )


def days(seconds_per_step: float, batch: int, n_gpus: int) -> float:
    """Return the days of all epochs' training steps."""
    steps = -(-int(RECORDS * TRAINING_SHARE) // (batch * n_gpus)) * EPOCHS
    return steps * seconds_per_step / 86_400


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [f"| {' | '.join(columns)} |", f"|{'---|' * len(columns)}"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])


def settings() -> Iterable[tuple[int, bool]]:
    """Yield batch and precision in the order of the tables."""
    yield from ((batch, mixed) for mixed in (False, True) for batch in BATCHES)


def precision(mixed: bool) -> str:
    """Name a precision."""
    return "bf16-mixed" if mixed else "TF32"


def counts_table() -> str:
    """Return what a step computes, keeps and moves."""
    rows = []
    for batch, mixed in settings():
        counted = cost(batch, mixed=mixed)
        product_bytes = MIXED_PRODUCT_BYTES if mixed else PRODUCT_BYTES
        rows.append([
            precision(mixed), str(batch), f"{counted.forward_flops / 1e9:.0f}",
            f"{counted.backward_flops / 1e9:.0f}", f"{counted.activation_bytes / 1e9:.2f}",
            f"{counted.parameters * product_bytes / 1e9:.1f}",
            f"{counted.parameters * ADAMW_BYTES / 1e9:.1f}",
            f"{(16 * counted.parameters + counted.activation_bytes) / 1e9:.1f}",
        ])  # fmt: skip
    columns = ("precision", "batch", "GFLOP forward", "GFLOP backward", "kept activations (GB)",
               "weights and gradients, traffic (GB)", "AdamW, traffic (GB)",
               "state + activations (GB)")  # fmt: skip
    return table(columns, rows)


def step_table(gpu: Gpu) -> str:
    """Return the parts of a step on one GPU, and what 8 and 64 add."""
    rows = []
    for batch, mixed in settings():
        one, eight, many = (
            step_time(gpu, batch, mixed=mixed, n_gpus=n_gpus) for n_gpus in (1, 8, 64)
        )
        parts = (one.matrix, one.memory, one.optimiser, one.total, eight.all_reduce,
                 many.all_reduce)  # fmt: skip
        bounds = (each.bound for each in (one, eight, many))
        rows.append([precision(mixed), str(batch), *(f"{1000 * s:.1f}" for s in parts), *bounds])
    columns = ("precision", "batch", "passes: matrix units", "passes: memory", "optimiser",
               "step, one GPU", "all-reduce of 8, NVLink", "all-reduce of 64, network",
               "longest on 1", "on 8", "on 64")  # fmt: skip
    return table(columns, rows)


def run_table(gpu: Gpu) -> str:
    """Return what 1, 8 and 64 GPUs ask of the loader, and how long a pre-training takes."""
    rows = []
    for batch, mixed in settings():
        for n_gpus in (1, 8, 64):
            seconds = step_time(gpu, batch, mixed=mixed, n_gpus=n_gpus).total
            rate = batch * n_gpus / seconds
            least = days(seconds, batch, n_gpus)
            rows.append([
                precision(mixed), str(batch), str(n_gpus), f"{rate:,.0f}",
                f"{rate * RECORD_BYTES / 1e9:.2f}", _duration(least), _duration(least / REACHED),
            ])  # fmt: skip
    columns = ("precision", "batch per GPU", "GPUs", "records/s", "int16 read (GB/s)",
               f"{EPOCHS} epochs at the peaks", f"at {REACHED:.0%} of them (assumed)")  # fmt: skip
    return table(columns, rows)


def _duration(n_days: float) -> str:
    return f"{n_days:.1f} days" if n_days >= 2 else f"{24 * n_days:.1f} h"


def gpu_table() -> str:
    """Return the peaks that everything rests on."""
    rows = [
        [g.name, f"{g.tf32_tflops:g}", f"{g.bf16_tflops:g}", f"{g.memory_gb_s:g}",
         f"{g.nvlink_gb_s:g}", g.source] for g in GPUS
    ]  # fmt: skip
    columns = ("GPU", "TF32 (TFLOP/s, dense)", "bf16 (TFLOP/s, dense)", "memory (GB/s)",
               "NVLink, one direction (GB/s)", "source")  # fmt: skip
    return table(columns, rows)


def tables() -> str:
    """Return all tables, each under a heading that says what it is."""
    parts = [
        "## Peaks (data sheets)", gpu_table(),
        "## One step, counted from the shapes", counts_table(),
    ]  # fmt: skip
    for gpu in GPUS:
        parts += [f"## A step on {gpu.name}, ms (computed)", step_table(gpu)]
    for gpu in GPUS:
        parts += [f"## Loader and duration on {gpu.name} (computed)", run_table(gpu)]
    storage = (
        f"{RECORDS:,} recordings x {RECORD_BYTES:,} bytes = {RECORDS * RECORD_BYTES / 1e9:.1f} GB "
        "of int16, uncompressed."
    )
    return "\n\n".join([*parts, "## Storage (computed)", storage])


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the tables, or put them into a page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--page", type=Path, help="Markdown file whose marked part is replaced")
    options = parser.parse_args(arguments)
    made = tables()
    if options.page:
        update(options.page, "benchmarks.roofline", made)
    print(made)


if __name__ == "__main__":
    main()
