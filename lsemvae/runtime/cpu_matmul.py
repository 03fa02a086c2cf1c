"""Choose the library that computes float32 matrix products on a CPU."""

from functools import cache

import torch


def faster_float32_products() -> bool:
    """Send float32 products on the CPU to oneDNN where it is sure to keep all their bits.

    torch computes them with MKL, on the AMD processor of docs/performance.md at half the rate of
    oneDNN. torch's only switch between them is the precision `medium`, which allows oneDNN to round
    to bfloat16; it does so where the processor has tiles for that (AMX). So products of numbers
    that bfloat16 cannot hold decide: if one is rounded, the precision `highest` comes back.

    Returns:
        Whether the switch is set; False where another precision than `highest` had been chosen,
        which stays.
    """
    if torch.get_float32_matmul_precision() != "highest":
        return False
    torch.set_float32_matmul_precision("medium")
    if _products_are_exact():
        return True
    torch.set_float32_matmul_precision("highest")
    return False


def settle_float32_products() -> None:
    """Choose as above on a machine without a GPU, before anything of a run is computed.

    Whatever a command finds done, features or the first folds say, it then computes the rest as a
    run that begins anew does: chosen on the way, the last digits would differ.
    """
    if not torch.cuda.is_available():
        faster_float32_products()


@cache  # a tenth of a second, and a processor does not change
def _products_are_exact() -> bool:
    """Tell whether products with the unit matrix keep the last bits, alone and in batches."""
    unit = torch.eye(512)
    for rows in (1, 8, 128, 1024):
        exact = torch.full((3, rows, 512), 1.0 + 2.0**-20)
        if not (torch.equal(exact @ unit, exact) and torch.equal(exact[0] @ unit, exact[0])):
            return False
    return True
