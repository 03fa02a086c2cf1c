"""Build LS-EMVAE on the single heartbeats of whole recordings: the recommended recipe.

The network finds the beats of a recording and gives each to an `LsEmvae`: lead encoders, product
of experts, gate and mixture are the paper's. What is new is how it is pre-trained, and that the
features of a recording are those of its beats, averaged (docs/pretraining.md has every trial).

In pre-training a recording is seen through two of its beats, changed at random. A random part of
the leads sees the first, the other leads see the second. Each part has a fused code, which must
reconstruct the median beat of all leads and be found by the other part's among the recordings of
the batch. So a code holds what leads and beats agree on, and noise is what they do not.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor, nn

from lsemvae.core.errors import InputError
from lsemvae.core.leads import canonical_order, lead_indices
from lsemvae.core.types import KlWeight
from lsemvae.losses import alignment_distance, gaussian_kl, info_nce
from lsemvae.models.base import LossTerms, PretrainableNetwork, scalar
from lsemvae.models.beat_objective import BeatObjective
from lsemvae.models.lead_vae import sample
from lsemvae.models.ls_emvae import Fusion, LsEmvae, Posterior
from lsemvae.nn.beat_augmentation import BeatAugmentation, augment
from lsemvae.nn.experts import Gaussian
from lsemvae.nn.heart_beats import (
    N_RHYTHM,
    Beats,
    BeatWindow,
    average_over_beats,
    chosen_beats,
    cut_beats,
    find_beats,
    rhythm_figures,
)
from lsemvae.nn.kept_beats import KeptBeats
from lsemvae.nn.lead_parts import split_leads
from lsemvae.nn.pooled_responses import outputs_and_responses, pooled_size

N_PROJECTED = 64
"""Dimensions in which codes are compared; the comparison is linear in the code."""


class BeatCodes(NamedTuple):
    """What the beats of a batch say of their recordings.

    Attributes:
        mean: mixture mean, averaged over the beats, (B, D).
        spread: its standard deviation over the beats, (B, D).
        logvar: mean log variance of the mixture, averaged over dimensions and beats, (B,).
        lead_mean: averaged over the beats, (B, L, D), zero where absent.
        response: pooled responses of the lead encoders, averaged, (B, L, R), zero where absent.
        rhythm: figures of the RR intervals, (B, 8).
    """

    mean: Tensor
    spread: Tensor
    logvar: Tensor
    lead_mean: Tensor
    response: Tensor
    rhythm: Tensor


class HeldBeats(NamedTuple):
    """What is held of recordings while `encode` takes their beats.

    Attributes:
        valid: (B, K) bool, as in `Beats`.
        rhythm: figures of the RR intervals, (B, 8).
    """

    valid: Tensor
    rhythm: Tensor

    def repeated(self, n: int) -> "HeldBeats":
        """Return the same for the recordings n times, one time behind the other."""
        return HeldBeats(self.valid.repeat(n, 1), self.rhythm.repeat(n, 1))


class BeatLsEmvae(PretrainableNetwork):
    """LS-EMVAE whose unit is the heartbeat; it takes whole recordings.

    Args:
        n_samples: T of the recordings.
        latent_dim: D.
        window: what a beat is, and the rate of the recordings.
        fusion: how experts are combined.
        objective: weights of the loss.
        augmentation: how beats are changed in pre-training.
    """

    def __init__(
        self,
        n_samples: int = 1000,
        latent_dim: int = 64,
        *,
        window: BeatWindow = BeatWindow(),
        fusion: Fusion = Fusion(),
        objective: BeatObjective = BeatObjective(),
        augmentation: BeatAugmentation = BeatAugmentation(),
    ) -> None:
        plain = {
            "window": asdict(window),
            "fusion": asdict(fusion),
            "objective": asdict(objective),
            "augmentation": asdict(augmentation),
        }
        super().__init__(n_samples, latent_dim=latent_dim, **plain)
        window.inner(n_samples)
        self.latent_dim, self.window = latent_dim, window
        self.objective, self.augmentation = objective, augmentation
        self.beat = LsEmvae(window.n_samples, latent_dim, fusion=fusion, objective=objective)
        self.project = nn.Linear(latent_dim, N_PROJECTED)
        self.project_lead = nn.Linear(latent_dim, N_PROJECTED)
        self._held: HeldBeats | None = None
        self.kept_beats = KeptBeats(window)

    def feature_dim(self, leads: Sequence[str]) -> int:
        """Return 2 D, D and the pooled responses of each lead, and the figures of the rhythm."""
        return 2 * self.latent_dim + len(leads) * (self.latent_dim + pooled_size()) + N_RHYTHM

    def encode(self, ecg: Tensor, leads: Sequence[str], present: Tensor | None = None) -> Tensor:
        """Return the features of recordings, (B, F).

        In order: mean of the mixture and its spread over the beats; for each lead in canonical
        order, its mean; for each lead, its pooled responses; the rhythm. The features of each lead
        stand beside the fused ones, because fusion can lose what a single lead shows.
        """
        return self._features(self.codes(ecg, leads, present), leads)

    def _features(self, codes: BeatCodes, leads: Sequence[str]) -> Tensor:
        order = canonical_order(leads)
        by_lead = [part[:, order].flatten(1) for part in (codes.lead_mean, codes.response)]
        return torch.cat([codes.mean, codes.spread, *by_lead, codes.rhythm], 1)

    def uncertainty(
        self, ecg: Tensor, leads: Sequence[str], present: Tensor | None = None
    ) -> Tensor:
        """Return the mean log variance of the fused posterior over dimensions and beats, (B,)."""
        return self.codes(ecg, leads, present).logvar

    def encode_with_uncertainty(
        self, ecg: Tensor, leads: Sequence[str], present: Tensor | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """Return features and uncertainty of the same beats."""
        codes = self.codes(ecg, leads, present)
        return self._features(codes, leads), codes.logvar

    @contextmanager
    def held_at(self, ecg: Tensor, present: Tensor) -> Iterator[Callable[[Tensor], Tensor]]:
        """Find the beats in these recordings; meanwhile `encode` takes beats cut at their places.

        Args:
            ecg: (B, L, T), normalised.
            present: (B, L) bool.

        Yields:
            What cuts recordings (B, L, T) into the M beats that were found, (M, L, N).
        """
        found = find_beats(ecg, present, self.window)
        self._held = HeldBeats(found.valid, self._rhythm(found))
        try:
            yield lambda other: chosen_beats(
                cut_beats(other, found.place, self.window), found.valid
            )[0]
        finally:
            self._held = None

    def _rhythm(self, found: Beats) -> Tensor:
        return rhythm_figures(found.peak, self.window.sampling_rate_hz)

    def codes(self, ecg: Tensor, leads: Sequence[str], present: Tensor | None = None) -> BeatCodes:
        """Encode every beat of the recordings; arguments as in `encode`."""
        if self._held is not None:
            n_points = len(ecg) // int(self._held.valid.sum())
            held = self._held.repeated(n_points)
            if present is None:
                present = torch.ones(len(held.valid), len(leads), dtype=torch.bool).to(ecg.device)
            owner = held.valid.nonzero()[:, 0]
            return self._codes(ecg, owner, held, leads, present[owner])
        ecg, present = self._checked(ecg, leads, present)
        found = find_beats(ecg, present, self.window)
        beats, owner = chosen_beats(cut_beats(ecg, found.place, self.window), found.valid)
        held = HeldBeats(found.valid, self._rhythm(found))
        return self._codes(beats, owner, held, leads, present[owner])

    def _codes(
        self, beats: Tensor, owner: Tensor, of: HeldBeats, leads: Sequence[str], seen: Tensor
    ) -> BeatCodes:
        """Encode beats (M, L, N), zero where a lead is not `seen`, (M, L), of recordings (M,)."""
        averaged = partial(average_over_beats, owner=owner, valid=of.valid)
        output, response = outputs_and_responses(self.beat.encoders, beats, leads)
        posterior = self.beat.fused(output, seen, leads)
        mean = averaged(posterior.mean)
        variance = averaged((posterior.mean - mean[owner]).square())
        return BeatCodes(
            mean,
            variance.clamp_min(1e-12).sqrt(),
            averaged(posterior.logvar.mean(-1)),
            averaged(posterior.expert_mean[:, : len(leads)]),
            averaged(torch.where(seen.unsqueeze(-1), response, 0.0)),
            of.rhythm,
        )

    def loss(
        self,
        ecg: Tensor,
        leads: Sequence[str],
        *,
        beta: KlWeight,
        present: Tensor | None = None,
        visible: Tensor | None = None,
    ) -> LossTerms:
        """Return the objective of `BeatObjective` on two beats of each recording."""
        ecg, present = self._checked(ecg, leads, present)
        seen = present if visible is None else visible & present
        if not bool(seen.any(1).all()):
            raise InputError(f"a recording of the batch has none of the leads {', '.join(leads)}")
        found = self.kept_beats.of(ecg, present)
        chosen = torch.multinomial(found.valid.float(), 2, replacement=True)
        two = cut_beats(ecg, found.place.gather(1, chosen), self.window)
        rate = self.window.sampling_rate_hz
        first, second = (augment(two[:, k], self.augmentation, rate) for k in (0, 1))
        parts = split_leads(seen)
        mixed = torch.where(parts[0].unsqueeze(-1), first, second)
        mixed = torch.where(seen.unsqueeze(-1), mixed, 0.0)
        experts = self.beat.lead_posteriors(mixed, seen, leads)
        with torch.autocast(ecg.device.type, enabled=False):
            one, other, both = (self._fused(experts, part, leads) for part in (*parts, seen))
            share = self.objective.part
            of_part = self._elbo(one, found.median, leads, present)
            of_all = self._elbo(both, found.median, leads, present)
            error, kl = share * of_part + (1.0 - share) * of_all
            contrasts = self._contrasts((one, other), parts)
            return self._terms(error, kl, both, contrasts, beta)

    def _fused(self, experts: Gaussian, part: Tensor, leads: Sequence[str]) -> Posterior:
        """Fuse the experts of a part of the leads as if there were no others."""
        absent = ~part.unsqueeze(-1)
        mean, logvar = (each.masked_fill(absent, 0.0) for each in experts)
        return self.beat.fuse(mean, logvar, part, lead_indices(leads))

    def _terms(
        self, error: Tensor, kl: Tensor, both: Posterior, contrasts: Tensor, beta: KlWeight
    ) -> LossTerms:
        alignment = alignment_distance(both.expert_mean, both.mean, both.expert_present).mean()
        contrast, lead_contrast = contrasts
        total = error + beta * kl + self.objective.gamma * alignment
        total = total + self.objective.contrast * contrast
        total = total + self.objective.lead_contrast * lead_contrast
        variance = self.objective.observation_variance(beta, self.window.n_samples)
        terms = {
            "reconstruction": error,
            "kl": kl,
            "alignment": alignment,
            "contrast": contrast,
            "lead_contrast": lead_contrast,
            "observation_variance": scalar(variance, kl),
        }
        return LossTerms(total, terms)

    def _elbo(
        self, posterior: Posterior, target: Tensor, leads: Sequence[str], counted: Tensor
    ) -> Tensor:
        """Return the error of the median beats decoded from a code, and its divergence, (2,)."""
        decoded = self.beat.decoder(sample(Gaussian(posterior.mean, posterior.logvar)))
        error = self.beat.weighted_error(decoded, target, leads, counted).mean()
        return torch.stack([error, gaussian_kl(posterior.mean, posterior.logvar).mean()])

    def _contrasts(
        self, fused: tuple[Posterior, Posterior], parts: tuple[Tensor, Tensor]
    ) -> Tensor:
        """Return how badly parts find one another, by fused codes and by single leads, (2,)."""
        keys = [self.project(posterior.mean) for posterior in fused]
        whole, n_leads = torch.ones_like(parts[0][:, :1]), parts[0].shape[1]
        temperature = self.objective.temperature
        by_part = []
        for mine, theirs in ((0, 1), (1, 0)):
            lead_code = self.project_lead(fused[mine].expert_mean[:, :n_leads])
            by_code = info_nce(keys[mine].unsqueeze(1), keys[theirs], whole, temperature)
            by_lead = info_nce(lead_code, keys[theirs], parts[mine], temperature)
            by_part.append(torch.stack([by_code, by_lead]))
        return torch.stack(by_part).mean(0)
