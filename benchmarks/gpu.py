"""Check and time everything that a GPU is for, in one run of at most 8 minutes: `make gpu`.

Checks: ours against the plain loop, compiled against eager, bfloat16 within its bounds, a run that
was cut and resumed against one that was not, and two processes against one where there are two
cards. Times: the training step in float32, TF32 and bfloat16 with its share of the card's peaks,
encoding, and the loader that must feed them. A check that fails is a row that says so, and exit
code 1. With `--device cpu` and small sizes the same lines run without a card.
"""

import argparse
import os
import re
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from benchmarks.gpu_loader import measure_loaders
from benchmarks.gpu_runs import check_resume, check_two_processes
from benchmarks.gpu_step import (
    Check,
    check_forms,
    failure,
    measure_encoding,
    measure_peaks,
    measure_steps,
)
from benchmarks.machine import describe_machine, write_results
from benchmarks.roofline import GPUS, Gpu, table
from benchmarks.step_cost import Sizes

BUDGET_S = 480.0
OTHER_PEAKS = {"PCIe", "PCIE", "NVL", "MIG"}  # forms of a card, or parts, that a sheet is not for
Row = dict[str, Any]


def card(device: str) -> tuple[str, Gpu | None]:
    """Return the name of the device and its data sheet, None where there is none in roofline."""
    if torch.device(device).type != "cuda":
        return "no GPU: a dry run on the CPU", None
    name = torch.cuda.get_device_name()
    words = re.split(r"[\s-]+", name)
    memory_gb = torch.cuda.get_device_properties(0).total_memory / 1e9
    alike = [one for one in GPUS if one.name.split()[0] in words and not OTHER_PEAKS & {*words}]
    return name, min(alike, key=lambda one: abs(one.memory_gb - memory_gb), default=None)


def step_lines(rows: Sequence[Row], sheet: Gpu | None) -> str:
    """Return the table of training steps."""
    cells = []
    for row in rows:
        own = {"TF32": sheet.tf32_tflops, "bf16": sheet.bf16_tflops} if sheet else {}
        peak = own.get(row["precision"])
        of_sheet = f"{row['tflops'] / peak:.2f}" if peak else ""
        memory = f"{row['memory_gb']:.1f}" if row["memory_gb"] else ""
        cells.append([
            row["form"], row["precision"], str(row["batch"]), f"{row['ms']:.2f}",
            f"{row['fastest_ms']:.2f} - {row['slowest_ms']:.2f}", f"{row['records_per_s']:,.0f}",
            f"{row['times_plain']:.1f}", f"{row['peak_share']:.2f}", of_sheet,
            f"{row['bandwidth_share']:.2f}", memory,
        ])  # fmt: skip
    columns = ("form", "precision", "batch", "ms", "fastest - slowest", "records/s",
               "times faster than plain", "share of measured GEMM peak", "of the data sheet's",
               "share of measured bandwidth", "memory (GB)")  # fmt: skip
    return table(columns, cells)


def check_lines(checks: Sequence[Check]) -> str:
    """Return the table of what must agree."""
    cells = [
        [one.what, one.found, one.allowed, "yes" if one.met else "NO"] for one in checks
    ]  # fmt: skip
    return table(("what must agree", "found", "allowed", "met"), cells)


def markdown(results: Row, sheet: Gpu | None) -> str:
    """Return the measured part of docs/roofline.md."""
    machine, peaks = results["machine"], results["peaks"]
    rates = ", ".join(f"{one:.1f} TFLOP/s in {name}" for name, one in peaks["tflops"].items())
    encoding = [
        [row["precision"], str(row["leads"]), f"{row['records_per_s']:,.0f}"]
        for row in results["encoding"]
    ]
    loaders = [[str(row["workers"]), f"{row['records_per_s']:,.0f}"] for row in results["loaders"]]
    return "\n\n".join([
        f"{results['card']}; host: {machine['processor']}, {machine['cores']} cores; torch "
        f"{machine['versions']['torch']}; {results['seconds']:.0f} s in all.",
        "### What must agree", check_lines(results["checks"]),
        "### Training step",
        f"Peaks measured on the card: {rates}; {peaks['gb_s']:.0f} GB/s.",
        step_lines(results["steps"], sheet),
        "### Encoding, int16 in the host's memory to features",
        table(("precision", "leads", "records/s"), encoding),
        "### Loader, to int16 on the card",
        table(("workers", "records/s"), loaders),
    ])  # fmt: skip


def measure(options: argparse.Namespace, folder: Path) -> Row:
    """Check and time everything."""
    start, device = time.perf_counter(), options.device
    sizes = [Sizes(batch, options.samples, options.latent, device) for batch in options.batch]
    checks: list[Check] = []

    def part(what: str, run: Callable[..., Any], *arguments: Any, **more: Any) -> Any:
        """Run one part; what ends it becomes a row, and the other parts are measured."""
        try:
            return run(*arguments, **more)
        except Exception as error:
            checks.append(Check(what, failure(error), "no error", False))
            return []

    checks += part("forms", check_forms, sizes[0], compiled=not options.without_compile)
    checks += filter(None, [part("resumed run", check_resume, folder, device)])
    checks += part("two processes", check_two_processes, folder, device)
    peaks = measure_peaks(device, options.edge)
    return {
        "machine": describe_machine(),
        "card": card(device)[0],
        "checks": checks,
        "peaks": peaks,
        "steps": part("steps", measure_steps, sizes, options.steps, peaks),
        "encoding": part("encoding", measure_encoding, sizes[-1], options.steps),
        "loaders": part(
            "loader", measure_loaders, folder, options.records, options.workers, device
        ),
        "seconds": time.perf_counter() - start,
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print, write; end with 1 where something does not agree."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--device", default="cuda", choices=["cuda", "cpu"],
                        help="cuda, or cpu for a dry run")  # fmt: skip
    parser.add_argument("--batch", type=int, nargs="+", default=[8, 32, 128], help="batch sizes")
    parser.add_argument("--samples", type=int, default=5000, help="samples per lead")
    parser.add_argument("--latent", type=int, default=256, help="latent dimensions")
    parser.add_argument("--steps", type=int, default=20, help="timed steps of each form")
    parser.add_argument("--edge", type=int, default=8192, help="of the peak's square matrices")
    parser.add_argument("--records", type=int, default=8192, help="that the loader reads")
    parser.add_argument("--workers", type=int, nargs="+", default=[0, 1, 2, 4], help="of loaders")
    parser.add_argument("--without-compile", action="store_true", help="leave torch.compile out")
    parser.add_argument("--out", type=Path, default=Path("reports/gpu.json"), help="JSON file")
    parser.add_argument("--page", type=Path, help="Markdown file whose marked part is replaced")
    options = parser.parse_args(arguments)
    if options.device == "cuda" and not torch.cuda.is_available():
        why = "no GPU is visible to torch" if torch.version.cuda else (
            f"torch {torch.__version__} is a CPU build: make install TORCH=cuda"
        )  # fmt: skip
        parser.error(f"{why}; --device cpu makes a dry run")
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # for deterministic products
    with tempfile.TemporaryDirectory() as name:
        results = measure(options, Path(name))
    made = markdown(results, card(options.device)[1])
    kept = {**results, "checks": [one._asdict() for one in results["checks"]]}
    write_results(options.out, kept, made, page=options.page, program="benchmarks.gpu")
    if results["seconds"] > BUDGET_S:
        print(f"note: it took {results['seconds']:.0f} s, more than {BUDGET_S:.0f}")
    if not all(one.met for one in results["checks"]):
        sys.exit(1)


if __name__ == "__main__":
    main()
