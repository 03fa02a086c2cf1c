"""Measure what every method of Table 2 costs on a CPU, at its publication's size: `make zoo`.

One training step is forward, loss, backward and AdamW on a batch; a pre-trained method takes the
step of its pre-training, the others that of their classifier. One inference is the encoding of one
recording. Each method runs in a process of its own, so that peak memory is its own. Parameters are
those of pre-training where there is one; else those of the classifier with two outputs where the
head is the method's own, and without the head where it is the paper's.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from lsemvae.core.leads import LEADS, LIMB_LEADS
from lsemvae.core.types import EcgInput
from lsemvae.losses import focal_loss
from lsemvae.models import EcgNetwork, PretrainableNetwork
from lsemvae.models.methods import TABLE_2, Method
from lsemvae.runtime.malloc import keep_freed_memory
from lsemvae.tasks import HeadSettings
from lsemvae.tasks.optimiser import adamw

WARM_UP = 2
WHOLE = EcgInput(500.0, 5000, (0.5, 40.0), "record")
ST_MEM = EcgInput(250.0, 2250, (0.67, 40.0), "record")


def input_of(name: str) -> EcgInput:
    """Return the recordings that the publication takes."""
    return ST_MEM if name == "st_mem" else WHOLE


def n_parameters(method: Method, ecg_input: EcgInput, leads: Sequence[str]) -> int | None:
    """Count what a network for these leads holds, None where there is none."""
    if not method.takes(leads):
        return None
    with torch.device("meta"):
        network = method.build(ecg_input, leads)
        head = None if method.pretrained else network.own_head(2)
        parts = nn.ModuleList([network, head or nn.Identity()])
    return sum(parameter.numel() for parameter in parts.parameters())


def training_step(network: EcgNetwork, ecg: torch.Tensor) -> Callable[[], None]:
    """Return one training step as a function."""
    parts = nn.ModuleList([network])
    if not isinstance(network, PretrainableNetwork):
        head = network.own_head() or HeadSettings().build(network.feature_dim(LEADS))
        parts.append(head)
    optimiser = adamw(parts.parameters(), 1e-4, 0.01)
    label = torch.arange(len(ecg)).remainder(2).float()

    def step() -> None:
        optimiser.zero_grad()
        if isinstance(network, PretrainableNetwork):
            loss = network.loss(ecg, LEADS, beta=1.0).total
        else:
            loss = focal_loss(head(network.encode(ecg, LEADS)).squeeze(-1), label, 0.25, 2.0)
        loss.backward()
        optimiser.step()

    return step


def measure_here(name: str, batch: int, repeats: int) -> dict[str, Any]:
    """Time one method in this process."""
    keep_freed_memory()
    torch.manual_seed(0)
    method, ecg_input = TABLE_2[name], input_of(name)
    network = method.build(ecg_input, LEADS)
    ecg = torch.randn(batch, len(LEADS), ecg_input.n_samples)
    network.eval()
    with torch.inference_mode():
        inference = median_seconds(lambda: network.encode(ecg[:1], LEADS), repeats)
    network.train()
    step = median_seconds(training_step(network, ecg), repeats)
    return {
        "method": name,
        "title": method.title,
        "sampling_rate_hz": ecg_input.sampling_rate_hz,
        "n_samples": ecg_input.n_samples,
        "parameters_12_leads": n_parameters(method, ecg_input, LEADS),
        "parameters_6_leads": n_parameters(method, ecg_input, LIMB_LEADS),
        "batch": batch,
        "step_s": step,
        "inference_s": inference,
        "peak_rss_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9,
    }


def median_seconds(function: Callable[[], Any], repeats: int) -> float:
    """Return the median time of a call after `WARM_UP` calls."""
    seconds = []
    for _ in range(WARM_UP + repeats):
        start = time.perf_counter()
        function()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds[WARM_UP:])


def markdown(rows: list[dict[str, Any]]) -> str:
    """Return the table of docs/models.md."""
    lines = [
        "| method | input | parameters 12 leads | 6 leads | training step (s) | peak memory (GB) | "
        "one recording (ms) |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        counts = [row["parameters_12_leads"], row["parameters_6_leads"]]
        cells = [
            row["title"],
            f"12 x {row['n_samples']} at {row['sampling_rate_hz']:g} Hz",
            *(f"{count:,}" if count else "-" for count in counts),
            f"{row['step_s']:.2f}",
            f"{row['peak_rss_gb']:.1f}",
            f"{1000 * row['inference_s']:.0f}",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure every method, print a table and write it as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--methods", nargs="+", default=list(TABLE_2), choices=list(TABLE_2))
    parser.add_argument("--batch", type=int, default=8, help="recordings of a training step")
    parser.add_argument("--repeats", type=int, default=5, help="timed calls")
    parser.add_argument("--threads", type=int, default=2, help="CPU threads")
    parser.add_argument("--out", type=Path, default=Path("reports/zoo.json"), help="JSON file")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    torch.set_num_threads(options.threads)
    if options.here:
        print(json.dumps(measure_here(options.methods[0], options.batch, options.repeats)))
        return
    rows = []
    for name in options.methods:
        command = [sys.executable, "-m", "benchmarks.zoo", "--here", "--methods", name, "--batch",
                   str(options.batch), "--repeats", str(options.repeats), "--threads",
                   str(options.threads)]  # fmt: skip
        found = subprocess.run(command, capture_output=True, text=True, check=True)
        rows.append(json.loads(found.stdout.splitlines()[-1]))
    print(markdown(rows))
    options.out.parent.mkdir(parents=True, exist_ok=True)
    settings = {"threads": options.threads, "torch": torch.__version__}
    options.out.write_text(json.dumps({"settings": settings, "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
