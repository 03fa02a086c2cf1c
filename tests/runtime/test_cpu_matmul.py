import subprocess
import sys
from collections.abc import Iterator

import pytest
import torch

from lsemvae.runtime import cpu_matmul as products

CODE = """
import torch
from lsemvae.runtime.cpu_matmul import faster_float32_products
found = faster_float32_products()
torch.manual_seed(0)
left, right = torch.randn(3, 64, 3000), torch.randn(3, 3000, 96)
exact = torch.bmm(left.double(), right.double())
worst = (torch.bmm(left, right) - exact).abs().max() / exact.abs().max()
print(found, torch.get_float32_matmul_precision(), float(worst))
"""


@pytest.fixture(autouse=True)
def precision() -> Iterator[None]:
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    products._products_are_exact.cache_clear()
    yield
    products._products_are_exact.cache_clear()
    torch.set_float32_matmul_precision(before)


def test_products_stay_float32_wherever_they_are_computed() -> None:
    run = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    found, precision, worst = run.stdout.split()
    assert precision == ("medium" if found == "True" else "highest")
    assert float(worst) < 1e-5  # bfloat16 would be off by 1e-3


def test_a_processor_that_rounds_gets_its_precision_back(monkeypatch: pytest.MonkeyPatch) -> None:
    def rounded(left: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
        return torch.matmul(left.bfloat16().float(), right)

    monkeypatch.setattr(torch.Tensor, "__matmul__", rounded)
    assert not products.faster_float32_products()
    assert torch.get_float32_matmul_precision() == "highest"


def test_a_precision_that_was_chosen_stays() -> None:
    torch.set_float32_matmul_precision("high")
    assert not products.faster_float32_products()
    assert torch.get_float32_matmul_precision() == "high"
