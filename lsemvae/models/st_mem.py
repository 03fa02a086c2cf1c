"""Build ST-MEM: a masked autoencoder over patches of all leads (Na et al. 2024, arXiv:2402.09450).

Every lead is cut into patches, three quarters of them are hidden, a transformer reads what is left
of all leads together, and a small one fills in what is missing, lead by lead. The publication
filters recordings to 0.67-40 Hz and normalises each as a whole (`prepare --signal.low_hz 0.67`,
normalisation `record`).

Shape legend: B batch, L leads, T samples, N patches of a lead, P samples of a patch, K patches
kept, D features of a token.
"""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import torch
from torch import Tensor, nn

from lsemvae.core.errors import InputError
from lsemvae.core.leads import canonical_lead, parse_leads
from lsemvae.core.types import EcgInput, KlWeight
from lsemvae.models.base import LossTerms, PretrainableNetwork
from lsemvae.nn.patch_decoder import PatchDecoder
from lsemvae.nn.patches import (
    is_masked,
    n_kept_patches,
    normalise_patches,
    random_patches,
    take_patches,
    to_patches,
)
from lsemvae.nn.transformer import (
    Transformer,
    TransformerSize,
    initialise,
    learned_vectors,
    sine_cosine_positions,
)

PATCH_DURATION_S = 0.3
"""75 samples at 250 Hz (Na et al. 2024)."""

PAPER_ENCODER = TransformerSize(dim=768, n_blocks=12, n_heads=12)
PAPER_DECODER = TransformerSize(dim=256, n_blocks=4, n_heads=4)


class StMem(PretrainableNetwork):
    """ST-MEM; of the publication's size, 88,534,753 parameters, 88,501,985 of them trained.

    Recordings of other rates and lengths: `input_args` takes patches of 0.3 s, whatever the rate; a
    recording needs two whole patches, and its last samples, fewer than a patch, are not looked at.

    Args:
        n_samples: T; the publication's recordings are 9 s at 250 Hz.
        patch_size: P.
        leads: leads that it has an embedding of: 12, 6 or names; it encodes any of them.
        mask_ratio: share of each lead's patches that is hidden in pre-training, rounded up.
        encoder: size of the encoder.
        decoder: size of the decoder; None for an encoder alone, which has no loss and, trained end
            to end, no parameter without a gradient.
    """

    def __init__(
        self,
        n_samples: int = 2250,
        patch_size: int = 75,
        *,
        leads: int | list[str] = 12,
        mask_ratio: float = 0.75,
        encoder: TransformerSize = PAPER_ENCODER,
        decoder: TransformerSize | None = PAPER_DECODER,
    ) -> None:
        super().__init__(
            n_samples,
            patch_size=patch_size,
            leads=leads,
            mask_ratio=mask_ratio,
            encoder=asdict(encoder),
            decoder=decoder and asdict(decoder),
        )
        _check_patches(n_samples, patch_size, mask_ratio)
        self.leads, self.dim = parse_leads(leads), encoder.dim
        self.patch_size, self.n_patches = patch_size, n_samples // patch_size
        self.n_kept = n_kept_patches(self.n_patches, mask_ratio)
        self.patch_embedding = nn.Sequential(
            nn.LayerNorm(patch_size), nn.Linear(patch_size, self.dim), nn.LayerNorm(self.dim)
        )
        # The first and the last position are those of the two separators.
        self.positions = sine_cosine_positions(self.n_patches + 2, self.dim)
        self.separator = learned_vectors(self.dim)
        self.lead_embedding = learned_vectors(len(self.leads), self.dim)
        self.transformer = Transformer(encoder)
        self.norm = nn.LayerNorm(self.dim)
        self.decoder = (
            PatchDecoder(decoder, self.dim, n_patches=self.n_patches, patch_size=patch_size)
            if decoder
            else None
        )
        self.apply(initialise)

    @classmethod
    def input_args(cls, ecg_input: EcgInput, leads: Sequence[str]) -> dict[str, Any]:
        """Return the number of samples, the samples of 0.3 s, and the leads."""
        patch_size = round(PATCH_DURATION_S * ecg_input.sampling_rate_hz)
        arguments = super().input_args(ecg_input, leads)
        return {**arguments, "patch_size": patch_size, "leads": list(leads)}

    def own_head(self, n_outputs: int = 1) -> nn.Module:
        """Return the publication's head, one linear layer on the normalised mean of the tokens."""
        return nn.Linear(self.dim, n_outputs)

    def feature_dim(self, leads: Sequence[str]) -> int:
        """Return D, for any leads that it has an embedding of.

        Raises:
            InputError: a lead that it has none of.
        """
        self._rows(leads)
        return self.dim

    def encode(self, ecg: Tensor, leads: Sequence[str], present: Tensor | None = None) -> Tensor:
        """Return the mean over the patches of all present leads, then normalised, (B, D)."""
        ecg, present = self._checked(ecg, leads, present)
        tokens = self._embed(to_patches(ecg, self.patch_size), leads)
        per_lead = self._attend(tokens, present, present)[:, :, 1:-1].float().mean(2)
        of_present = torch.where(present.unsqueeze(-1), per_lead, 0.0).sum(1)
        return torch.as_tensor(self.norm(of_present / present.sum(1, keepdim=True)))

    def loss(
        self,
        ecg: Tensor,
        leads: Sequence[str],
        *,
        beta: KlWeight,
        present: Tensor | None = None,
        visible: Tensor | None = None,
    ) -> LossTerms:
        """Return the mean squared error of the hidden patches, each normalised on its own.

        Arguments as in `PretrainableNetwork.loss`; `beta` anneals nothing. All patches of a lead
        that is present but not visible are hidden: only its separators, which bear its name and no
        signal, are read.

        Returns:
            Terms `masked_mse` and `mask_ratio`, the share of hidden patches in the present leads.

        Raises:
            InputError: as `encode`, or the network has no decoder.
        """
        ecg, present = self._checked(ecg, leads, present)
        if visible is not None:
            _, visible = self._checked(ecg, leads, visible & present)
        visible = present if visible is None else visible
        patches = to_patches(ecg, self.patch_size)
        kept = random_patches((*ecg.shape[:2], self.n_patches), self.n_kept, ecg.device)
        predicted = self._predict(patches, leads, kept, present=present, visible=visible)
        masked = is_masked(kept, self.n_patches) | ~visible.unsqueeze(-1)
        masked = masked & present.unsqueeze(-1)
        with torch.autocast(ecg.device.type, enabled=False):
            target = normalise_patches(patches.float())
            error = (predicted.float() - target).square().mean(-1)
            masked_mse = torch.where(masked, error, 0.0).sum() / masked.sum()
        mask_ratio = masked.sum() / (present.sum() * self.n_patches)
        return LossTerms(masked_mse, {"masked_mse": masked_mse, "mask_ratio": mask_ratio})

    def _predict(
        self,
        patches: Tensor,
        leads: Sequence[str],
        kept: Tensor,
        *,
        present: Tensor,
        visible: Tensor,
    ) -> Tensor:
        """Return all normalised patches (B, L, N, P) as seen from those kept, (B, L, K)."""
        if self.decoder is None:
            raise InputError(
                "this StMem was built with decoder=None, an encoder alone; "
                "build it with a decoder to pre-train it"
            )
        tokens = self._attend(self._embed(patches, leads, kept), present, visible)
        return torch.as_tensor(self.decoder(self.norm(tokens), kept, visible))

    def _embed(self, patches: Tensor, leads: Sequence[str], kept: Tensor | None = None) -> Tensor:
        """Return a separator, the tokens of the kept patches and a separator, (B, L, K + 2, D)."""
        positions = self.positions[1:-1]
        if kept is not None:
            patches, positions = take_patches(patches, kept), positions[kept]
        tokens = self.patch_embedding(patches) + positions
        ends = (self.separator + self.positions[[0, -1]]).to(tokens.dtype)
        first, last = ends.expand(*tokens.shape[:2], 2, self.dim).chunk(2, 2)
        lead_embedding = self.lead_embedding[self._rows(leads)].unsqueeze(1)
        return torch.cat([first, tokens, last], 2) + lead_embedding

    def _attend(self, tokens: Tensor, present: Tensor, visible: Tensor) -> Tensor:
        """Let tokens (B, L, S, D) look at the separators of present, the patches of visible leads.

        Tokens of other leads come out as well and mean nothing.
        """
        attended = None
        # without a mask, attention has faster kernels; an exported graph cannot choose
        if torch.compiler.is_exporting() or not bool(visible.all()):
            separator = present.unsqueeze(-1)
            patch = visible.unsqueeze(-1).expand(*visible.shape, tokens.shape[2] - 2)
            attended = torch.cat([separator, patch, separator], 2).flatten(1)
        return torch.as_tensor(self.transformer(tokens.flatten(1, 2), attended).view_as(tokens))

    def _rows(self, leads: Sequence[str]) -> list[int]:
        """Return the row of each lead's embedding."""
        unknown = [lead for lead in parse_leads(list(leads)) if lead not in self.leads]
        if unknown:
            raise InputError(
                f"no embedding of {', '.join(unknown)}; this StMem has {', '.join(self.leads)}"
            )
        return [self.leads.index(canonical_lead(lead)) for lead in leads]


def _check_patches(n_samples: int, patch_size: int, mask_ratio: float) -> None:
    """Refuse recordings of fewer than two patches, and masks that hide nothing or all.

    Raises:
        InputError: names everything that is wrong.
    """
    wrong = []
    if patch_size < 2:
        wrong.append(f"patch_size must be 2 or more, got {patch_size}")
    elif n_samples < 2 * patch_size:
        wrong.append(
            f"n_samples must be two patches of {patch_size} samples or more, got {n_samples}; "
            "take longer recordings or a smaller patch_size"
        )
    if not 0.0 < mask_ratio < 1.0:
        wrong.append(f"mask_ratio must be between 0 and 1, got {mask_ratio}")
    if wrong:
        raise InputError("; ".join(wrong))
