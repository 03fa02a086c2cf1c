"""Build LS-EMVAE: the lead-specific ECG multimodal variational autoencoder (paper section 2).

Each lead is a modality with an encoder of its own. Their posteriors are multiplied (product of
experts), the product joins the lead experts, a gate weighs all of them and the mixture's first two
moments are the posterior. One decoder yields all twelve leads from it, whatever was given.

Deviations from the paper, each with its reason in docs/method.md: the decoder knows the lead
(default `multichannel`; `published` is the paper's), squared errors are summed over time by
default, and the gate has a floor.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from lsemvae.core.errors import InputError
from lsemvae.core.leads import LEADS, lead_indices
from lsemvae.core.types import KlWeight
from lsemvae.losses import alignment_distance, gaussian_kl
from lsemvae.models.base import LossTerms, scalar
from lsemvae.models.lead_vae import LeadVae, sample
from lsemvae.models.objective import DEFAULT_OBJECTIVE, ElboObjective
from lsemvae.nn.decoders import DecoderKind
from lsemvae.nn.experts import Gaussian, mixture_of_experts, product_of_experts
from lsemvae.nn.gate import ExpertGate, uniform_weights

POE = "PoE"
EXPERTS = (*LEADS, POE)


@dataclass(frozen=True)
class Fusion:
    """How lead experts become one posterior.

    Attributes:
        kind: `poe_moe` is the paper's; `moe` leaves the product expert out and `poe` is the product
            alone (ablations of Fig. 2).
        gate: `learned`, or `uniform` weights (ablation).
        gate_floor: share of the weight that is spread evenly, see `ExpertGate`. Without it the gate
            ended on one expert in every run; .2 was better on held-out tasks (docs/results.md).
        prior_expert: count the prior N(0, I) among the factors of the product.
    """

    kind: Literal["poe_moe", "moe", "poe"] = "poe_moe"
    gate: Literal["learned", "uniform"] = "learned"
    gate_floor: float = 0.2
    prior_expert: bool = False

    def __post_init__(self) -> None:
        """Reject a floor outside [0, 1)."""
        if not 0.0 <= self.gate_floor < 1.0:
            raise InputError(f"gate_floor must be in [0, 1), got {self.gate_floor}")


class Posterior(NamedTuple):
    """The fused posterior and the experts that it came from.

    Attributes:
        mean: (B, D).
        logvar: (B, D).
        expert_mean: (B, K, D), the leads in the order given, then the product if it takes part.
        expert_logvar: (B, K, D).
        expert_present: (B, K) bool.
        weight: (B, K) weights of the mixture.
    """

    mean: Tensor
    logvar: Tensor
    expert_mean: Tensor
    expert_logvar: Tensor
    expert_present: Tensor
    weight: Tensor


class LsEmvae(LeadVae):
    """LS-EMVAE with 12 lead encoders, expert fusion and one decoder.

    Args:
        n_samples: T; the paper's recordings are 10 s at 500 Hz.
        latent_dim: D (paper section 3: 256).
        decoder: `multichannel`, `conditioned`, `per_lead` or the paper's `published`.
        fusion: how experts are combined.
        objective: weights of the loss.
        feature: what downstream tasks see: the mean of the mixture (D features) or the means of the
            leads side by side (L x D).
    """

    reading_args = frozenset({"feature"})

    def __init__(
        self,
        n_samples: int = 5000,
        latent_dim: int = 256,
        *,
        decoder: DecoderKind = "multichannel",
        fusion: Fusion = Fusion(),
        objective: ElboObjective = DEFAULT_OBJECTIVE,
        feature: Literal["mixture_mean", "lead_means"] = "mixture_mean",
    ) -> None:
        plain = {
            "decoder": decoder,
            "fusion": asdict(fusion),
            "objective": asdict(objective),
            "feature": feature,
        }
        super().__init__(
            n_samples, latent_dim, decoder=decoder, objective=objective, init_args=plain
        )
        self.fusion, self.objective, self.feature = fusion, objective, feature
        has_gate = fusion.gate == "learned" and fusion.kind != "poe"
        n_scorers = len(LEADS) if fusion.kind == "moe" else len(EXPERTS)
        self.gate = ExpertGate(n_scorers, latent_dim, floor=fusion.gate_floor) if has_gate else None

    def posterior(
        self, ecg: Tensor, leads: Sequence[str], present: Tensor | None = None
    ) -> Posterior:
        """Return q(z | leads) with its experts; shapes as in `EcgNetwork.encode`."""
        return self._posterior(*self._checked(ecg, leads, present), leads)

    def _posterior(self, ecg: Tensor, present: Tensor, leads: Sequence[str]) -> Posterior:
        return self.fused(self.encoders(ecg, leads), present, leads)

    def fused(self, output: Tensor, present: Tensor, leads: Sequence[str]) -> Posterior:
        """Return the posterior from what the lead encoders gave, (B, L, 2 D)."""
        mean, logvar = self.experts_of(output, present)
        with torch.autocast(output.device.type, enabled=False):
            return self.fuse(mean, logvar, present, lead_indices(leads))

    def fuse(self, mean: Tensor, logvar: Tensor, present: Tensor, expert: list[int]) -> Posterior:
        """Fuse lead experts (B, L, D), zero where absent, whose scorers are `expert`."""
        product = product_of_experts(mean, logvar, present, prior_expert=self.fusion.prior_expert)
        if self.fusion.kind != "moe":
            mean = torch.cat([mean, product.mean.unsqueeze(1)], 1)
            logvar = torch.cat([logvar, product.logvar.unsqueeze(1)], 1)
            present = torch.cat([present, present.any(1, keepdim=True)], 1)
            expert = [*expert, EXPERTS.index(POE)]
        weight = self._weights(mean, logvar, present, expert)
        fused = product if self.fusion.kind == "poe" else mixture_of_experts(mean, logvar, weight)
        return Posterior(fused.mean, fused.logvar, mean, logvar, present, weight)

    def _weights(self, mean: Tensor, logvar: Tensor, present: Tensor, expert: list[int]) -> Tensor:
        if self.fusion.kind == "poe":
            only_product = torch.zeros_like(present, dtype=mean.dtype)
            only_product[:, -1] = 1.0
            return only_product
        if self.gate is None:
            return uniform_weights(present)
        weight: Tensor = self.gate(mean, logvar, present, expert)
        return weight

    def feature_dim(self, leads: Sequence[str]) -> int:
        """Return D, or L x D for `lead_means`."""
        return self.latent_dim * (len(leads) if self.feature == "lead_means" else 1)

    def encode(self, ecg: Tensor, leads: Sequence[str], present: Tensor | None = None) -> Tensor:
        """Return the posterior's mean (B, D), or all lead means (B, L x D), absent ones zero."""
        if self.feature == "mixture_mean":
            return self.code(ecg, leads, present)
        return self.lead_means(ecg, leads, present)

    def encode_with_uncertainty(
        self, ecg: Tensor, leads: Sequence[str], present: Tensor | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """Return features and uncertainty, of one posterior where both come from it."""
        if self.feature != "mixture_mean":
            return super().encode_with_uncertainty(ecg, leads, present)
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
        """Return the objective of `ElboObjective` on one sample z per recording."""
        ecg, present = self._checked(ecg, leads, present)
        if visible is None:
            posterior = self._posterior(ecg, present, leads)
        else:
            posterior = self.posterior(ecg, leads, visible & present)
        decoded = self.decoder(sample(Gaussian(posterior.mean, posterior.logvar)))
        with torch.autocast(ecg.device.type, enabled=False):
            reconstruction = self.weighted_error(decoded, ecg, leads, present).mean()
            return self._terms(reconstruction, posterior, beta)

    def _terms(self, reconstruction: Tensor, posterior: Posterior, beta: KlWeight) -> LossTerms:
        kl = gaussian_kl(posterior.mean, posterior.logvar).mean()
        alignment = alignment_distance(
            posterior.expert_mean, posterior.mean, posterior.expert_present
        ).mean()
        total = reconstruction + beta * kl + self.objective.gamma * alignment
        variance = self.objective.observation_variance(beta, self.n_samples)
        terms = {
            "reconstruction": reconstruction,
            "kl": kl,
            "alignment": alignment,
            "observation_variance": scalar(variance, kl),
        }
        return LossTerms(total, terms)
