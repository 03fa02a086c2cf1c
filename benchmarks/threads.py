"""Time steps of pre-training from small to full size on one thread and on all.

`python -m benchmarks.threads`: forward, loss, backward and AdamW of LS-EMVAE on drawn signals of 12
leads, and the encoding of a batch; then steps of heads side by side. Threads wait as the commands
let them. Sizes take turns between one thread and all cores; a time is the median of some steps, the
lower of two turns.
"""

import argparse
import os
import statistics
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from benchmarks.machine import describe_machine, write_results
from benchmarks.quiet import counted, timed, wait_for_quiet
from benchmarks.step_cost import Sizes, count_step
from lsemvae.core.leads import LEADS
from lsemvae.heads.stacked import Batch, StackedHeads, step
from lsemvae.models import LsEmvae
from lsemvae.runtime.cpu_matmul import faster_float32_products
from lsemvae.runtime.malloc import keep_freed_memory
from lsemvae.runtime.threads import WAIT_VARIABLE
from lsemvae.tasks.classify import FocalSettings
from lsemvae.tasks.head_task import HeadSettings
from lsemvae.tasks.optimiser import adamw

SIZES = (
    Sizes(32, 120, 4), Sizes(32, 300, 32), Sizes(64, 300, 64), Sizes(128, 300, 64),
    Sizes(32, 1000, 64), Sizes(16, 2500, 128), Sizes(8, 5000, 256),
)  # fmt: skip
"""From the tests' network over that of the demo and of median beats to the paper's."""

HEADS = ((10, 384), (10, 768), (10, 6144), (100, 768), (100, 6144))
"""Number of heads and of features: folds and inner parts, and those of ten seeds."""

HEADS_BATCH = 32
TURNS, WARM_UP = 2, 2


def step_and_encoding(sizes: Sizes) -> tuple[Callable[[], Any], Callable[[], Any]]:
    """Return one training step and the encoding of its batch, both as functions."""
    torch.manual_seed(0)
    network = LsEmvae(sizes.samples, sizes.latent)
    optimiser = adamw(network.parameters(), 1e-4, 0.01)
    ecg = torch.randn(sizes.batch, len(LEADS), sizes.samples)
    present = torch.ones(sizes.batch, len(LEADS), dtype=torch.bool)

    def step() -> None:
        optimiser.zero_grad()
        torch.autograd.backward(network.loss(ecg, LEADS, beta=1.0).total)
        optimiser.step()

    @torch.inference_mode()
    def encode() -> None:
        network.encode(ecg, LEADS, present)

    return step, encode


def heads_step(n_heads: int, n_features: int) -> Callable[[], Any]:
    """Return one step of heads side by side, as a function."""
    torch.manual_seed(0)
    shape = HeadSettings()
    heads = StackedHeads.of([shape.build(n_features, 1)] * n_heads)
    optimiser = adamw(heads, 1e-4, 0.01)  # type: ignore[arg-type]
    batch = Batch(
        torch.randn(n_heads, HEADS_BATCH, n_features),
        torch.randint(0, 2, (n_heads, HEADS_BATCH)).float(),
        torch.full((n_heads, HEADS_BATCH), 1 / HEADS_BATCH),
        torch.ones(n_heads, HEADS_BATCH, shape.hidden),
    )
    return lambda: step(heads, optimiser, batch, FocalSettings())


def in_turns(
    functions: Sequence[Callable[[], Any]], threads: int, steps: int, patience_s: float
) -> list[tuple[float, float]]:
    """Return the seconds of each function on one thread and on all."""
    found: dict[tuple[int, int], list[float]] = {}
    for _ in range(TURNS):
        for number in (1, threads):
            torch.set_num_threads(number)
            wait_for_quiet(patience_s)
            for which, function in enumerate(functions):
                for _ in range(WARM_UP):
                    function()
                seconds, _ = counted([timed(function) for _ in range(steps)])
                found.setdefault((which, number), []).append(statistics.median(seconds))
    best = {key: min(turns) for key, turns in found.items()}
    return [(best[which, 1], best[which, threads]) for which in range(len(functions))]


def measure(sizes: Sizes, threads: int, steps: int, patience_s: float) -> dict[str, Any]:
    """Return a row: what a step computes, and its seconds and the encoding's by thread count."""
    step_s, encode_s = in_turns(step_and_encoding(sizes), threads, steps, patience_s)
    return {
        **sizes._asdict(), "gflop": count_step(sizes, "multichannel").flops / 1e9,
        "step_1": step_s[0], "step_all": step_s[1],
        "encode_1": encode_s[0], "encode_all": encode_s[1],
    }  # fmt: skip


def measure_heads(
    n_heads: int, n_features: int, threads: int, steps: int, patience_s: float
) -> dict[str, Any]:
    """Return a row: the seconds of a step of heads side by side by thread count."""
    ((one, many),) = in_turns([heads_step(n_heads, n_features)], threads, steps, patience_s)
    return {"heads": n_heads, "features": n_features, "step_1": one, "step_all": many}


def markdown(rows: Sequence[dict[str, Any]], heads: Sequence[dict[str, Any]], threads: int) -> str:
    """Return the tables of docs/performance.md."""
    lines = [
        f"| samples, D, batch | GFLOP a step | step (ms): 1 thread, {threads} | ratio | encoding "
        f"(ms): 1 thread, {threads} | ratio |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows:
        cells = [f"{row['samples']}, {row['latent']}, {row['batch']}", f"{row['gflop']:.1f}"]
        for part in ("step", "encode"):
            cells += _times(row[f"{part}_1"], row[f"{part}_all"], digits=0)
        lines.append(f"| {' | '.join(cells)} |")
    lines += ["", f"| heads, features | step (ms): 1 thread, {threads} | ratio |", "|---|---|---|"]
    for row in heads:
        cells = [f"{row['heads']}, {row['features']}"]
        cells += _times(row["step_1"], row["step_all"], digits=1)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join([*lines, ""])


def _times(one: float, many: float, *, digits: int) -> list[str]:
    return [f"{1000 * one:.{digits}f}, {1000 * many:.{digits}f}", f"{many / one:.2f}"]


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print a table and write it as JSON and Markdown."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--sizes", type=int, default=len(SIZES), help="how many, smallest first")
    parser.add_argument("--steps", type=int, default=5, help="timed steps of a turn")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument(
        "--patience", type=float, default=5.0, help="seconds to wait for quiet before a turn"
    )
    parser.add_argument("--out", type=Path, default=Path("reports/threads.json"), help="JSON file")
    parser.add_argument("--page", type=Path, help="Markdown file whose marked part is replaced")
    options = parser.parse_args(arguments)
    keep_freed_memory()
    faster_float32_products()
    how = (options.threads, options.steps, options.patience)
    rows = [measure(sizes, *how) for sizes in SIZES[: options.sizes]]
    heads = [measure_heads(*sizes, *how) for sizes in HEADS[: options.sizes]]
    results = {
        "machine": describe_machine(), "threads": options.threads, "rows": rows, "heads": heads,
    }  # fmt: skip
    write_results(
        options.out, results, markdown(rows, heads, options.threads), page=options.page,
        program="benchmarks.threads",
    )  # fmt: skip


if __name__ == "__main__":
    if WAIT_VARIABLE not in os.environ:  # read when torch is loaded, so once more from the start
        os.environ[WAIT_VARIABLE] = "PASSIVE"
        os.execv(sys.executable, [sys.executable, "-m", "benchmarks.threads", *sys.argv[1:]])
    main()
