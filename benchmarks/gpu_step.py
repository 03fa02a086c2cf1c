"""Time training steps and encoding on a device, and compare forms that must agree."""

import gc
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, NamedTuple

import torch

from benchmarks.step_cost import Sizes, count_step
from benchmarks.step_variants import Step, build_ours, build_plain, draw_network, in_bfloat16
from lsemvae.core.leads import LEADS, LIMB_LEADS
from lsemvae.models import LsEmvae

PRECISIONS = ("float32", "TF32", "bf16")
WARM_UP, COMPARED_STEPS = 5, 6
FORMS: dict[str, Callable[[Sizes], Step]] = {
    "plain": build_plain,
    "ours": build_ours,
    "multichannel": lambda sizes: build_ours(sizes, "multichannel"),
}
Row = dict[str, Any]


class Check(NamedTuple):
    """Something that must agree: what, how far apart it was, how far it may be."""

    what: str
    found: str
    allowed: str
    met: bool


@contextmanager
def precision(name: str) -> Iterator[None]:
    """Let float32 products keep all bits, or use TF32; bf16 is autocast's affair."""
    before = torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32
    exact = name == "float32"
    torch.set_float32_matmul_precision("highest" if exact else "high")
    torch.backends.cudnn.allow_tf32 = not exact
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before[0])
        torch.backends.cudnn.allow_tf32 = before[1]


def wait(device: str) -> None:
    """Wait until the device has done what it was given."""
    if torch.device(device).type == "cuda":
        torch.cuda.synchronize()


def free(device: str) -> None:
    """Give back what the last network held."""
    gc.collect()
    if torch.device(device).type == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()


def built(form: str, sizes: Sizes, how: str) -> Step:
    """Build a form for a precision."""
    build = FORMS[form]
    return (in_bfloat16(build) if how == "bf16" else build)(sizes)


def draw_ecg(sizes: Sizes) -> torch.Tensor:
    """Draw the same batch every time."""
    shape = (sizes.batch, len(LEADS), sizes.samples)
    drawn = torch.randn(shape, generator=torch.Generator().manual_seed(1))
    return drawn.to(sizes.device)


def losses(step: Step, sizes: Sizes) -> list[float]:
    """Return the losses of some steps on one batch, each with noise of its own."""
    ecg, found = draw_ecg(sizes), []
    for number in range(COMPARED_STEPS):
        torch.manual_seed(number)
        step.optimiser.zero_grad()
        loss = step.loss(ecg)
        loss.backward()
        step.optimiser.step()
        found.append(float(loss.detach()))
    return found


def check_forms(sizes: Sizes, *, compiled: bool) -> list[Check]:
    """Compare the losses of ours with those of the plain loop on the same device."""
    wanted: list[tuple[str, str, Callable[[Sizes], Step], float]] = [
        ("ours against plain, float32", "float32", build_ours, 1e-4),
        ("ours against plain, TF32", "TF32", build_ours, 1e-2),
        ("ours in bf16 against plain in float32", "float32", in_bfloat16(build_ours), 1e-2),
    ]
    if compiled:
        wanted.append(("compiled against plain, float32", "float32",
                       lambda one: build_ours(one, compiled=True), 1e-4))  # fmt: skip
    with precision("float32"):
        plain = losses(build_plain(sizes), sizes)
    checks = []
    for what, how, build, allowed in wanted:
        free(sizes.device)
        name = f"loss, {what}, first step and after {COMPARED_STEPS}"
        bounds = f"{allowed:.0e}, {10 * allowed:.0e}"
        try:
            with precision(how):
                found = losses(build(sizes), sizes)
        except Exception as error:
            checks.append(Check(name, failure(error), bounds, False))
            continue
        apart = [abs(a - b) / abs(b) for a, b in zip(found, plain, strict=True)]
        met = apart[0] <= allowed and apart[-1] <= 10 * allowed
        checks.append(Check(name, f"{apart[0]:.1e}, {apart[-1]:.1e}", bounds, met))
    free(sizes.device)
    return checks


def failure(error: Exception) -> str:
    """Return an error as one cell of a table."""
    text = " ".join(str(error).split()).replace("|", "/")
    return f"{type(error).__name__}: {text[:200]}"


def time_calls(call: Callable[[], object], n_calls: int, device: str) -> list[float]:
    """Return the seconds of calls, each waited for, after some that warm up."""
    seconds = []
    for number in range(WARM_UP + n_calls):
        wait(device)
        start = time.perf_counter()
        call()
        wait(device)
        if number >= WARM_UP:
            seconds.append(time.perf_counter() - start)
    return seconds


def measure_peaks(device: str, edge: int) -> Row:
    """Return what square products and copies reach on the device."""
    tflops = {}
    for how in PRECISIONS:
        kind = torch.bfloat16 if how == "bf16" else torch.float32
        left, right = (torch.randn(edge, edge, device=device, dtype=kind) for _ in range(2))
        with precision(how):
            seconds = min(time_calls(partial(torch.mm, left, right), 5, device))
        tflops[how] = 2 * edge**3 / seconds / 1e12
    first, second = (torch.ones(edge * edge, device=device) for _ in range(2))
    seconds = min(time_calls(partial(first.copy_, second), 5, device))
    return {"tflops": tflops, "gb_s": 2 * 4 * edge * edge / seconds / 1e9}


def measure_steps(every: Sequence[Sizes], n_steps: int, peaks: Row) -> list[Row]:
    """Time all forms in all precisions at all batch sizes."""
    rows = []
    for sizes in every:
        for how in PRECISIONS:
            found = {form: _time_form(form, sizes, how, n_steps, peaks) for form in FORMS}
            rows += [
                {**row, "times_plain": found["plain"]["ms"] / row["ms"]} for row in found.values()
            ]
    return rows


def _time_form(form: str, sizes: Sizes, how: str, n_steps: int, peaks: Row) -> Row:
    free(sizes.device)
    with precision(how):
        step, ecg = built(form, sizes, how), draw_ecg(sizes)

        def run() -> None:
            step.optimiser.zero_grad()
            step.loss(ecg).backward()
            step.optimiser.step()

        seconds = time_calls(run, n_steps, sizes.device)
    on_card = torch.device(sizes.device).type == "cuda"
    decoder = "multichannel" if form == "multichannel" else "published"
    cost = count_step(sizes._replace(device="cpu"), decoder, mixed=how == "bf16")
    middle = statistics.median(seconds)
    tflops = cost.flops / middle / 1e12
    return {
        "form": form, "precision": how, "batch": sizes.batch, "ms": 1e3 * middle,
        "fastest_ms": 1e3 * min(seconds), "slowest_ms": 1e3 * max(seconds),
        "records_per_s": sizes.batch / middle, "tflops": tflops,
        "peak_share": tflops / peaks["tflops"][how],
        "bandwidth_share": cost.weight_bytes / middle / 1e9 / peaks["gb_s"],
        "memory_gb": torch.cuda.max_memory_allocated() / 1e9 if on_card else 0.0,
    }  # fmt: skip


@torch.inference_mode()
def measure_encoding(sizes: Sizes, n_calls: int) -> list[Row]:
    """Time features of batches that begin as int16 in the host's memory."""
    network, rows = draw_network(sizes, "multichannel").eval(), []
    kind = torch.device(sizes.device).type
    for leads in (LEADS, LIMB_LEADS):
        counts = torch.randint(-500, 500, (sizes.batch, len(leads), sizes.samples)).short()
        counts = counts.pin_memory() if kind == "cuda" else counts
        for how in PRECISIONS:
            call = partial(_encode, network, counts, leads, sizes.device, mixed=how == "bf16")
            with precision(how):
                middle = statistics.median(time_calls(call, n_calls, sizes.device))
            rows.append({"precision": how, "leads": len(leads),
                         "records_per_s": sizes.batch / middle})  # fmt: skip
    free(sizes.device)
    return rows


def _encode(
    network: LsEmvae, counts: torch.Tensor, leads: Sequence[str], device: str, *, mixed: bool
) -> torch.Tensor:
    """Move counts of uV to the device and encode them there in mV."""
    ecg = counts.to(device, non_blocking=True).float() / 1000
    with torch.autocast(torch.device(device).type, torch.bfloat16, enabled=mixed):
        return network.encode(ecg, leads)
