"""Build MVAE: a multimodal VAE with a product of experts (Wu and Goodman 2018, arXiv:1802.05335).

Each lead is a modality with an encoder and a decoder of its own. The posterior of a subset of leads
is the product of their experts with the prior N(0, I), which always takes part. The loss is the
negative sum of the evidence lower bounds of all leads, of every single lead and of M random
subsets; each reconstructs its own members only. Features are the mean of the product over the leads
present.

Deviations: encoders and decoders are those of LS-EMVAE, as in the paper's comparison; the random
subset is drawn for every recording rather than once for a batch, at the same cost.
"""

from collections.abc import Sequence
from dataclasses import asdict

import torch
from torch import Tensor

from lsemvae.core.errors import InputError
from lsemvae.core.leads import LEADS, lead_indices
from lsemvae.core.types import KlWeight
from lsemvae.losses import gaussian_kl
from lsemvae.models.base import LossTerms, scalar
from lsemvae.models.lead_vae import LeadVae, sample
from lsemvae.models.objective import DEFAULT_RECONSTRUCTION, ReconstructionObjective
from lsemvae.nn.experts import Gaussian, product_of_experts
from lsemvae.nn.lead_subsets import random_subsets, subset_products


class Mvae(LeadVae):
    """MVAE with twelve lead encoders and twelve decoders: 369,344,460 parameters at full size.

    Args:
        n_samples: T.
        latent_dim: D.
        objective: how squared errors enter the loss.
        n_subsets: M, random subsets per recording and step (publication: 1).
    """

    def __init__(
        self,
        n_samples: int = 5000,
        latent_dim: int = 256,
        *,
        objective: ReconstructionObjective = DEFAULT_RECONSTRUCTION,
        n_subsets: int = 1,
    ) -> None:
        if n_subsets < 0:
            raise InputError(f"n_subsets must be >= 0, got {n_subsets}")
        plain = {"objective": asdict(objective), "n_subsets": n_subsets}
        super().__init__(
            n_samples, latent_dim, decoder="per_lead", objective=objective, init_args=plain
        )
        self.objective, self.n_subsets = objective, n_subsets

    def posterior(
        self, ecg: Tensor, leads: Sequence[str], present: Tensor | None = None
    ) -> Gaussian:
        """Return the product of the present leads and the prior, (B, D)."""
        ecg, present = self._checked(ecg, leads, present)
        mean, logvar = self.lead_posteriors(ecg, present, leads)
        with torch.autocast(ecg.device.type, enabled=False):
            return product_of_experts(mean, logvar, present, prior_expert=True)

    def encode(self, ecg: Tensor, leads: Sequence[str], present: Tensor | None = None) -> Tensor:
        """Return the posterior's mean, (B, D)."""
        return self.code(ecg, leads, present)

    def encode_with_uncertainty(
        self, ecg: Tensor, leads: Sequence[str], present: Tensor | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """Return features and uncertainty of one posterior."""
        posterior = self.posterior(ecg, leads, present)
        return posterior.mean, posterior.logvar.mean(-1)

    def loss(
        self,
        ecg: Tensor,
        leads: Sequence[str],
        *,
        beta: KlWeight,
        present: Tensor | None = None,
        visible: Tensor | None = None,
    ) -> LossTerms:
        """Return the negative sum of the bounds; leads that are not visible take no part in any."""
        ecg, present = self._checked(ecg, leads, present)
        seen = present if visible is None else present & visible
        mean, logvar = self.lead_posteriors(ecg, seen, leads)
        joint = torch.cat([seen.unsqueeze(1), random_subsets(seen, self.n_subsets)], 1)
        single = torch.diag_embed(seen)
        with torch.autocast(ecg.device.type, enabled=False):
            # (B, 1 + M + L, D): all leads, random subsets, every lead by itself.
            posterior = subset_products(mean, logvar, torch.cat([joint, single], 1), prior=1.0)
            z = sample(posterior)
        n_joint = joint.shape[1]
        of_joint, of_single = self._decode(z[:, :n_joint], z[:, n_joint:], leads)
        with torch.autocast(ecg.device.type, enabled=False):
            error = self.weighted_error(of_joint, ecg, leads, joint.transpose(0, 1)).mean(1)
            error_single = self.weighted_error(of_single, ecg, leads, seen).mean()
            kl = gaussian_kl(posterior.mean, posterior.logvar).mean(0)
        variance = self.objective.observation_variance(beta, self.n_samples)
        terms = {
            "reconstruction": error[0],
            "kl": kl[0],
            "reconstruction_single_leads": error_single,
            "kl_single_leads": kl[n_joint:].sum(),
            "reconstruction_subsets": error[1:].sum(),
            "kl_subsets": kl[1:n_joint].sum(),
            "observation_variance": scalar(variance, error),
        }
        total = error.sum() + error_single + beta * kl.sum()
        return LossTerms(total, terms)

    def _decode(self, joint: Tensor, single: Tensor, leads: Sequence[str]) -> tuple[Tensor, Tensor]:
        """Decode joint codes (B, S, D) into all leads and each lead's own (B, L, D) into itself.

        Returns:
            (S, B, 12, T) and (B, 12, T), from one pass through the decoders.
        """
        n_records, n_joint, latent_dim = joint.shape
        codes = joint.transpose(0, 1).reshape(1, n_joint * n_records, latent_dim)
        own = single.new_zeros(len(LEADS), n_records, latent_dim)
        own = own.index_copy(0, torch.tensor(lead_indices(leads), device=own.device),
                             single.transpose(0, 1))  # fmt: skip
        decoded = self.decoder(torch.cat([codes.expand(len(LEADS), -1, -1), own], 1))
        of_joint, of_single = decoded.split([n_joint * n_records, n_records])
        return of_joint.unflatten(0, (n_joint, n_records)), of_single
