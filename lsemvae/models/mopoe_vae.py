"""Build MoPoE-VAE: a mixture of products of experts (Sutter et al. 2021, arXiv:2105.02470).

Each lead is a modality with an encoder and a decoder of its own. The posterior is the mixture of
the products of all non-empty subsets of the leads that are there, 4,095 of them with twelve. Per
recording one subset is drawn and its code decoded into every lead; the KL divergence is bounded by
its mean over the subsets, exact or from a sample. Features are the mean of the mixture.

Deviations: encoders and decoders are those of LS-EMVAE, as in the paper's comparison. Subsets are
drawn by `stratified_distribution` by default, because under the publication's uniform mixture the
six limb leads are one draw in 4,095; `subsets: uniform` and `importance_weights` give the uniform
objective. The publication slices a batch evenly over the subsets, which gives every recording the
full set as soon as there are more subsets than recordings.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from lsemvae.core.errors import InputError
from lsemvae.core.leads import lead_indices
from lsemvae.core.types import KlWeight
from lsemvae.losses import gaussian_kl
from lsemvae.models.base import LossTerms, scalar
from lsemvae.models.lead_vae import LeadVae, sample
from lsemvae.models.objective import DEFAULT_RECONSTRUCTION, ReconstructionObjective
from lsemvae.nn.experts import Gaussian
from lsemvae.nn.lead_subsets import (
    N_LEADS,
    all_subsets,
    stratified_distribution,
    subset_products,
    uniform_distribution,
)

PriorExpert = Literal["none", "full_only", "always"]
CHUNK = 512  # subsets at a time: B x 512 x D numbers instead of B x 4,095 x D


class LeadExperts(NamedTuple):
    """Experts of the twelve leads in canonical order.

    Attributes:
        mean: (B, 12, D).
        logvar: (B, 12, D).
        present: (B, 12) bool.
    """

    mean: Tensor
    logvar: Tensor
    present: Tensor


class MopoeVae(LeadVae):
    """MoPoE-VAE with twelve lead encoders and decoders: 369,344,460 parameters at full size.

    Args:
        n_samples: T.
        latent_dim: D.
        objective: how squared errors enter the loss.
        subsets: distribution over the subsets, `stratified` or the publication's `uniform`.
        importance_weights: weigh stratified draws so that the uniform objective is estimated.
        kl: `sampled` over `n_kl_subsets` draws per recording, or `exact` over all subsets.
        n_kl_subsets: at 64 the standard error was 3.8 of 262 nats, at 1 it was 29.
        prior_expert: subsets whose product holds the prior N(0, I): the twelve leads only
            (publication), none or all.
    """

    def __init__(
        self,
        n_samples: int = 5000,
        latent_dim: int = 256,
        *,
        objective: ReconstructionObjective = DEFAULT_RECONSTRUCTION,
        subsets: Literal["stratified", "uniform"] = "stratified",
        importance_weights: bool = False,
        kl: Literal["sampled", "exact"] = "sampled",
        n_kl_subsets: int = 64,
        prior_expert: PriorExpert = "full_only",
    ) -> None:
        if n_kl_subsets < 1:
            raise InputError(f"n_kl_subsets must be >= 1, got {n_kl_subsets}")
        plain: dict[str, Any] = {
            "objective": asdict(objective), "subsets": subsets,
            "importance_weights": importance_weights, "kl": kl, "n_kl_subsets": n_kl_subsets,
            "prior_expert": prior_expert,
        }  # fmt: skip
        super().__init__(
            n_samples, latent_dim, decoder="per_lead", objective=objective, init_args=plain
        )
        self.objective, self.importance_weights = objective, importance_weights
        self.kl, self.n_kl_subsets, self.prior_expert = kl, n_kl_subsets, prior_expert
        members = all_subsets()
        draw = uniform_distribution if subsets == "uniform" else stratified_distribution
        self.register_buffer("members", members)
        self.register_buffer("probability", draw(members))
        self.members: Tensor
        self.probability: Tensor

    def experts(self, ecg: Tensor, leads: Sequence[str], present: Tensor) -> LeadExperts:
        """Return the experts of twelve leads, those that were not given as absent."""
        given = lead_indices(leads)
        place = [given.index(lead) if lead in given else len(given) for lead in range(N_LEADS)]
        index = torch.tensor(place, device=ecg.device)

        def spread(values: Tensor) -> Tensor:
            absent = torch.zeros_like(values[:, :1])
            return torch.cat([values, absent], 1).index_select(1, index)

        mean, logvar = self.lead_posteriors(ecg, present, leads)
        return LeadExperts(spread(mean), spread(logvar), spread(present))

    @property
    def target(self) -> Tensor:
        """Distribution over the subsets that the objective is about, (4095,)."""
        return torch.ones_like(self.probability) if self.importance_weights else self.probability

    def subset_weights(self, present: Tensor, probability: Tensor) -> Tensor:
        """Return the probability of every subset of the leads that are there, (B, 4095)."""
        missing = (~present).float() @ self.members.float().T
        allowed = torch.where(missing == 0, probability, 0.0)
        return allowed / allowed.sum(-1, keepdim=True)

    def subset_posteriors(self, experts: LeadExperts, members: Tensor) -> Gaussian:
        """Return the products of subsets, (B, S, D).

        Args:
            experts: of twelve leads.
            members: (B, S, 12) or (S, 12) bool.
        """
        prior = {
            "none": torch.zeros_like(members[..., 0], dtype=torch.float32),
            "full_only": members.all(-1).float(),
            "always": torch.ones_like(members[..., 0], dtype=torch.float32),
        }[self.prior_expert]
        return subset_products(experts.mean, experts.logvar, members, prior)

    def _chunks(self, weight: Tensor) -> list[tuple[Tensor, Tensor]]:
        """Split the subsets that any recording of the batch has into weights and members."""
        if torch.compiler.is_exporting():  # a graph cannot depend on what is in the batch
            parts = torch.split(weight, CHUNK, 1), torch.split(self.members, CHUNK)
            return list(zip(*parts, strict=True))
        used = weight.sum(0).nonzero().squeeze(-1)
        return [(weight[:, part], self.members[part]) for part in torch.split(used, CHUNK)]

    def encode(self, ecg: Tensor, leads: Sequence[str], present: Tensor | None = None) -> Tensor:
        """Return the mean of the mixture, (B, D)."""
        return self.code(ecg, leads, present)

    def code(self, ecg: Tensor, leads: Sequence[str], present: Tensor | None = None) -> Tensor:
        """Return the mean of `posterior`, (B, D), without the cost of its variance."""
        ecg, present = self._checked(ecg, leads, present)
        experts = self.experts(ecg, leads, present)
        with torch.autocast(ecg.device.type, enabled=False):
            return self._expectation(experts, lambda product: product.mean)

    def posterior(
        self, ecg: Tensor, leads: Sequence[str], present: Tensor | None = None
    ) -> Gaussian:
        """Return the Gaussian with the moments of the mixture over all subsets, (B, D)."""
        ecg, present = self._checked(ecg, leads, present)
        experts = self.experts(ecg, leads, present)
        with torch.autocast(ecg.device.type, enabled=False):
            mean = self._expectation(experts, lambda product: product.mean)
            centre = mean.unsqueeze(1)
            variance = self._expectation(
                experts, lambda product: product.logvar.exp() + (product.mean - centre).square()
            )
        return Gaussian(mean, variance.log())

    def _expectation(self, experts: LeadExperts, moment: Callable[[Gaussian], Tensor]) -> Tensor:
        """Return the mean over subsets of a moment (B, S, D) of their products, (B, D)."""
        weight = self.subset_weights(experts.present, self.target)
        means = [
            torch.einsum("bs,bsd->bd", part, moment(self.subset_posteriors(experts, members)))
            for part, members in self._chunks(weight)
        ]
        return torch.stack(means).sum(0)

    def loss(
        self,
        ecg: Tensor,
        leads: Sequence[str],
        *,
        beta: KlWeight,
        present: Tensor | None = None,
        visible: Tensor | None = None,
    ) -> LossTerms:
        """Return the objective; every present lead is reconstructed from every subset."""
        ecg, present = self._checked(ecg, leads, present)
        seen = present if visible is None else present & visible
        experts = self.experts(ecg, leads, seen)
        with torch.autocast(ecg.device.type, enabled=False):
            weight = self.subset_weights(experts.present, self.probability)
            n_draws = self.n_kl_subsets if self.kl == "sampled" else 1
            drawn = torch.multinomial(weight, n_draws, replacement=True)
            importance = self._importance(weight, drawn, experts.present)
            posterior = self.subset_posteriors(experts, self.members[drawn])
            z = sample(Gaussian(posterior.mean[:, 0], posterior.logvar[:, 0]))
        decoded = self.decoder(z)
        with torch.autocast(ecg.device.type, enabled=False):
            error = self.weighted_error(decoded, ecg, leads, present)
            reconstruction = (importance[:, 0] * error).mean()
            if self.kl == "exact":
                kl = self.exact_kl(experts).mean()
            else:
                kl = (importance * gaussian_kl(posterior.mean, posterior.logvar)).mean()
        variance = self.objective.observation_variance(beta, self.n_samples)
        terms = {
            "reconstruction": reconstruction,
            "kl": kl,
            "subset_size": self.members[drawn].sum(-1).float().mean(),
            "observation_variance": scalar(variance, kl),
        }
        return LossTerms(reconstruction + beta * kl, terms)

    def _importance(self, weight: Tensor, drawn: Tensor, present: Tensor) -> Tensor:
        """Return target over drawing probability of the drawn subsets, (B, S)."""
        target = self.subset_weights(present, self.target)
        return target.gather(1, drawn) / weight.gather(1, drawn)

    def exact_kl(self, experts: LeadExperts) -> Tensor:
        """Return the KL divergence averaged over all subsets of the leads that are there, (B,).

        Chunks are computed again in the backward pass, so memory does not grow with their number.
        """
        weight = self.subset_weights(experts.present, self.target)

        def of_chunk(part: Tensor, members: Tensor, *moments: Tensor) -> Tensor:
            posterior = self.subset_posteriors(LeadExperts(*moments), members)
            return (part * gaussian_kl(posterior.mean, posterior.logvar)).sum(-1)

        parts = [
            checkpoint(of_chunk, part, members, *experts, use_reentrant=False)
            for part, members in self._chunks(weight)
        ]
        return torch.stack(parts).sum(0)
