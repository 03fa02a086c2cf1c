"""Check that an explanation of the model changes when the model's weights do.

Adebayo et al. 2018, arXiv:1810.03292. An attribution that stays as it was after the weights were
shuffled explains the recording, not the model. Integrated gradients multiply by the amplitude, so
some agreement remains with any weights: the agreement is reported, and is to be read beside that of
the leads' shares.
"""

import copy
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch
from scipy.stats import rankdata
from torch import nn

FloatArray = npt.NDArray[np.floating]
Part = Literal["head", "all"]


def with_shuffled_weights(model: nn.Module, *, seed: int, prefix: str = "") -> nn.Module:
    """Return a copy of a model in which every weight has changed places within its tensor.

    Shuffling keeps the sizes of the weights, and with them the scale of the activations, whatever
    the network is made of.

    Args:
        model: any module; it stays as it is.
        seed: of the permutations.
        prefix: only parameters whose names begin so, such as `head.`.
    """
    shuffled = copy.deepcopy(model)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, weight in shuffled.named_parameters():
            if name.startswith(prefix):
                order = torch.randperm(weight.numel(), generator=generator).to(weight.device)
                weight.copy_(weight.flatten()[order].view_as(weight))
    return shuffled


def rank_agreement(one: FloatArray, other: FloatArray) -> FloatArray:
    """Return Spearman's rank correlation of the absolute values, record by record.

    Args:
        one: (B, ...).
        other: of the same shape.

    Returns:
        (B,), NaN where one of the two is constant.
    """
    first, second = (
        rankdata(np.abs(values).reshape(len(values), -1), axis=1) for values in (one, other)
    )
    first -= first.mean(1, keepdims=True)
    second -= second.mean(1, keepdims=True)
    size = np.sqrt((first**2).sum(1) * (second**2).sum(1))
    product = (first * second).sum(1)
    agreement = np.divide(product, size, out=np.full(len(size), np.nan), where=size > 0)
    return np.asarray(agreement)
