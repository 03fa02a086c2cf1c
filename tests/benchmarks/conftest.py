"""Programs of benchmarks/ change settings of their process; tests put them back."""

from collections.abc import Iterator

import pytest
import torch


@pytest.fixture(autouse=True)
def product_precision() -> Iterator[None]:
    """Put back which library computes float32 products."""
    before = torch.get_float32_matmul_precision()
    yield
    torch.set_float32_matmul_precision(before)
