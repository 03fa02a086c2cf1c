"""Time one LS-EMVAE training step against the plain form of the published code: `make bench`.

Variants, each one step = forward, loss, backward, AdamW:
  plain         one module per lead in a Python loop, the same code decoded once per lead, AdamW
                without fusing
  plain kept    the same, with `lsemvae.memory.keep_freed_memory`
  ours          LsEmvae as `lightning fit` trains it on a CPU, with the published decoder: it starts
                from the weights of `plain` and must give the same loss
  multichannel  the same with the default decoder
Every measurement runs in a process of its own, in turn, so that slow phases of a shared machine hit
all variants and only one optimiser state is held at a time.
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
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from lsemvae.leads import LEADS
from lsemvae.losses import gaussian_kl
from lsemvae.memory import keep_freed_memory
from lsemvae.models import Fusion, LsEmvae
from lsemvae.nn.decoders import DecoderKind
from lsemvae.nn.experts import bound_logvar
from lsemvae.tasks.optimiser import adamw
from tests.nn.plain_reference import PlainDecoder, PlainEncoders, copy_decoder, copy_encoders

LOSS_TOLERANCE = 1e-4
"""Relative difference of two losses that float32 sums in another order may show."""


WARM_UP = 3
"""Steps before the clock counts: the process has its memory and the optimiser its state."""


class Sizes(NamedTuple):
    """Batch, signal length T and latent size D."""

    batch: int
    samples: int
    latent: int


class Variant(NamedTuple):
    """A loss of a batch and the optimiser that follows it."""

    loss: Callable[[Tensor], Tensor]
    optimiser: torch.optim.Optimizer


def build_ours(sizes: Sizes, decoder: DecoderKind) -> Variant:
    """Build LS-EMVAE with a uniform gate and its fused optimiser."""
    network = draw_network(sizes, decoder)
    optimiser = adamw(network.parameters(), 1e-4, 0.01)
    return Variant(lambda ecg: network.loss(ecg, LEADS, beta=1.0).total, optimiser)


def draw_network(sizes: Sizes, decoder: DecoderKind) -> LsEmvae:
    """Draw the same weights every time."""
    torch.manual_seed(0)
    fusion = Fusion(gate="uniform")
    return LsEmvae(sizes.samples, sizes.latent, decoder=decoder, fusion=fusion)


def build_plain(sizes: Sizes) -> Variant:
    """Build the published form with the weights of `ours`."""
    network = draw_network(sizes, "published")
    with torch.device("meta"):
        encoders = PlainEncoders(sizes.samples, sizes.latent)
        decoder = PlainDecoder(sizes.latent, sizes.samples, 1)
    parts = nn.ModuleList([encoders, decoder]).to_empty(device="cpu")
    copy_encoders(network.encoders, encoders)
    copy_decoder(network.decoder, decoder)
    optimiser = torch.optim.AdamW(parts.parameters(), lr=1e-4, foreach=False, fused=False)
    return Variant(lambda ecg: plain_loss(ecg, encoders, decoder), optimiser)


def plain_loss(ecg: Tensor, encoders: nn.Module, decoder: nn.Module) -> Tensor:
    """Return the objective at lambda = beta = gamma = 1 with a uniform gate, written out."""
    mean, raw = encoders(ecg, LEADS).chunk(2, dim=-1)
    logvar = bound_logvar(raw)
    shared = (torch.softmax(-logvar, 1) * mean).sum(1, keepdim=True)
    mean = torch.cat([mean, shared], dim=1)
    logvar = torch.cat([logvar, -torch.logsumexp(-logvar, 1, keepdim=True)], dim=1)
    mixed = mean.mean(1)
    distance = (mean - mixed.unsqueeze(1)).square()
    variance = (logvar.exp() + distance).mean(1)
    code = mixed + variance.sqrt() * torch.randn_like(mixed)
    decoded = torch.cat([decoder(code) for _ in LEADS], dim=1)
    error = (decoded - ecg).square().sum((1, 2))
    return (error + gaussian_kl(mixed, variance.log()) + distance.sum(2).mean(1)).mean()


VARIANTS: dict[str, Callable[[Sizes], Variant]] = {
    "plain": build_plain,
    "plain kept": build_plain,
    "ours": lambda sizes: build_ours(sizes, "published"),
    "multichannel": lambda sizes: build_ours(sizes, "multichannel"),
}


def time_here(name: str, sizes: Sizes, steps: int) -> dict[str, Any]:
    """Take `WARM_UP` steps and then `steps` timed ones of one variant in this process."""
    if name != "plain":
        keep_freed_memory()
    variant = VARIANTS[name](sizes)
    shape = (sizes.batch, len(LEADS), sizes.samples)
    ecg = torch.randn(shape, generator=torch.Generator().manual_seed(1))
    losses, seconds = [], []
    for step in range(WARM_UP + steps):
        torch.manual_seed(step)
        start = time.perf_counter()
        variant.optimiser.zero_grad()
        loss = variant.loss(ecg)
        loss.backward()
        variant.optimiser.step()
        seconds.append(time.perf_counter() - start)
        losses.append(float(loss.detach()))
    peak_gb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
    return {"seconds": seconds[WARM_UP:], "loss": losses[0], "peak_rss_gb": peak_gb}


def time_elsewhere(name: str, sizes: Sizes, options: argparse.Namespace) -> dict[str, Any]:
    """Do the same in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.step", "--only", name, "--batch",
               str(sizes.batch), "--samples", str(sizes.samples), "--latent", str(sizes.latent),
               "--steps", str(options.steps), "--threads", str(options.threads)]  # fmt: skip
    found = subprocess.run(command, capture_output=True, text=True, check=True)
    result: dict[str, Any] = json.loads(found.stdout.splitlines()[-1])
    return result


def measure(sizes: Sizes, options: argparse.Namespace) -> list[dict[str, Any]]:
    """Time all variants in turn, `repeats` times.

    Raises:
        ValueError: equal weights did not give equal loss.
    """
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in VARIANTS}
    for _ in range(options.repeats):
        for name, results in runs.items():
            results.append(time_elsewhere(name, sizes, options))
    plain, ours = runs["plain"][0]["loss"], runs["ours"][0]["loss"]
    difference = abs(plain - ours) / abs(plain)
    print(f"batch {sizes.batch}: loss {plain:.3f} plain, {ours:.3f} ours ({difference:.1e} apart)")
    if difference > LOSS_TOLERANCE:
        raise ValueError(f"equal weights gave losses {plain} and {ours}, over {LOSS_TOLERANCE}")
    seconds = {name: [s for run in runs[name] for s in run["seconds"]] for name in runs}
    return [
        {
            "variant": name,
            "batch": sizes.batch,
            "seconds": statistics.median(seconds[name]),
            "seconds_min": min(seconds[name]),
            "seconds_max": max(seconds[name]),
            "ratio_to_plain": statistics.median(seconds["plain"])
            / statistics.median(seconds[name]),
            "ratio_of_minima": min(seconds["plain"]) / min(seconds[name]),
            "peak_rss_gb": max(run["peak_rss_gb"] for run in runs[name]),
            "loss": runs[name][0]["loss"],
        }
        for name in runs
    ]


def markdown(rows: list[dict[str, Any]]) -> str:
    """Return the rows as a Markdown table."""
    columns = [name for name in rows[0] if name != "loss"]
    lines = [f"| {' | '.join(columns)} |", f"|{'---|' * len(columns)}"]
    for row in rows:
        cells = [f"{row[c]:.2f}" if isinstance(row[c], float) else str(row[c]) for c in columns]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print a table and write it as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--batch", type=int, nargs="+", default=[8, 32], help="batch sizes")
    parser.add_argument("--repeats", type=int, default=3, help="rounds over all variants")
    parser.add_argument("--steps", type=int, default=3, help="timed steps per round and variant")
    parser.add_argument("--samples", type=int, default=5000, help="samples per lead")
    parser.add_argument("--latent", type=int, default=256, help="latent dimensions")
    parser.add_argument("--threads", type=int, default=2, help="CPU threads")
    parser.add_argument("--out", type=Path, default=Path("reports/bench.json"), help="JSON file")
    parser.add_argument("--only", choices=list(VARIANTS), help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    torch.set_num_threads(options.threads)
    sizes = [Sizes(batch, options.samples, options.latent) for batch in options.batch]
    if options.only:
        print(json.dumps(time_here(options.only, sizes[0], options.steps)))
        return
    rows = [row for size in sizes for row in measure(size, options)]
    print(markdown(rows))
    options.out.parent.mkdir(parents=True, exist_ok=True)
    settings = {"threads": options.threads, "torch": torch.__version__}
    options.out.write_text(json.dumps({"settings": settings, "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
