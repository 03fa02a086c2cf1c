"""Compute posteriors of many subsets of leads at once, and distributions over the subsets.

Shape legend: B batch, L leads, S subsets, D latent size.
"""

from math import comb

import torch
from torch import Tensor

from lsemvae.core.leads import LEADS, LIMB_LEADS
from lsemvae.nn.experts import Gaussian

N_LEADS = len(LEADS)
VIEW_SHARE = 0.3  # a tenth of the draws each for all leads, the limb leads, single leads


def all_subsets() -> Tensor:
    """Return the members of every non-empty subset of the twelve leads, (4095, 12) bool."""
    code = torch.arange(1, 2**N_LEADS).unsqueeze(-1)
    return code.bitwise_and(2 ** torch.arange(N_LEADS)).bool()


def uniform_distribution(members: Tensor) -> Tensor:
    """Return equal probabilities of all subsets, (S,)."""
    return torch.full((len(members),), 1.0 / len(members))


def stratified_distribution(members: Tensor) -> Tensor:
    """Return probabilities that are uniform over the sizes and favour the views in use.

    Uniform drawing gives the six limb leads one draw in 4,095. Here `VIEW_SHARE` of the draws goes
    in equal parts to all leads, to the limb leads and to single leads; the rest to a size at random
    and then a subset of that size.

    Args:
        members: (4095, 12) bool.

    Returns:
        (4095,), summing to one.
    """
    size = members.sum(-1)
    per_size = torch.tensor([0.0, *(1.0 / comb(N_LEADS, n) for n in range(1, N_LEADS + 1))])
    limb = torch.tensor([lead in LIMB_LEADS for lead in LEADS])
    views = torch.stack([size == N_LEADS, (members == limb).all(-1), size == 1]).float()
    of_views = (views / views.sum(-1, keepdim=True)).mean(0)
    return (1.0 - VIEW_SHARE) * per_size[size] / N_LEADS + VIEW_SHARE * of_views


def subset_products(
    mean: Tensor, logvar: Tensor, members: Tensor, prior: Tensor | float
) -> Gaussian:
    """Multiply the experts of each subset, without an intermediate of B x S x L x D numbers.

    T_S = t + sum_{i in S} T_i and mu_S = sum_{i in S} mu_i T_i / T_S, with T = exp(-logvar) and t
    the weight of the prior N(0, I) as a further expert. A matrix product of the members with the
    precisions; `bound_logvar` keeps these inside [2e-9, 5e8], so nothing overflows in float32.

    Args:
        mean: (B, L, D).
        logvar: (B, L, D), bounded.
        members: (B, S, L) or (S, L) bool; a subset must hold a lead, or have the prior.
        prior: t, one number or (B, S) or (S,).

    Returns:
        Mean and log variance, (B, S, D).
    """
    precision = torch.exp(-logvar)
    chosen = members.to(precision.dtype)
    total = chosen @ precision + torch.as_tensor(prior, device=mean.device).unsqueeze(-1)
    return Gaussian(chosen @ (mean * precision) / total, -total.log())


def random_subsets(available: Tensor, n_subsets: int) -> Tensor:
    """Draw subsets as MVAE does: a size uniform on 2..N-1, then a subset of that size.

    Args:
        available: (B, L) bool, leads to draw from; N is their number.
        n_subsets: S.

    Returns:
        (B, S, L) bool; empty where fewer than three leads are available.
    """
    n_leads = available.sum(-1, keepdim=True)
    shape = (len(available), n_subsets)
    uniform = torch.rand(shape, device=available.device)
    size = (2 + (uniform * (n_leads - 2)).floor()).clamp(max=n_leads - 1)
    size = torch.where(n_leads < 3, 0, size)
    score = torch.rand((*shape, available.shape[-1]), device=available.device)
    score = score.masked_fill(~available.unsqueeze(1), torch.inf)
    return score.argsort(-1).argsort(-1) < size.unsqueeze(-1)
