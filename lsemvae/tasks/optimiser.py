"""The optimiser of all tasks."""

from collections.abc import Iterable

import torch
from torch import nn


def adamw(parameters: Iterable[nn.Parameter], lr: float, weight_decay: float) -> torch.optim.AdamW:
    """Return AdamW over the trainable parameters, fused.

    At 256M parameters the unfused update costs more than the forward pass of eight recordings:
    1.0 s against 0.1 s on two CPU cores.
    """
    trainable = [parameter for parameter in parameters if parameter.requires_grad]
    return torch.optim.AdamW(trainable, lr=lr, weight_decay=weight_decay, fused=True)
