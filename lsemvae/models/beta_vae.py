"""Build beta-VAE on whole recordings (van der Valk et al. 2023, arXiv:2304.06476).

The raw-data fusion baseline of Table 2: the first convolution mixes the twelve leads, so there is
no form for fewer ("-" in Table 2). The loss is the mean squared error plus 1000 |KL - C| with a
capacity C that rises from 0 to 25 nats (Burgess et al. 2018, arXiv:1804.03599).

Deviation: the publication's network takes single heartbeats; this one takes whole recordings, as
the LS-EMVAE authors ran it for Table 2.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lsemvae.core.errors import InputError
from lsemvae.core.leads import LEADS, canonical_order, parse_leads
from lsemvae.core.types import KlWeight
from lsemvae.losses import gaussian_kl
from lsemvae.models.base import GenerativeNetwork, LossTerms, scalar
from lsemvae.models.lead_vae import sample
from lsemvae.nn.experts import Gaussian, bound_logvar

CHANNELS = (len(LEADS), 32, 64, 128, 256)
STRIDE = 16  # of four convolutions with stride 2


class BetaVae(GenerativeNetwork):
    """beta-VAE with convolutions over all leads: 61,771,340 parameters at full size.

    Args:
        n_samples: T, at least 16.
        latent_dim: D.
        capacity_nats: C at the end of the annealing, where `beta` of `loss` is 1.
        capacity_weight: weight of the distance between KL and C.
    """

    def __init__(
        self,
        n_samples: int = 5000,
        latent_dim: int = 256,
        *,
        capacity_nats: float = 25.0,
        capacity_weight: float = 1000.0,
    ) -> None:
        super().__init__(
            n_samples, latent_dim=latent_dim, capacity_nats=capacity_nats,
            capacity_weight=capacity_weight,
        )  # fmt: skip
        if n_samples < STRIDE:
            raise InputError(f"n_samples must be {STRIDE} or more (four halvings); got {n_samples}")
        self.latent_dim = latent_dim
        self.capacity_nats, self.capacity_weight = capacity_nats, capacity_weight
        self.n_steps = n_samples // STRIDE
        n_flat = CHANNELS[-1] * self.n_steps
        self.encoder = nn.Sequential(*(_down(*pair) for pair in pairwise(CHANNELS)))
        self.to_mean = nn.Linear(n_flat, latent_dim)
        self.to_logvar = nn.Linear(n_flat, latent_dim)
        self.from_latent = nn.Linear(latent_dim, n_flat)
        upwards = list(pairwise(reversed(CHANNELS)))
        self.decoder = nn.Sequential(
            *(_up(*pair) for pair in upwards[:-1]),
            nn.ConvTranspose1d(*upwards[-1], kernel_size=4, stride=2, padding=1),
        )

    @classmethod
    def takes(cls, leads: Sequence[str]) -> bool:
        """Tell whether these are the twelve leads."""
        return parse_leads(list(leads)) == LEADS

    def _twelve(self, ecg: Tensor, leads: Sequence[str], present: Tensor | None) -> Tensor:
        """Return the recordings in canonical order, zero in absent leads.

        Raises:
            InputError: fewer than twelve leads.
        """
        given = parse_leads(list(leads))
        if not self.takes(given):
            raise InputError(
                f"BetaVae mixes the twelve leads in its first layer and has no form for "
                f"{len(given)} ({', '.join(given)}); Table 2 has no 6-lead result either. Use "
                "twelve leads, or a method that takes any, such as LsEmvae"
            )
        ecg, _ = self._checked(ecg, leads, present)
        return ecg[:, canonical_order(leads)]

    def _posterior(self, ecg: Tensor) -> Gaussian:
        hidden = self.encoder(ecg).flatten(1)
        mean, logvar = self.to_mean(hidden).float(), self.to_logvar(hidden).float()
        with torch.autocast(ecg.device.type, enabled=False):
            return Gaussian(mean, bound_logvar(logvar))

    def _decode(self, z: Tensor) -> Tensor:
        hidden = self.from_latent(z).unflatten(1, (CHANNELS[-1], self.n_steps))
        waves: Tensor = self.decoder(hidden)
        return F.pad(waves, (0, self.n_samples - waves.shape[-1]))

    def feature_dim(self, leads: Sequence[str]) -> int:
        """Return D."""
        return self.latent_dim

    def encode(self, ecg: Tensor, leads: Sequence[str], present: Tensor | None = None) -> Tensor:
        """Return the posterior's mean, (B, D)."""
        return self._posterior(self._twelve(ecg, leads, present)).mean

    def uncertainty(
        self, ecg: Tensor, leads: Sequence[str], present: Tensor | None = None
    ) -> Tensor:
        """Return the mean log variance of the posterior, (B,)."""
        return self._posterior(self._twelve(ecg, leads, present)).logvar.mean(-1)

    def encode_with_uncertainty(
        self, ecg: Tensor, leads: Sequence[str], present: Tensor | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """Return features and uncertainty of one posterior."""
        posterior = self._posterior(self._twelve(ecg, leads, present))
        return posterior.mean, posterior.logvar.mean(-1)

    def reconstruct(
        self, ecg: Tensor, leads: Sequence[str], present: Tensor | None = None
    ) -> Tensor:
        """Decode the posterior's mean, (B, 12, T)."""
        return self._decode(self.encode(ecg, leads, present))

    def loss(
        self,
        ecg: Tensor,
        leads: Sequence[str],
        *,
        beta: KlWeight,
        present: Tensor | None = None,
        visible: Tensor | None = None,
    ) -> LossTerms:
        """Return mean squared error + `capacity_weight` |KL - beta `capacity_nats`|."""
        target = self._twelve(ecg, leads, present)
        counted = torch.ones_like(ecg[..., 0]) if present is None else present.to(ecg.dtype)
        counted = counted[:, canonical_order(leads)]
        shown = target
        if visible is not None:
            shown = self._twelve(ecg, leads, visible if present is None else visible & present)
        posterior = self._posterior(shown)
        decoded = self._decode(sample(posterior))
        with torch.autocast(ecg.device.type, enabled=False):
            error = (decoded.float() - target.float()).square().mean(-1)
            reconstruction = (error * counted).sum() / counted.sum()
            kl = gaussian_kl(posterior.mean, posterior.logvar).mean()
        capacity = beta * self.capacity_nats
        total = reconstruction + self.capacity_weight * (kl - capacity).abs()
        terms: dict[str, Any] = {
            "reconstruction": reconstruction,
            "kl": kl,
            "capacity": scalar(capacity, kl),
        }
        return LossTerms(total, terms)


def _down(n_in: int, n_out: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv1d(n_in, n_out, kernel_size=4, stride=2, padding=1),
        nn.BatchNorm1d(n_out),
        nn.LeakyReLU(),
    )


def _up(n_in: int, n_out: int) -> nn.Sequential:
    return nn.Sequential(
        nn.ConvTranspose1d(n_in, n_out, kernel_size=4, stride=2, padding=1),
        nn.BatchNorm1d(n_out),
        nn.LeakyReLU(),
    )
