"""Measure the peaks of a machine that times are compared with: matrix products, memory traffic."""

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import torch

from lsemvae.runtime.cpu_matmul import faster_float32_products

SIZES = (512, 2048, 4096)
"""Edges of the square matrices: 1 MB to 67 MB in float32, the last past every cache."""

LONGEST_S = 5.0
"""Of a product: where a type has no instruction of its own, the large ones take minutes."""

STREAM = 64_000_000
"""Numbers of each of the three arrays of a memory test: 256 MB, eight times the last cache."""


class Peaks(NamedTuple):
    """What this machine reached, with the threads that torch is set to.

    Attributes:
        float32_gflops: of square matrix products, 2 n^3 / time, by the faster of torch's two
            libraries.
        bfloat16_gflops: the same in bfloat16, which goes to one of them.
        bandwidth_gb_s: of z = x + y and x = x + y, the faster, three arrays / time.
    """

    float32_gflops: float
    bfloat16_gflops: float
    bandwidth_gb_s: float

    def gflops(self, dtype: str) -> float:
        """Return the peak of a type: float32 or bfloat16."""
        return {"float32": self.float32_gflops, "bfloat16": self.bfloat16_gflops}[dtype]


def measure_peaks(sizes: Sequence[int] = SIZES, stream: int = STREAM, repeats: int = 4) -> Peaks:
    """Return the best of some repetitions."""

    def best_product(dtype: torch.dtype) -> float:
        best = 0.0
        for n in sorted(sizes):
            if best and 2 * n**3 / best / 1e9 > LONGEST_S:
                break  # at the rate of the smaller ones
            best = max(best, _product_gflops(n, dtype, repeats))
        return best

    float32, bfloat16 = best_product(torch.float32), best_product(torch.bfloat16)
    if faster_float32_products():
        float32 = max(float32, best_product(torch.float32))
    first, second, result = (torch.ones(stream) for _ in range(3))
    seconds = min(
        fastest(lambda: torch.add(first, second, out=result), repeats),
        fastest(lambda: first.add_(second), repeats),
    )
    return Peaks(float32, bfloat16, 3 * 4 * stream / seconds / 1e9)


def _product_gflops(n: int, dtype: torch.dtype, repeats: int) -> float:
    left, right = (torch.randn(n, n).to(dtype) for _ in range(2))
    return 2 * n**3 / fastest(lambda: torch.mm(left, right), repeats) / 1e9


def fastest(function: Callable[[], Any], repeats: int) -> float:
    """Return the shortest time of a call, in s, after one that is not counted."""
    function()
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def best(measured: Iterable[Peaks]) -> Peaks:
    """Return the highest of each figure: what else the machine was doing only lowers them."""
    return Peaks(*(max(figures) for figures in zip(*measured, strict=True)))


def bfloat16_instructions() -> str:
    """Say how this processor multiplies bfloat16."""
    if torch.cpu._is_amx_tile_supported():
        return "AMX tiles"
    return "AVX512_BF16" if torch.cpu._is_avx512_bf16_supported() else "no instruction of its own"
