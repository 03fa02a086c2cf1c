"""Compute the weights of the experts in the mixture (gate of the paper's Fig. 1d)."""

import torch
from torch import Tensor, nn


class ExpertGate(nn.Module):
    """Weigh the experts by their own parameters (gate of the paper's Fig. 1d).

    Each expert has a linear scorer of its own (mean, log variance), so that an absent lead can leak
    nothing into the weights of the others. Scores start at zero: uniform weights.

    Args:
        n_experts: number of experts that have a scorer.
        latent_dim: D.
        floor: f in w = (1 - f) softmax + f / K over the K present experts; keeps a learned gate
            from collapsing onto one expert.
    """

    def __init__(self, n_experts: int, latent_dim: int, *, floor: float = 0.0) -> None:
        super().__init__()
        self.floor = floor
        self.weight = nn.Parameter(torch.zeros(n_experts, 2 * latent_dim))
        self.bias = nn.Parameter(torch.zeros(n_experts))

    def forward(self, mean: Tensor, logvar: Tensor, present: Tensor, expert: list[int]) -> Tensor:
        """Return the weights of the experts.

        Args:
            mean: (B, K, D).
            logvar: (B, K, D).
            present: (B, K) bool.
            expert: index of the scorer of each of the K experts.

        Returns:
            (B, K), summing to one over the present experts, zero for the others.
        """
        own = torch.cat([mean, logvar], -1)
        score = (own * self.weight[expert]).sum(-1) + self.bias[expert]
        learned = torch.softmax(score.masked_fill(~present, -torch.inf), -1)
        return (1.0 - self.floor) * learned + self.floor * uniform_weights(present)


def uniform_weights(present: Tensor) -> Tensor:
    """Return equal weights over the present experts, (B, K)."""
    return present / present.sum(-1, keepdim=True)
