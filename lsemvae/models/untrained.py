"""Make a network with the weights that its training would begin with."""

import warnings
from typing import TypeVar

import torch

from lsemvae.models.base import EcgNetwork

Network = TypeVar("Network", bound=EcgNetwork)


def untrained_network(network: Network, seed: int) -> Network:
    """Return a network of the same architecture that was never trained, in eval mode.

    The global random numbers are left as they were.

    Args:
        network: whose twin it is.
        seed: of the weights.
    """
    with torch.random.fork_rng(devices=[]), warnings.catch_warnings(action="ignore"):
        torch.manual_seed(seed)
        twin = type(network).from_plain(network.init_args)
    return twin.eval()
