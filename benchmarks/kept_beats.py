"""Time a step of the recommended pre-training with and without kept beats.

`python -m benchmarks.kept_beats`: loss, backward and AdamW on drawn recordings of 12 leads, 10 s at
100 Hz, 12 beats each. Both ways must give the same loss. Times are the fastest of some steps.
"""

import argparse
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from benchmarks.hardware import fastest
from benchmarks.machine import describe_machine, write_results
from lsemvae.core.leads import LEADS
from lsemvae.models import BeatLsEmvae
from lsemvae.nn.kept_beats import KeptBeats
from lsemvae.runtime.cpu_matmul import faster_float32_products
from lsemvae.runtime.malloc import keep_freed_memory
from lsemvae.tasks.optimiser import adamw

N_SAMPLES, RR = 1000, 80  # 10 s at 100 Hz; samples between beats


def draw(batch: int) -> Tensor:
    """Draw recordings (B, 12, T): a narrow wave every .8 s, another height in each lead, noise."""
    torch.manual_seed(0)
    time, start = torch.arange(N_SAMPLES), torch.randint(RR, (batch, 1))
    phase = (time - start) % RR - RR // 2
    waves = torch.exp(-0.5 * (phase / 1.5).square()).unsqueeze(1) * torch.randn(1, len(LEADS), 1)
    return waves + 0.05 * torch.randn(batch, len(LEADS), N_SAMPLES)


def step_of(network: BeatLsEmvae, ecg: Tensor) -> Callable[[], float]:
    """Return one training step, which returns its loss; every call draws the same noise."""
    optimiser = adamw(network.parameters(), 1e-3, 0.01)

    def step() -> float:
        torch.manual_seed(1)
        optimiser.zero_grad()
        loss = network.loss(ecg, LEADS, beta=1.0).total
        torch.autograd.backward(loss)
        optimiser.step()
        return loss.item()

    return step


def measure(batch: int, repeats: int) -> list[dict[str, Any]]:
    """Time both ways.

    Raises:
        ValueError: they gave different losses.
    """
    ecg, rows, losses = draw(batch), [], []
    for name, limit in (("found in every step", 0), ("kept", 2**30)):
        torch.manual_seed(0)
        network = BeatLsEmvae(N_SAMPLES)
        network.kept_beats = KeptBeats(network.window, limit)
        step = step_of(network, ecg)
        losses.append([step(), step()])
        rows.append({"beats": name, "step_s": fastest(step, repeats)})
    if losses[0] != losses[1] or not all(map(math.isfinite, losses[0])):
        raise ValueError(f"losses with and without kept beats: {losses}")
    return rows


def markdown(results: dict[str, Any]) -> str:
    """Return the table of docs/performance.md."""
    rows = (
        f"| {row['beats']} | {1000 * row['step_s']:.0f} | {1 / row['step_s']:.2f} |"
        for row in results["rows"]
    )
    lines = [
        f"Batch {results['batch']}, {results['threads']} threads, drawn recordings (synthetic).",
        "",
        "| beats | step (ms) | steps per second |",
        "|---|---|---|",
        *rows,
    ]
    return "\n".join([*lines, ""])


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print a table and write it as JSON and Markdown."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--repeats", type=int, default=10)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path("reports/kept_beats.json"))
    parser.add_argument("--page", type=Path, help="Markdown file whose marked part is replaced")
    options = parser.parse_args(arguments)
    torch.set_num_threads(options.threads)
    keep_freed_memory()
    faster_float32_products()
    results = {
        "machine": describe_machine(), "threads": options.threads, "batch": options.batch,
        "rows": measure(options.batch, options.repeats),
    }  # fmt: skip
    write_results(
        options.out, results, markdown(results), page=options.page,
        program="benchmarks.kept_beats",
    )  # fmt: skip


if __name__ == "__main__":
    main()
