"""Time what a frozen encoder is used for, on a CPU: encoding, and features -> heads: `make bench`.

Encoding: all leads or the limb leads, means alone (what the feature `lead_means` needs) or means
and variances (what the fused posterior needs), by the plain loop over leads and by LsEmvae with
equal weights, whose outputs must agree. Features -> heads: `lsemvae cv` on a synthetic cohort with
an encoder of the published size and random weights: features of every recording once, then a head
per fold. Without the cache every epoch of every fold would encode again; that time is computed from
the plain loop's rate, not measured.
"""

import argparse
import statistics
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from benchmarks.hardware import measure_peaks
from benchmarks.heads import measure_heads
from benchmarks.machine import describe_machine, write_results
from benchmarks.quiet import Timed, counted, repeat, wait_for_quiet
from benchmarks.step_cost import Sizes, flop_counter
from benchmarks.step_variants import draw_network
from lsemvae.core.leads import LEADS, LIMB_LEADS
from lsemvae.models import LsEmvae
from lsemvae.runtime.cpu_matmul import faster_float32_products
from lsemvae.runtime.malloc import keep_freed_memory
from tests.nn.plain_reference import PlainEncoders, copy_encoders

Row = dict[str, Any]
Encode = Callable[[Tensor, Sequence[str]], Tensor]
TOLERANCE = 1e-4
"""Difference of outputs of order 1 that float32 sums in another order may show."""


def plain_means(encoders: PlainEncoders, ecg: Tensor, leads: Sequence[str]) -> Tensor:
    """Return the means of every lead (B, L, D), one lead after the other."""
    means = []
    for position, lead in enumerate(leads):
        encoder = encoders.encoders[lead]
        means.append(encoder.mean(encoder.convolutions(ecg[:, position : position + 1]).flatten(1)))
    return torch.stack(means, dim=1)


def encodings(network: LsEmvae) -> dict[str, dict[str, Encode]]:
    """Return both forms of both outputs."""
    with torch.device("meta"):
        plain = PlainEncoders(network.n_samples, network.latent_dim)
    plain.to_empty(device="cpu")
    copy_encoders(network.encoders, plain)
    return {
        "means": {
            "plain": lambda ecg, leads: plain_means(plain, ecg, leads),
            "ours": lambda ecg, leads: network.encoders(ecg, leads, network.latent_dim),
        },
        "means and variances": {"plain": plain, "ours": network.encoders},
    }


def measure_encoding(
    sizes: Sizes, repeats: int, peak_gflops: float, patience_s: float = 0.0
) -> list[Row]:
    """Time all encodings.

    Raises:
        ValueError: plain and ours gave different numbers.
    """
    network = draw_network(sizes, "published").eval()
    ecg = torch.randn(sizes.batch, len(LEADS), sizes.samples)
    rows = []
    for output, forms in encodings(network).items():
        for leads in (LEADS, LIMB_LEADS):
            chosen = ecg[:, : len(leads)]
            calls = {name: _bound(form, chosen, leads) for name, form in forms.items()}
            apart = float((calls["plain"]() - calls["ours"]()).abs().max())
            if not apart <= TOLERANCE:
                raise ValueError(f"{output} of {len(leads)} leads are {apart} apart")
            with flop_counter() as counter:
                calls["ours"]()
            steps = {name: repeat(call, repeats, patience_s) for name, call in calls.items()}
            flops = counter.get_total_flops()
            about = {"output": output, "leads": len(leads), "largest_difference": apart}
            rows += [
                {**about, **_row(name, sizes.batch, steps, flops / (peak_gflops * 1e9))}
                for name in forms
            ]
    return rows


def _bound(form: Encode, ecg: Tensor, leads: Sequence[str]) -> Callable[[], Tensor]:
    return lambda: form(ecg, leads)


def _row(name: str, batch: int, steps: dict[str, list[Timed]], least_seconds: float) -> Row:
    seconds, others = counted(steps[name])
    middle = statistics.median(seconds)
    return {
        "form": name,
        "batch": batch,
        "seconds": middle,
        "seconds_min": min(seconds),
        "seconds_max": max(seconds),
        "others_cpu_share": others,
        "records_per_s": batch / middle,
        "ratio_to_plain": statistics.median(counted(steps["plain"])[0]) / middle,
        "gemm_share": least_seconds / middle,
    }


def add_uncached(heads: list[Row], encoding: list[Row]) -> list[Row]:
    """Add the time that encoding in every epoch would take, from the plain loop's rate."""
    rates = {row["leads"]: row["records_per_s"] for row in encoding
             if (row["form"], row["output"]) == ("plain", "means and variances")}  # fmt: skip
    done = []
    for row in heads:
        once = row["records"] / rates[row["leads"]]
        passes = row["folds"] * row["epochs"]  # of training and held-out parts: all recordings
        done.append({**row, "uncached_plain_s_computed": once * passes})
    return done


def markdown(results: Row) -> str:
    """Return the tables of docs/performance.md."""
    machine = results["machine"]
    lines = [
        f"{machine['processor']}, {results['threads']} threads, torch "
        f"{machine['versions']['torch']}, float32, batch {results['encoding'][0]['batch']}; peak "
        f"of matrix products {results['gemm_peak_gflops']:.0f} GFLOP/s; load of other programs "
        f"before: {machine['load_before']}.",
        "",
        "| outputs | leads | form | records/s | fastest - slowest (ms per record) "
        "| others' CPU | times faster than plain | share of GEMM peak |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in results["encoding"]:
        spread = (f"{1000 * row[key] / row['batch']:.1f}" for key in ("seconds_min", "seconds_max"))
        lines.append(
            f"| {row['output']} | {row['leads']} | {row['form']} | {row['records_per_s']:.0f} | "
            f"{' - '.join(spread)} | {row['others_cpu_share']:.0%} | "
            f"{row['ratio_to_plain']:.1f} | {row['gemm_share']:.2f} |"
        )
    lines += [
        "",
        "| leads | recordings | folds x epochs | features, once (s) | heads, with start-up (s) "
        "| others' CPU | plain loop without a cache (s, computed) |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in results["heads"]:
        lines.append(
            f"| {row['leads']} | {row['records']} | {row['folds']} x {row['epochs']} | "
            f"{row['features_s']:.1f} | {row['heads_s']:.1f} | {row['others_cpu_share']:.0%} | "
            f"{row['uncached_plain_s_computed']:,.0f} |"
        )
    return "\n".join([*lines, ""])


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print tables and write them as JSON and Markdown."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--batch", type=int, default=64, help="recordings encoded at once")
    parser.add_argument("--repeats", type=int, default=5, help="timed calls of every form")
    parser.add_argument("--samples", type=int, default=5000, help="samples per lead")
    parser.add_argument("--latent", type=int, default=256, help="latent dimensions")
    parser.add_argument("--patients", type=int, default=892, help="patients of the cohort")
    parser.add_argument("--epochs", type=int, default=50, help="of a head")
    parser.add_argument("--folds", type=int, default=5, help="of the cross-validation")
    parser.add_argument("--signal", nargs="*", default=[], metavar="KEY=VALUE", help="of the store")
    parser.add_argument("--patience", type=float, default=20.0, help="seconds to wait for others")
    parser.add_argument("--threads", type=int, default=2, help="CPU threads")
    parser.add_argument("--out", type=Path, default=Path("reports/inference.json"))
    parser.add_argument("--page", type=Path, help="Markdown file whose marked part is replaced")
    options = parser.parse_args(arguments)
    torch.set_num_threads(options.threads)
    machine = describe_machine()
    keep_freed_memory()
    wait_for_quiet(options.patience)
    peak = measure_peaks().float32_gflops
    faster_float32_products()
    sizes = Sizes(options.batch, options.samples, options.latent)
    with torch.inference_mode():
        encoding = measure_encoding(sizes, options.repeats, peak, options.patience)
    signal = [part for each in options.signal for part in f"--signal.{each}".split("=")]
    with tempfile.TemporaryDirectory() as folder:
        heads = measure_heads(
            Path(folder), n_patients=options.patients, latent=options.latent,
            epochs=options.epochs, folds=options.folds, signal=signal,
        )  # fmt: skip
    results = {
        "machine": machine, "threads": options.threads, "gemm_peak_gflops": peak,
        "encoding": encoding, "heads": add_uncached(heads, encoding),
    }  # fmt: skip
    made = markdown(results)
    write_results(
        options.out, results, made, page=options.page,
        program="benchmarks.inference",
    )  # fmt: skip


if __name__ == "__main__":
    main()
