"""Compute loss terms as pure functions, one per equation of the paper."""

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

Reduction = Literal["sum", "mean"]


def squared_error_per_lead(reconstruction: Tensor, target: Tensor, reduction: Reduction) -> Tensor:
    """Return the squared error of each lead, reduced over time (equation 2, first term).

    Args:
        reconstruction: (B, L, T).
        target: (B, L, T), same unit.
        reduction: `sum` over time is a Gaussian decoder with variance 1/2 at beta = 1; `mean` over
            time is the literal "MSE" of equation 2.

    Returns:
        (B, L).
    """
    error = (reconstruction - target).square()
    return error.sum(-1) if reduction == "sum" else error.mean(-1)


def weighted_reconstruction(error: Tensor, lead_weights: Tensor, present: Tensor) -> Tensor:
    """Sum lambda_i times the error of lead i over the present leads (equation 2, first term).

    Args:
        error: (B, L).
        lead_weights: lambda, (L,).
        present: (B, L) bool; absent leads are left out.

    Returns:
        (B,).
    """
    return torch.where(present, error * lead_weights, 0.0).sum(-1)


def gaussian_kl(mean: Tensor, logvar: Tensor) -> Tensor:
    """Return KL(N(mean, exp(logvar)) || N(0, I)) summed over D (equation 2, second term).

    Computed from the log variance with expm1, so that a variance near 1 loses no digits and a
    small one gives no infinity.

    Args:
        mean: (B, D).
        logvar: (B, D).

    Returns:
        (B,), in nats.
    """
    return 0.5 * (mean.square() + torch.expm1(logvar) - logvar).sum(-1)


def alignment_distance(expert_mean: Tensor, mixture_mean: Tensor, present: Tensor) -> Tensor:
    """Return the mean squared distance of the present experts to the mixture (equation 1).

    Args:
        expert_mean: (B, K, D).
        mixture_mean: (B, D).
        present: (B, K) bool; the mean is over the experts present.

    Returns:
        (B,).
    """
    distance = (expert_mean - mixture_mean.unsqueeze(1)).square().sum(-1)
    return torch.where(present, distance, 0.0).sum(-1) / present.sum(-1)


def info_nce(query: Tensor, key: Tensor, present: Tensor, temperature: float) -> Tensor:
    """Return how badly queries find the key of their own recording (van den Oord et al. 2018).

    The cross-entropy of the softmax over the batch of cosine / temperature (arXiv:1807.03748,
    equation 4): log B where nothing is learnt, 0 where every query is sure of its own key.

    Args:
        query: (B, L, P), several of each recording.
        key: (B, P).
        present: (B, L) bool; the mean is over the queries present.
        temperature: > 0.

    Returns:
        A scalar, in nats.
    """
    cosine = F.normalize(query, dim=-1) @ F.normalize(key, dim=-1).T
    log_share = F.log_softmax(cosine / temperature, dim=-1)
    own = log_share.diagonal(dim1=0, dim2=2).T
    return -torch.where(present, own, 0.0).sum() / present.sum()


def focal_loss(logit: Tensor, label: Tensor, alpha: float, gamma: float) -> Tensor:
    """Return the focal loss averaged over the batch (Lin et al. 2017, doi:10.1109/ICCV.2017.324).

    -alpha_t (1 - p_t)^gamma log p_t, with alpha for the positive class and 1 - alpha for the
    negative one. gamma = 0 with alpha = .5 is half the cross-entropy. Both factors are taken from
    the logit: 1 - p_t is 0 in float32 from a logit of 17 on, where a gamma below 1 would have an
    infinite gradient.

    Args:
        logit: (B,).
        label: (B,), 0 or 1.
        alpha: weight of the positive class, in [0, 1].
        gamma: focusing exponent, >= 0.
    """
    return focal_terms(logit, label, alpha, gamma).mean()


def masked_focal_loss(logit: Tensor, label: Tensor, alpha: float, gamma: float) -> Tensor:
    """Return the focal loss averaged over the labels that are known; zero where none is.

    Args:
        logit: (B, K).
        label: (B, K), 0, 1, or NaN where it is not known.
        alpha: weight of the positive class, in [0, 1].
        gamma: focusing exponent, >= 0.
    """
    known = ~label.isnan()
    terms = focal_terms(logit, torch.where(known, label, 0.0), alpha, gamma)
    return torch.where(known, terms, 0.0).sum() / known.sum().clamp_min(1)


def focal_terms(logit: Tensor, label: Tensor, alpha: float, gamma: float) -> Tensor:
    """Return the focal loss of every record, of the shape of `logit`; see `focal_loss`."""
    positive = label > 0.5
    towards_label = torch.where(positive, logit, -logit)
    alpha_t = torch.where(positive, alpha, 1.0 - alpha)
    focus = torch.exp(gamma * F.logsigmoid(-towards_label))
    cross_entropy = F.binary_cross_entropy_with_logits(logit, label, reduction="none")
    return alpha_t * focus * cross_entropy
