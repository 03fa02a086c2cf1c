"""Time the two forms of the encoders' convolutions on a CPU: `python -m benchmarks.convolutions`.

Both get the settings of `lightning fit` on a CPU and must give the same numbers. Times are the
fastest of some calls: of the forward pass, and of forward and backward.
"""

import argparse
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from benchmarks.hardware import fastest
from benchmarks.machine import describe_machine, write_results
from lsemvae.core.leads import LEADS
from lsemvae.nn.lead_encoders import CHANNELS
from lsemvae.nn.strided_convolutions import convolve_lead_by_lead, convolve_together
from lsemvae.runtime.cpu_matmul import faster_float32_products
from lsemvae.runtime.malloc import keep_freed_memory

FORMS = {"lead by lead": convolve_lead_by_lead, "all leads together": convolve_together}


def draw(batch: int, samples: int) -> tuple[Tensor, list[Tensor], list[Tensor]]:
    """Draw signals, weights and biases of the published sizes."""
    torch.manual_seed(0)
    layers = list(pairwise(CHANNELS))
    weights = [torch.randn(len(LEADS), 3 * c, k) / (3 * c) ** 0.5 for c, k in layers]
    biases = [torch.zeros(len(LEADS), 1, k) for _, k in layers]
    for parameter in (*weights, *biases):
        parameter.requires_grad_(True)
    return torch.randn(len(LEADS), batch, samples), weights, biases


def measure(batch: int, samples: int, repeats: int) -> list[dict[str, Any]]:
    """Time both forms in float32 and under autocast to bfloat16.

    Raises:
        ValueError: they gave different numbers.
    """
    signals, weights, biases = draw(batch, samples)
    rows, first = [], {}
    for mixed in (False, True):
        for name, form in FORMS.items():
            forward = _bound(form, signals, weights, biases, mixed)
            output = forward().detach()
            reference = first.setdefault(mixed, output)
            apart = float((output - reference).abs().max() / reference.abs().max())
            if not apart <= (1e-2 if mixed else 1e-5):
                raise ValueError(f"the forms give numbers {apart} apart")
            both = _with_backward(forward, [*weights, *biases], torch.ones_like(output))
            rows.append({
                "form": name, "dtype": "bfloat16" if mixed else "float32",
                "forward_s": fastest(forward, repeats), "both_s": fastest(both, repeats),
            })  # fmt: skip
    return rows


def _bound(
    form: Callable[..., Tensor], signals: Tensor, weights: list[Tensor], biases: list[Tensor],
    mixed: bool,
) -> Callable[[], Tensor]:  # fmt: skip
    def forward() -> Tensor:
        with torch.autocast("cpu", torch.bfloat16, enabled=mixed):
            return form(signals, weights, biases)

    return forward


def _with_backward(
    forward: Callable[[], Tensor], parameters: list[Tensor], gradient: Tensor
) -> Callable[[], Any]:
    return lambda: torch.autograd.grad(forward(), parameters, gradient)


def markdown(results: dict[str, Any]) -> str:
    """Return the table of docs/performance.md."""
    lines = [
        f"Batch {results['batch']}, {results['threads']} threads.",
        "",
        "| form | type | forward (ms) | forward and backward (ms) |",
        "|---|---|---|---|",
    ]
    for row in results["rows"]:
        times = (f"{1000 * row[key]:.0f}" for key in ("forward_s", "both_s"))
        lines.append(f"| {row['form']} | {row['dtype']} | {' | '.join(times)} |")
    return "\n".join([*lines, ""])


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print a table and write it as JSON and Markdown."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--samples", type=int, default=5000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path("reports/convolutions.json"))
    parser.add_argument("--page", type=Path, help="Markdown file whose marked part is replaced")
    options = parser.parse_args(arguments)
    torch.set_num_threads(options.threads)
    keep_freed_memory()
    faster_float32_products()
    results = {
        "machine": describe_machine(), "threads": options.threads, "batch": options.batch,
        "rows": measure(options.batch, options.samples, options.repeats),
    }  # fmt: skip
    made = markdown(results)
    write_results(
        options.out, results, made, page=options.page,
        program="benchmarks.convolutions",
    )  # fmt: skip


if __name__ == "__main__":
    main()
