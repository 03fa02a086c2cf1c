"""Time one LS-EMVAE training step against the plain form of the published code: `make bench`.

Variants, each one step = forward, loss, backward, AdamW:
  plain          one module per lead in a Python loop, the same code decoded once per lead, AdamW
                 without fusing
  plain clipped  the same, its gradients clipped to a norm of 1 by torch, as the published code does
  plain tuned    plain, with the process settings of `lightning fit` on a CPU: freed memory kept
                 (`lsemvae.runtime.malloc`), float32 products by the faster library
                 (`lsemvae.runtime.cpu_matmul`)
  ours           LsEmvae as `lightning fit` trains it on a CPU, with the published decoder: it
                 starts from the weights of `plain` and must give the same loss
  ours clipped   the same, clipped within the optimiser's step; compared with `plain clipped`
  ours compiled  ours, its loss through torch.compile
  multichannel   LsEmvae with the default decoder
  plain bf16     `plain tuned` under autocast to bfloat16
  ours bf16      `ours` under the same
Every measurement runs in a process of its own, in turn, so that only one optimiser state is held at
a time; the machine's peaks are measured in the same turns. Steps during which other programs took
more than 5 % of the cores are left out where enough others remain.
"""

import argparse
import json
import resource
import shlex
import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from benchmarks.hardware import Peaks, best, bfloat16_instructions, measure_peaks
from benchmarks.machine import describe_machine, write_results
from benchmarks.quiet import counted, repeat, timed, wait_for_quiet
from benchmarks.step_cost import Sizes, count_step
from benchmarks.step_variants import VARIANTS
from lsemvae.core.leads import LEADS
from lsemvae.runtime.cpu_matmul import faster_float32_products
from lsemvae.runtime.malloc import keep_freed_memory

WARM_UP = 3
"""Steps before the clock counts: the process has its memory and the optimiser its state."""

PEAKS = "peaks"
Result = dict[str, Any]


def time_here(name: str, sizes: Sizes, options: argparse.Namespace) -> Result:
    """Take `WARM_UP` steps of one variant in this process, and then those that are timed.

    A step that other programs disturbed is repeated, `steps` times at most.
    """
    if VARIANTS[name].settings:
        keep_freed_memory()
        faster_float32_products()
    loss_of, optimiser, clip = VARIANTS[name].build(sizes)
    shape = (sizes.batch, len(LEADS), sizes.samples)
    ecg = torch.randn(shape, generator=torch.Generator().manual_seed(1))
    losses: list[float] = []

    def step() -> None:
        torch.manual_seed(len(losses))
        optimiser.zero_grad()
        loss = loss_of(ecg)
        loss.backward()
        clip(optimiser)
        optimiser.step()
        losses.append(float(loss.detach()))

    first = timed(step).seconds
    for _ in range(WARM_UP - 1):
        step()
    steps = repeat(step, options.steps, options.patience)
    peak_gb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
    return {
        "steps": steps,
        "first_seconds": first,
        "losses": losses[: WARM_UP + options.steps],
        "peak_rss_gb": peak_gb,
    }


def run_elsewhere(name: str, sizes: Sizes, options: argparse.Namespace) -> Result:
    """Time a variant, or measure the peaks, in a process of its own.

    A compiled variant that fails has the reason as its only figure.

    Raises:
        RuntimeError: any other process failed.
    """
    command = [sys.executable, "-m", "benchmarks.step", "--only", name, "--batch",
               str(sizes.batch), "--samples", str(sizes.samples), "--latent", str(sizes.latent),
               "--steps", str(options.steps), "--threads", str(options.threads),
               "--patience", str(options.patience)]  # fmt: skip
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    if found.returncode == 0:
        result: Result = json.loads(found.stdout.splitlines()[-1])
        return result
    reason = (found.stderr.strip().splitlines() or ["no message"])[-1]
    if "compiled" in name:
        return {"reason": reason}
    raise RuntimeError(f"{name} at batch {sizes.batch} ended with {found.returncode}: {reason}")


def measure(sizes: Sizes, options: argparse.Namespace) -> tuple[dict[str, list[Result]], Peaks]:
    """Time all variants and the peaks in turn, `repeats` times."""
    runs: dict[str, list[Result]] = {name: [] for name in options.variants}
    peaks = []
    for _ in range(options.repeats):
        peaks.append(Peaks(**run_elsewhere(PEAKS, sizes, options)))
        for name, results in runs.items():
            results.append(run_elsewhere(name, sizes, options))
            print(f"batch {sizes.batch}, {name}: {json.dumps(results[-1])}", file=sys.stderr)
    return runs, best(peaks)


def check_losses(runs: dict[str, list[Result]]) -> None:
    """Make sure that equal weights gave equal loss, before and after the steps.

    Raises:
        ValueError: they did not.
    """
    for name, (found, *_) in runs.items():
        plain = runs[VARIANTS[name].against][0]["losses"]
        tolerance = VARIANTS[name].tolerance
        if tolerance is None or "reason" in found:
            continue
        for which, allowed in ((0, tolerance), (-1, 10 * tolerance)):  # steps amplify rounding
            ours, theirs = found["losses"][which], plain[which]
            if not abs(ours - theirs) <= allowed * abs(theirs):
                raise ValueError(
                    f"equal weights gave losses {theirs} ({VARIANTS[name].against}) and {ours} "
                    f"({name}), more than {allowed:g} apart"
                )


def row(name: str, sizes: Sizes, runs: dict[str, list[Result]], peaks: Peaks) -> Result:
    """Summarise one variant, compared with plain and with the peaks of the machine."""
    variant, failed = VARIANTS[name], [run["reason"] for run in runs[name] if "reason" in run]
    about = {"variant": name, "batch": sizes.batch, "dtype": variant.dtype}
    if failed:
        return {**about, "reason": failed[0]}
    seconds, others = counted(step for run in runs[name] for step in run["steps"])
    plain, _ = counted(step for run in runs[variant.against] for step in run["steps"])
    cost = count_step(sizes, variant.decoder, mixed=variant.dtype == "bfloat16")
    middle, peak = statistics.median(seconds), peaks.gflops(variant.dtype)
    return {
        **about,
        "seconds": middle,
        "seconds_min": min(seconds),
        "seconds_max": max(seconds),
        "steps": len(seconds),
        "others_cpu_share": others,
        "ratio_to_plain": statistics.median(plain) / middle,
        "ratio_of_minima": min(plain) / min(seconds),
        "peak_rss_gb": max(run["peak_rss_gb"] for run in runs[name]),
        "gemm_share": cost.flops / middle / (peak * 1e9),
        "bandwidth_share": cost.weight_bytes / middle / (peaks.bandwidth_gb_s * 1e9),
        "loss": runs[name][0]["losses"][0],
        "loss_after": runs[name][0]["losses"][-1],
        "first_step_seconds": runs[name][0]["first_seconds"],
        "gflop": cost.flops / 1e9,
        "gemm_peak_gflops": peak,
        "bandwidth_peak_gb_s": peaks.bandwidth_gb_s,
    }


def markdown(rows: list[Result], about: Result) -> str:
    """Return the table of docs/performance.md."""
    lines = [
        f"{about['processor']}, {about['threads']} threads, torch {about['versions']['torch']}, "
        f"bfloat16 by {about['bfloat16']}; load of other programs before: {about['load_before']}.",
        "",
        "| variant | batch | seconds | fastest - slowest | steps | others' CPU "
        "| times faster than plain | by the fastest "
        "| peak memory (GB) | share of GEMM peak | share of bandwidth |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for each in rows:
        cells = [each["variant"], str(each["batch"])]
        if "reason" in each:
            cells += [f"not run: {each['reason']}", *[""] * 8]
        else:
            cells += [
                f"{each['seconds']:.2f}",
                f"{each['seconds_min']:.2f} - {each['seconds_max']:.2f}",
                str(each["steps"]),
                f"{each['others_cpu_share']:.0%}",
                *(f"{each[key]:.1f}" for key in ("ratio_to_plain", "ratio_of_minima",
                                                 "peak_rss_gb")),
                *(f"{each[key]:.2f}" for key in ("gemm_share", "bandwidth_share")),
            ]  # fmt: skip
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join([*lines, "", *peak_lines(rows), ""])


def peak_lines(rows: list[Result]) -> list[str]:
    """Say which peaks the shares refer to, and what the first losses were."""
    done = [each for each in rows if "reason" not in each]
    peaks = {each["dtype"]: f"{each['gemm_peak_gflops']:.0f}" for each in done}
    rates = " and ".join(f"{rate} GFLOP/s in {dtype}" for dtype, rate in peaks.items())
    lines = [f"- Peaks, measured in the same turns: {rates}, {done[0]['bandwidth_peak_gb_s']:.0f} "
             "GB/s."]  # fmt: skip
    for batch in dict.fromkeys(each["batch"] for each in done):
        of_batch = {each["variant"]: each for each in done if each["batch"] == batch}
        losses = ", ".join(f"{name} {each['loss']:.3f}" for name, each in of_batch.items())
        lines.append(
            f"- Batch {batch}: {of_batch['ours']['gflop']:.0f} GFLOP of products. First losses: "
            f"{losses}."
        )
    return lines


def command_of(variants: Sequence[str]) -> str:
    """Return the module and, where not all variants are measured, which, as a page names them."""
    all_of_them = list(variants) == list(VARIANTS)
    chosen = "" if all_of_them else f" --variants {shlex.join(variants)}"
    return f"benchmarks.step{chosen}"


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print a table, write the rows as JSON and the table as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--batch", type=int, nargs="+", default=[8, 32, 128], help="batch sizes")
    parser.add_argument("--variants", nargs="+", default=list(VARIANTS), choices=list(VARIANTS))
    parser.add_argument("--repeats", type=int, default=3, help="rounds over all variants")
    parser.add_argument("--steps", type=int, default=3, help="timed steps per round and variant")
    parser.add_argument(
        "--patience", type=float, default=20.0, help="seconds to wait for others before a step"
    )
    parser.add_argument("--samples", type=int, default=5000, help="samples per lead")
    parser.add_argument("--latent", type=int, default=256, help="latent dimensions")
    parser.add_argument("--threads", type=int, default=2, help="CPU threads")
    parser.add_argument("--out", type=Path, default=Path("reports/bench.json"), help="JSON file")
    parser.add_argument("--page", type=Path, help="Markdown file whose marked part is replaced")
    parser.add_argument("--only", choices=[*VARIANTS, PEAKS], help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    needed = {"plain", "ours", *(VARIANTS[name].against for name in options.variants)}
    if missing := needed - set(options.variants):
        parser.error(
            f"--variants must hold plain and ours; {', '.join(sorted(missing))} is missing"
        )
    torch.set_num_threads(options.threads)
    sizes = [Sizes(batch, options.samples, options.latent) for batch in options.batch]
    if options.only:
        peaks = options.only == PEAKS
        wait_for_quiet(options.patience if peaks else 0.0)
        result = measure_peaks()._asdict() if peaks else time_here(options.only, sizes[0], options)
        print(json.dumps(result))
        return
    about = {**describe_machine(), "threads": options.threads, "bfloat16": bfloat16_instructions()}
    measured = {size: measure(size, options) for size in sizes}
    peaks = best(each for _, each in measured.values())
    rows = []
    for size, (runs, _) in measured.items():
        check_losses(runs)
        rows += [row(name, size, runs, peaks) for name in runs]
    facts = {key: about[key] for key in ("processor", "threads", "bfloat16", "load_before")}
    made = markdown(rows, about)
    write_results(
        options.out, [{**each, **facts} for each in rows], made, page=options.page,
        program=command_of(options.variants),
    )  # fmt: skip


if __name__ == "__main__":
    main()
