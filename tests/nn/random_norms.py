"""State that tells batch normalisations apart, and state dicts as numpy arrays."""

import numpy as np
import numpy.typing as npt
import torch
from torch import nn


@torch.no_grad()
def randomise_norms(module: nn.Module) -> None:
    """Give every batch normalisation its own statistics, scale and shift."""
    for part in module.modules():
        if isinstance(part, nn.BatchNorm1d):
            part.running_mean.normal_(0, 0.3)
            part.running_var.uniform_(0.5, 2.0)
            part.weight.uniform_(0.5, 1.5)
            part.bias.normal_(0, 0.3)


def numpy_state(module: nn.Module) -> dict[str, npt.NDArray[np.float64]]:
    return {name: value.numpy() for name, value in module.state_dict().items()}
