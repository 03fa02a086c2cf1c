"""Share what the variational autoencoders with one encoder per lead have in common."""

import warnings
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import torch
from torch import Tensor

from lsemvae.core.leads import LEADS, canonical_order, lead_indices
from lsemvae.losses import squared_error_per_lead, weighted_reconstruction
from lsemvae.models.base import GenerativeNetwork
from lsemvae.models.objective import ReconstructionObjective
from lsemvae.nn.decoders import DecoderKind, build_decoder
from lsemvae.nn.experts import Gaussian, bound_logvar
from lsemvae.nn.lead_encoders import LeadEncoderBank


class DiagonalGaussian(Protocol):
    """Whatever has a mean and a log variance, (B, D) each."""

    @property
    def mean(self) -> Tensor:
        """Mean, (B, D)."""

    @property
    def logvar(self) -> Tensor:
        """Log variance, (B, D)."""


class LeadVae(GenerativeNetwork):
    """Twelve lead encoders, a decoder and the reconstruction term; a method adds its fusion.

    Args:
        n_samples: T.
        latent_dim: D.
        decoder: kind of decoder.
        objective: how squared errors enter the loss.
        init_args: further constructor arguments of the method, as plain values.
    """

    def __init__(
        self,
        n_samples: int,
        latent_dim: int,
        *,
        decoder: DecoderKind,
        objective: ReconstructionObjective,
        init_args: Mapping[str, Any],
    ) -> None:
        super().__init__(n_samples, latent_dim=latent_dim, **init_args)
        self.latent_dim = latent_dim
        self.encoders = LeadEncoderBank(n_samples, 2 * latent_dim)
        self.decoder = build_decoder(decoder, latent_dim, n_samples)
        self._reduction = objective.reconstruction
        self.register_buffer("lead_weights", objective.weight_per_lead())
        self.lead_weights: Tensor
        self._warn(decoder, objective)

    def _warn(self, decoder: DecoderKind, objective: ReconstructionObjective) -> None:
        """Say aloud which of the paper's choices cannot work."""
        if objective.reconstruction == "mean":
            variance = objective.observation_variance(1.0, self.n_samples)
            warnings.warn(
                f"reconstruction=mean sets the observation variance to {variance:g} at beta = 1: "
                "the posterior collapses on signals of unit variance; sum sets it to 0.5",
                stacklevel=4,
            )
        if decoder == "published":
            warnings.warn(
                "decoder=published yields twelve equal waveforms, their mean at best; "
                "multichannel, conditioned and per_lead tell the leads apart",
                stacklevel=4,
            )

    def feature_dim(self, leads: Sequence[str]) -> int:
        """Return D."""
        return self.latent_dim

    @abstractmethod
    def posterior(
        self, ecg: Tensor, leads: Sequence[str], present: Tensor | None = None
    ) -> DiagonalGaussian:
        """Return the fused posterior, mean and log variance (B, D); arguments as in `encode`."""

    def code(self, ecg: Tensor, leads: Sequence[str], present: Tensor | None = None) -> Tensor:
        """Return the mean of the fused posterior, (B, D); arguments as in `encode`."""
        return self.posterior(ecg, leads, present).mean

    def uncertainty(
        self, ecg: Tensor, leads: Sequence[str], present: Tensor | None = None
    ) -> Tensor:
        """Return the mean log variance of the fused posterior, (B,)."""
        return self.posterior(ecg, leads, present).logvar.mean(-1)

    def reconstruct(
        self, ecg: Tensor, leads: Sequence[str], present: Tensor | None = None
    ) -> Tensor:
        """Decode the mean of the fused posterior into all twelve leads, (B, 12, T)."""
        decoded: Tensor = self.decoder(self.code(ecg, leads, present))
        return decoded

    def lead_posteriors(self, ecg: Tensor, present: Tensor, leads: Sequence[str]) -> Gaussian:
        """Return the expert of every lead, (B, L, D) in the order given, standard where absent."""
        return self.experts_of(self.encoders(ecg, leads), present)

    def experts_of(self, output: Tensor, present: Tensor) -> Gaussian:
        """Return the expert of every lead from what its encoder gave, (B, L, 2 D)."""
        mean, logvar = output.float().chunk(2, -1)
        absent = ~present.unsqueeze(-1)
        with torch.autocast(output.device.type, enabled=False):
            bounded = bound_logvar(logvar).masked_fill(absent, 0.0)
        return Gaussian(mean.masked_fill(absent, 0.0), bounded)

    def lead_means(self, ecg: Tensor, leads: Sequence[str], present: Tensor | None) -> Tensor:
        """Return the means of the leads side by side in canonical order, absent ones zero."""
        ecg, present = self._checked(ecg, leads, present)
        mean = self.encoders(ecg, leads, self.latent_dim).float()
        mean = torch.where(present.unsqueeze(-1), mean, 0.0)
        return mean[:, canonical_order(leads)].flatten(1)

    def weighted_error(
        self, decoded: Tensor, ecg: Tensor, leads: Sequence[str], counted: Tensor
    ) -> Tensor:
        """Return the reconstruction term of each recording (equation 2, first term).

        Args:
            decoded: (..., B, 12, T).
            ecg: (B, L, T).
            leads: names of the L leads.
            counted: (..., B, L) bool, leads whose error counts.

        Returns:
            (..., B).
        """
        order = lead_indices(leads)
        # Twelve leads in canonical order need no copy of the decoded signals.
        chosen = decoded if order == list(range(len(LEADS))) else decoded[..., order, :]
        error = squared_error_per_lead(chosen.float(), ecg.float(), self._reduction)
        return weighted_reconstruction(error, self.lead_weights[order], counted)


def sample(gaussian: Gaussian) -> Tensor:
    """Draw z = mean + sigma * eps by the reparameterisation trick, (..., D)."""
    noise = torch.randn_like(gaussian.mean)
    return gaussian.mean + torch.exp(0.5 * gaussian.logvar) * noise
