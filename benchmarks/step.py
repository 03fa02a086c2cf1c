"""Time one LS-EMVAE training step against the plain form of the published code.

    python -m benchmarks.step --batch 8 32 --repeats 5 --out reports/bench.json

Variants, each one step = forward, loss, backward, AdamW:
  plain         one module per lead in a Python loop, the same code decoded once per lead,
                AdamW without fusing
  ours          the encoder bank, the published decoder run once, fused AdamW; it starts from the
                weights of `plain` and must give the same loss
  multichannel  the encoder bank, the default decoder, fused AdamW
Every repeat builds, warms up, times and frees each variant in turn, so that slow phases of a
shared machine hit all of them and only one optimiser state is held at a time.
"""

import argparse
import gc
import json
import os
import resource
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

from lsemvae.leads import LEADS
from lsemvae.nn.decoders import DecoderKind, StackedDecoder, build_decoder
from lsemvae.nn.lead_encoders import LeadEncoderBank
from tests.nn.plain_reference import PlainDecoder, PlainEncoders, copy_decoder, copy_encoders

LOSS_TOLERANCE = 1e-4
"""Relative difference of two losses that float32 sums in another order may show."""

Encode = Callable[[Tensor], Tensor]
Decode = Callable[[Tensor], Tensor]


class Sizes(NamedTuple):
    """Signal length T and latent size D."""

    samples: int
    latent: int


class Network(NamedTuple):
    """What one variant trains: its parts, how it encodes and decodes, its optimiser."""

    parts: nn.ModuleList
    encode: Encode
    decode: Decode
    optimizer: torch.optim.Optimizer


class Step(NamedTuple):
    """The timed steps of one build: wall and CPU seconds of each, first loss, peak memory."""

    variant: str
    batch: int
    seconds: list[float]
    cpu_seconds: list[float]
    loss: float
    peak_rss_gb: float


def build_plain(sizes: Sizes) -> Network:
    """Build the published form with the weights that `build_ours` draws for the same seed."""
    bank, decoder = _draw(sizes, "published")
    with torch.device("meta"):
        encoders = PlainEncoders(sizes.samples, sizes.latent)
        plain_decoder = PlainDecoder(sizes.latent, sizes.samples, 1)
    parts = nn.ModuleList([encoders, plain_decoder]).to_empty(device="cpu")
    copy_encoders(bank, encoders)
    copy_decoder(decoder, plain_decoder)
    optimizer = torch.optim.AdamW(parts.parameters(), lr=1e-4, foreach=False, fused=False)
    return Network(
        parts,
        lambda ecg: encoders(ecg, LEADS),
        lambda z: torch.cat([plain_decoder(z) for _ in LEADS], dim=1),
        optimizer,
    )


def build_ours(sizes: Sizes, decoder_kind: DecoderKind) -> Network:
    """Build the fast form."""
    bank, decoder = _draw(sizes, decoder_kind)
    parts = nn.ModuleList([bank, decoder])
    optimizer = torch.optim.AdamW(parts.parameters(), lr=1e-4, fused=True)
    return Network(parts, lambda ecg: bank(ecg, LEADS), decoder, optimizer)


VARIANTS: dict[str, Callable[[Sizes], Network]] = {
    "plain": build_plain,
    "ours": lambda sizes: build_ours(sizes, "published"),
    "multichannel": lambda sizes: build_ours(sizes, "multichannel"),
}


def _draw(sizes: Sizes, decoder_kind: DecoderKind) -> tuple[LeadEncoderBank, StackedDecoder]:
    torch.manual_seed(0)
    bank = LeadEncoderBank(sizes.samples, 2 * sizes.latent)
    return bank, build_decoder(decoder_kind, sizes.latent, sizes.samples)


def elbo(network: Network, ecg: Tensor, noise: Tensor) -> Tensor:
    """Return the LS-EMVAE objective at lambda = beta = gamma = 1 with a uniform gate.

    The product of experts joins the lead experts, the moments of their mixture give the code
    (paper, section 2).

    Args:
        network: what to encode and decode with.
        ecg: signals (B, 12, T).
        noise: standard normal draws (B, D).
    """
    mean, log_variance = network.encode(ecg).chunk(2, dim=-1)
    shared = (torch.softmax(-log_variance, 1) * mean).sum(1, keepdim=True)
    mean = torch.cat([mean, shared], dim=1)
    log_variance = torch.cat(
        [log_variance, -torch.logsumexp(-log_variance, 1, keepdim=True)], dim=1
    )
    mixed = mean.mean(1)
    distance = (mean - mixed.unsqueeze(1)).square()
    variance = (log_variance.exp() + distance).mean(1)
    error = (network.decode(mixed + variance.sqrt() * noise) - ecg).square().sum((1, 2))
    divergence = 0.5 * (mixed.square() + variance - variance.log() - 1).sum(1)
    return (error + divergence + distance.sum(2).mean(1)).mean()


def time_variant(name: str, batch: int, sizes: Sizes, *, steps: int) -> Step:
    """Build one variant, take a warm-up step and `steps` timed ones."""
    generator = torch.Generator().manual_seed(1)
    ecg = torch.randn(batch, len(LEADS), sizes.samples, generator=generator)
    noise = torch.randn(batch, sizes.latent, generator=generator)
    network = VARIANTS[name](sizes)
    gc.collect()
    _reset_peak()
    losses, seconds, cpu_seconds = [], [], []
    for _ in range(1 + steps):
        start, cpu_start = time.perf_counter(), time.process_time()
        network.optimizer.zero_grad()
        loss = elbo(network, ecg, noise)
        loss.backward()
        network.optimizer.step()
        seconds.append(time.perf_counter() - start)
        cpu_seconds.append(time.process_time() - cpu_start)
        losses.append(float(loss.detach()))
    return Step(name, batch, seconds[1:], cpu_seconds[1:], losses[0], _peak_rss_gb())


def _reset_peak() -> None:
    """Start a new high-water mark of resident memory (Linux, proc(5), clear_refs)."""
    if sys.platform == "linux":
        Path("/proc/self/clear_refs").write_text("5")


def _peak_rss_gb() -> float:
    """Return the highest resident memory since the last reset; since the start elsewhere."""
    if sys.platform == "linux":
        lines = Path("/proc/self/status").read_text().splitlines()
        return int(next(x for x in lines if x.startswith("VmHWM")).split()[1]) * 1024 / 1e9
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e9


def measure(batch: int, sizes: Sizes, *, repeats: int, steps: int) -> list[dict[str, object]]:
    """Time all variants of one batch size in turn, `repeats` times.

    Raises:
        ValueError: equal weights did not give equal loss.
    """
    runs: dict[str, list[Step]] = {name: [] for name in VARIANTS}
    for _ in range(repeats):
        for name, steps_of in runs.items():
            steps_of.append(time_variant(name, batch, sizes, steps=steps))
            gc.collect()
    plain, ours = runs["plain"][0].loss, runs["ours"][0].loss
    difference = abs(plain - ours) / abs(plain)
    print(f"batch {batch}: loss {plain:.3f} plain, {ours:.3f} ours, differing by {difference:.1e}")
    if difference > LOSS_TOLERANCE:
        raise ValueError(f"equal weights gave losses {plain} and {ours}, over {LOSS_TOLERANCE}")
    return [_row(steps_of, runs["plain"]) for steps_of in runs.values()]


def _row(own: list[Step], plain: list[Step]) -> dict[str, object]:
    wall = [second for run in own for second in run.seconds]
    cpu = [second for run in own for second in run.cpu_seconds]
    plain_wall = [second for run in plain for second in run.seconds]
    plain_cpu = [second for run in plain for second in run.cpu_seconds]
    return {
        "variant": own[0].variant,
        "batch": own[0].batch,
        "seconds": statistics.median(wall),
        "seconds_min": min(wall),
        "seconds_max": max(wall),
        "cpu_seconds": statistics.median(cpu),
        "ratio_to_plain": statistics.median(plain_wall) / statistics.median(wall),
        "ratio_of_minima": min(plain_wall) / min(wall),
        "ratio_of_cpu": statistics.median(plain_cpu) / statistics.median(cpu),
        "peak_rss_gb": max(run.peak_rss_gb for run in own),
        "loss": own[0].loss,
    }


def markdown(rows: list[dict[str, object]]) -> str:
    """Return the rows as a Markdown table."""
    columns = [name for name in rows[0] if name != "loss"]
    lines = [f"| {' | '.join(columns)} |", f"|{'---|' * len(columns)}"]
    for row in rows:
        cells = [f"{row[c]:.3f}" if isinstance(row[c], float) else str(row[c]) for c in columns]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print a table and write it as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--batch", type=int, nargs="+", default=[8, 32], help="batch sizes")
    parser.add_argument("--repeats", type=int, default=5, help="rounds over all variants")
    parser.add_argument("--steps", type=int, default=2, help="timed steps per round and variant")
    parser.add_argument("--samples", type=int, default=5000, help="samples per lead")
    parser.add_argument("--latent", type=int, default=256, help="latent dimensions")
    parser.add_argument("--threads", type=int, default=2, help="CPU threads")
    parser.add_argument("--out", type=Path, required=True, help="JSON file to write")
    options = parser.parse_args(arguments)
    torch.set_num_threads(options.threads)
    sizes = Sizes(options.samples, options.latent)
    rows: list[dict[str, object]] = []
    for batch in options.batch:
        rows += measure(batch, sizes, repeats=options.repeats, steps=options.steps)
        print(markdown(rows), flush=True)
    huge_pages = os.environ.get("THP_MEM_ALLOC_ENABLE", "0")
    print(f"threads {options.threads}, torch {torch.__version__}, huge pages {huge_pages}")
    options.out.parent.mkdir(parents=True, exist_ok=True)
    settings = {"threads": options.threads, "torch": torch.__version__, "huge_pages": huge_pages}
    report = {"settings": {**settings, **sizes._asdict()}, "rows": rows}
    options.out.write_text(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
