"""The peaks of a machine that times are compared with: matrix products and memory traffic."""

import time
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import torch
from torch.nn import functional as F

SIZES = (2048, 4096)
"""Edges of the square matrices: 16 MB to 67 MB in float32, past every cache but the last."""

STREAM = 64_000_000
"""Numbers of each of the three arrays of a memory test: 256 MB, eight times the last cache."""


class Peaks(NamedTuple):
    """What this machine reached, with the threads that torch is set to.

    Attributes:
        float32_gflops: of matrix products, 2 n^3 / time.
        bfloat16_gflops: the same.
        bandwidth_gb_s: of z = x + y, three arrays / time.
    """

    float32_gflops: float
    bfloat16_gflops: float
    bandwidth_gb_s: float

    def gflops(self, dtype: str) -> float:
        """Return the peak of a type: float32 or bfloat16."""
        return {"float32": self.float32_gflops, "bfloat16": self.bfloat16_gflops}[dtype]


def measure_peaks(sizes: Iterable[int] = SIZES, stream: int = STREAM, repeats: int = 4) -> Peaks:
    """Return the best of some repetitions."""
    products = {
        dtype: max(_product_gflops(n, dtype, repeats) for n in sizes)
        for dtype in (torch.float32, torch.bfloat16)
    }
    first, second, result = (torch.ones(stream) for _ in range(3))
    seconds = fastest(lambda: torch.add(first, second, out=result), repeats)
    return Peaks(products[torch.float32], products[torch.bfloat16], 3 * 4 * stream / seconds / 1e9)


def _product_gflops(n: int, dtype: torch.dtype, repeats: int) -> float:
    """Return the rate of an n x n product by the faster of torch's two ways to compute it.

    Float32 `mm` goes to one library (MKL) and a convolution of width one to another (oneDNN), and
    on processors of another maker than the first library's the second can be twice as fast.
    """
    left, right = (torch.randn(n, n).to(dtype) for _ in range(2))
    seconds = min(
        fastest(lambda: torch.mm(left, right), repeats),
        fastest(lambda: F.conv1d(left.unsqueeze(0), right.unsqueeze(-1)), repeats),
    )
    return 2 * n**3 / seconds / 1e9


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
