"""Count what a step of LS-EMVAE costs from the shapes of the real network; nothing is computed.

The network runs on tensors without contents. Counted are products: two operations for each
multiplication and addition of a matrix product or convolution. Exponentials, sums and the optimiser
are left out of the FLOPs; they are in the bytes.
"""

import warnings
from functools import cache
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.autograd.graph import saved_tensors_hooks
from torch.utils.flop_counter import FlopCounterMode

from lsemvae.core.leads import LEADS
from lsemvae.models import LsEmvae
from lsemvae.nn.decoders import DecoderKind

ADAMW_BYTES = 28
"""Per parameter: reads weight, gradient and two moments, writes weight and two moments."""

PRODUCT_BYTES = 12
"""Per parameter: weights read forward and for the gradient of the inputs, gradients written."""


class Sizes(NamedTuple):
    """Batch, signal length T and latent size D, and where the step runs."""

    batch: int
    samples: int
    latent: int
    device: str = "cpu"


class StepCost(NamedTuple):
    """Counts of one step.

    Attributes:
        parameters: that a step updates.
        forward_flops: of the products of the forward pass.
        backward_flops: of the products of the backward pass.
        activation_bytes: held from the forward to the backward pass, the signals among them.
    """

    parameters: int
    forward_flops: int
    backward_flops: int
    activation_bytes: int

    @property
    def flops(self) -> int:
        """Return the FLOPs of both passes."""
        return self.forward_flops + self.backward_flops

    @property
    def weight_bytes(self) -> int:
        """Return the bytes that move for weights, gradients and optimiser in float32."""
        return self.parameters * (ADAMW_BYTES + PRODUCT_BYTES)


@cache
def count_step(sizes: Sizes, decoder: DecoderKind, *, mixed: bool = False) -> StepCost:
    """Count one training step on twelve leads.

    Args:
        sizes: of batch and network.
        decoder: kind of decoder.
        mixed: under autocast to bfloat16.
    """
    with FakeTensorMode(), warnings.catch_warnings(action="ignore"):
        network = LsEmvae(sizes.samples, sizes.latent, decoder=decoder)
        ecg = torch.randn(sizes.batch, len(LEADS), sizes.samples)
        held = Held(network)
        with flop_counter() as forward, held.hooks, torch.autocast("cpu", enabled=mixed):
            loss = network.loss(ecg, LEADS, beta=1.0).total
        with flop_counter() as backward:
            loss.backward()
    parameters = sum(parameter.numel() for parameter in network.parameters())
    flops = forward.get_total_flops(), backward.get_total_flops()
    return StepCost(parameters, *flops, held.n_bytes())


class Held:
    """Count the memory that autograd holds beside the parameters."""

    def __init__(self, network: nn.Module) -> None:
        self._parameters = {_storage(parameter) for parameter in network.parameters()}
        self._tensors: dict[int, Tensor] = {}
        self.hooks = saved_tensors_hooks(self._keep, lambda tensor: tensor)

    def _keep(self, tensor: Tensor) -> Tensor:
        self._tensors[_storage(tensor)] = tensor
        return tensor

    def n_bytes(self) -> int:
        """Return the bytes of all storages, each once."""
        return sum(
            tensor.untyped_storage().nbytes()
            for storage, tensor in self._tensors.items()
            if storage not in self._parameters
        )


def _storage(tensor: Tensor) -> int:
    return tensor.untyped_storage()._cdata


def flop_counter() -> FlopCounterMode:
    """Return torch's counter, with the product in place that it leaves out."""

    def of_product(_: object, left: torch.Size, right: torch.Size, **__: Any) -> int:
        return 2 * left.numel() * right[-1]

    return FlopCounterMode(display=False, custom_mapping={torch.ops.aten.baddbmm_: of_product})
