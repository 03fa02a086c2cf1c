import math

import pytest

from lsemvae.core.chance import chance_text


@pytest.mark.parametrize(
    ("auroc", "said"),
    [
        ((0.7, 0.51, 0.9), ""),
        ((0.7, 0.5, 0.9), "The model cannot be told from chance (AUROC 0.700 [0.500, 0.900])."),
        ((0.42, 0.3, 0.55), "The model cannot be told from chance (AUROC 0.420 [0.300, 0.550])."),
        ((0.2, 0.1, 0.3), "The model is worse than chance (AUROC 0.200 [0.100, 0.300]): look"),
        ((0.9, None, None), "not known (AUROC 0.900, without an interval)."),
        ((0.9, math.nan, math.nan), "not known (AUROC 0.900, without an interval)."),
        ((None, None, None), "its AUROC has no value."),
    ],
)
def test_a_guess_is_called_a_guess(auroc: tuple[float | None, ...], said: str) -> None:
    found = chance_text(*auroc)
    assert said in found
    assert (found == "") == (said == "")
