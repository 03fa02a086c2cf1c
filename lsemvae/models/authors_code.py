"""Build LS-EMVAE, MVAE and MoPoE-VAE as the LS-EMVAE authors' published code computes them.

For comparison only: the code differs from the paper in nearly every step of the fusion. Experts of
three neighbouring leads are multiplied into groups; where several Gaussians are joined, means and
log variances are averaged; the KL divergence is that of the plain mean of the lead posteriors (of
the fused one for MoPoE-VAE); squared errors are summed and weigh 1e-3, an observation variance of
500; there is no gate. Downstream features are the lead means side by side, so the fusion is not
used there at all.

Deviations: leads are found by name (the code swaps aVF and aVL), no batch is discarded, and the
head is trained as every other one (the code has cross-entropy: `--focal_gamma 0 --focal_alpha .5`).
"""

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

from lsemvae.core.errors import InputError
from lsemvae.core.leads import lead_indices
from lsemvae.core.types import KlWeight
from lsemvae.losses import gaussian_kl
from lsemvae.models.base import LossTerms, scalar
from lsemvae.models.lead_vae import LeadVae, sample
from lsemvae.models.objective import DEFAULT_RECONSTRUCTION
from lsemvae.nn.experts import Gaussian, product_of_experts
from lsemvae.nn.lead_subsets import subset_products

RECONSTRUCTION_WEIGHT = 1e-3
ALIGNMENT_WEIGHT = 0.1
GROUP = 3

AuthorsMethod = Literal["ls_emvae", "mvae", "mopoe_vae"]


class AuthorsCode(LeadVae):
    """A multimodal VAE of Table 2 as its numbers were made.

    Args:
        n_samples: T.
        latent_dim: D.
        method: `ls_emvae` (mean of four products of three leads, one decoder, alignment),
            `mopoe_vae` (the same products, twelve decoders) or `mvae` (the product of all leads and
            the prior, twelve decoders, no sub-sampled bounds).
    """

    def __init__(
        self, n_samples: int = 5000, latent_dim: int = 256, *, method: AuthorsMethod = "ls_emvae"
    ) -> None:
        if method not in ("ls_emvae", "mvae", "mopoe_vae"):
            raise InputError(f"method must be ls_emvae, mvae or mopoe_vae, got {method!r}")
        super().__init__(
            n_samples,
            latent_dim,
            decoder="published" if method == "ls_emvae" else "per_lead",
            objective=DEFAULT_RECONSTRUCTION,
            init_args={"method": method},
        )
        self.method = method

    def feature_dim(self, leads: Sequence[str]) -> int:
        """Return L x D."""
        return len(leads) * self.latent_dim

    def encode(self, ecg: Tensor, leads: Sequence[str], present: Tensor | None = None) -> Tensor:
        """Return the lead means side by side, (B, L x D)."""
        return self.lead_means(ecg, leads, present)

    def posterior(
        self, ecg: Tensor, leads: Sequence[str], present: Tensor | None = None
    ) -> Gaussian:
        """Return the fused posterior, (B, D)."""
        ecg, present = self._checked(ecg, leads, present)
        experts = self.lead_posteriors(ecg, present, leads)
        with torch.autocast(ecg.device.type, enabled=False):
            return self._fused(experts, present, leads)

    def _fused(self, experts: Gaussian, present: Tensor, leads: Sequence[str]) -> Gaussian:
        if self.method == "mvae":
            return product_of_experts(*experts, present, prior_expert=True)
        rank = torch.tensor(lead_indices(leads), device=present.device).argsort().argsort()
        groups = functional.one_hot(rank // GROUP).T.bool()  # (G, L)
        members = groups & present.unsqueeze(1)
        there = members.any(-1)
        products = subset_products(*experts, members, prior=(~there).float())
        return plain_mean(products, there)

    def loss(
        self,
        ecg: Tensor,
        leads: Sequence[str],
        *,
        beta: KlWeight,
        present: Tensor | None = None,
        visible: Tensor | None = None,
    ) -> LossTerms:
        """Return 1e-3 summed squared error + beta KL (+ 0.1 alignment for LS-EMVAE)."""
        ecg, present = self._checked(ecg, leads, present)
        seen = present if visible is None else present & visible
        experts = self.lead_posteriors(ecg, seen, leads)
        with torch.autocast(ecg.device.type, enabled=False):
            fused, centre = self._fused(experts, seen, leads), plain_mean(experts, seen)
            z = sample(fused)
        decoded = self.decoder(z)
        with torch.autocast(ecg.device.type, enabled=False):
            reconstruction = self.weighted_error(decoded, ecg, leads, present).mean()
            of_kl = fused if self.method == "mopoe_vae" else centre
            kl = gaussian_kl(of_kl.mean, of_kl.logvar).mean()
            distance = (experts.mean - centre.mean.unsqueeze(1)).square().mean(-1)
            alignment = (torch.where(seen, distance, 0.0).sum(1) / seen.sum(1)).mean()
        total = RECONSTRUCTION_WEIGHT * reconstruction + beta * kl
        variance = beta / (2 * RECONSTRUCTION_WEIGHT)  # 500 at beta 1: collapse is to be expected
        terms = {
            "reconstruction": reconstruction,
            "kl": kl,
            "observation_variance": scalar(variance, kl),
        }
        if self.method == "ls_emvae":
            total = total + ALIGNMENT_WEIGHT * alignment
            terms["alignment"] = alignment
        return LossTerms(total, terms)


def plain_mean(experts: Gaussian, present: Tensor) -> Gaussian:
    """Average means and log variances over the present experts, (B, K, D) to (B, D)."""
    weight = (present / present.sum(1, keepdim=True)).unsqueeze(-1)
    mean, logvar = (torch.where(weight > 0, part, 0.0) for part in experts)
    return Gaussian((weight * mean).sum(1), (weight * logvar).sum(1))
