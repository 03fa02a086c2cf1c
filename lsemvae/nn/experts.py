"""Fuse Gaussian experts: product and mixture (paper section 2, Fig. 1d).

Everything here carries log variances and runs in float32: 1 / sigma^2 overflows float16 from a log
variance of -11 on, and a softmax in bfloat16 does not sum to one.
"""

from typing import NamedTuple

import torch
from torch import Tensor

LOGVAR_BOUND = 20.0  # exp(+-20) and its products stay far inside float32


class Gaussian(NamedTuple):
    """A diagonal Gaussian over the latent space: mean and log variance, each (..., D)."""

    mean: Tensor
    logvar: Tensor


def bound_logvar(logvar: Tensor) -> Tensor:
    """Keep a log variance x smoothly inside +-b, b = `LOGVAR_BOUND`: x / sqrt(1 + (x / b)^2).

    Within +-5 it changes x by 3 % at most. A hard clamp has no gradient outside its limits, and a
    hyperbolic tangent none in float32 from nine times the bound on; this one leaves a way back.
    """
    return logvar * torch.rsqrt(1.0 + (logvar / LOGVAR_BOUND).square())


def product_of_experts(
    mean: Tensor, logvar: Tensor, present: Tensor, *, prior_expert: bool = False
) -> Gaussian:
    """Multiply the present Gaussian experts (Hinton 2002, doi:10.1162/089976602760128018).

    mu = sum_i mu_i / sigma_i^2 / sum_i 1 / sigma_i^2 and sigma^2 = 1 / sum_i 1 / sigma_i^2, with
    the precision weights as a softmax of -logvar over the experts.

    Args:
        mean: (B, K, D), finite; absent experts too, since zero times NaN is NaN.
        logvar: (B, K, D).
        present: (B, K) bool.
        prior_expert: multiply by the prior N(0, I) too; the paper's formula does not.

    Returns:
        Mean and log variance, (B, D).
    """
    log_precision = (-logvar).masked_fill(~present.unsqueeze(-1), -torch.inf)
    if prior_expert:
        log_precision = torch.cat([log_precision, torch.zeros_like(log_precision[:, :1])], 1)
        mean = torch.cat([mean, torch.zeros_like(mean[:, :1])], 1)
    weight = torch.softmax(log_precision, 1)
    return Gaussian((weight * mean).sum(1), -torch.logsumexp(log_precision, 1))


def mixture_of_experts(mean: Tensor, logvar: Tensor, weight: Tensor) -> Gaussian:
    """Return the first two moments of a mixture of Gaussian experts.

    mu = sum_k w_k mu_k and sigma^2 = sum_k w_k (sigma_k^2 + (mu_k - mu)^2), which equals the
    paper's sum_k w_k (sigma_k^2 + mu_k^2) - mu^2 and cannot become negative by rounding.

    Args:
        mean: (B, K, D).
        logvar: (B, K, D).
        weight: (B, K), summing to one, zero for absent experts.

    Returns:
        Mean and log variance, (B, D).
    """
    weight = weight.unsqueeze(-1)
    mixture_mean = (weight * mean).sum(1)
    spread = (mean - mixture_mean.unsqueeze(1)).square()
    variance = (weight * (logvar.exp() + spread)).sum(1)
    return Gaussian(mixture_mean, variance.log())
