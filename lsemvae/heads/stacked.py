"""Hold several heads of one size as one, so that one product per layer serves all of them."""

import contextlib
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lsemvae.losses import focal_terms
from lsemvae.tasks.classify import FocalSettings


class StackedHeads(NamedTuple):
    """Weights of E heads FC - ReLU - dropout - FC.

    Attributes:
        first: (E, F, H).
        first_bias: (E, 1, H).
        second: (E, H, 1).
        second_bias: (E, 1, 1).
    """

    first: Tensor
    first_bias: Tensor
    second: Tensor
    second_bias: Tensor

    @classmethod
    def of(cls, heads: Sequence[nn.Module]) -> "StackedHeads":
        """Return a copy of the weights of heads of equal size, as something to train."""
        layers = [_linear_layers(head) for head in heads]
        return cls(*(
            torch.stack(part).requires_grad_()
            for part in (
                [first.weight.detach().T for first, _ in layers],
                [first.bias.detach()[None] for first, _ in layers],
                [second.weight.detach().T for _, second in layers],
                [second.bias.detach()[None] for _, second in layers],
            )
        ))  # fmt: skip

    def logits(self, features: Tensor, kept: Tensor | None = None) -> Tensor:
        """Return (E, B) for features (E, B, F); `kept` (E or 1, B, H) is dropout's mask, scaled."""
        hidden = F.relu(torch.baddbmm(self.first_bias, features, self.first))
        hidden = hidden if kept is None else hidden * kept
        return torch.baddbmm(self.second_bias, hidden, self.second).squeeze(-1)

    @torch.no_grad()
    def logits_of(self, number: int, features: Tensor) -> Tensor:
        """Return (B,) of one head for features (B, F)."""
        alone = StackedHeads(*(part[number : number + 1] for part in self))
        return alone.logits(features[None])[0]

    def state_of(self, number: int) -> dict[str, Tensor]:
        """Return a copy of one head's weights under the names of its module."""
        first, first_bias, second, second_bias = (part[number].detach().clone() for part in self)
        return {
            "0.weight": first.T.contiguous(), "0.bias": first_bias[0],
            "3.weight": second.T.contiguous(), "3.bias": second_bias[0],
        }  # fmt: skip


def _linear_layers(head: nn.Module) -> tuple[nn.Linear, nn.Linear]:
    first, second = (layer for layer in head.modules() if isinstance(layer, nn.Linear))
    return first, second


class Batch(NamedTuple):
    """One batch for each of E heads.

    Attributes:
        features: (E, B, F).
        label: (E, B).
        share: (E, B), what a record counts in its head's mean; 0 for padding.
        kept: (E or 1, B, H), dropout's mask, scaled.
    """

    features: Tensor
    label: Tensor
    share: Tensor
    kept: Tensor


SHARED_FROM = 15_000
"""Heads times features from which a second thread saves time (docs/performance.md)."""


@contextlib.contextmanager
def fitting_threads(n_heads: int, n_features: int) -> Iterator[None]:
    """Compute on one thread where the heads' products are too small to be shared."""
    before = torch.get_num_threads()
    if n_heads * n_features < SHARED_FROM:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def step(
    heads: StackedHeads, optimiser: torch.optim.Optimizer, batch: Batch, focal: FocalSettings
) -> Tensor:
    """Move every head by one step of its own batch; return the mean loss of each, (E,)."""
    logit = heads.logits(batch.features, batch.kept)
    loss = (focal_terms(logit, batch.label, focal.alpha, focal.gamma) * batch.share).sum(-1)
    optimiser.zero_grad()
    torch.autograd.backward(loss.sum())
    optimiser.step()
    return loss.detach()
