"""Decode patches as a masked autoencoder does (Na et al. 2024, arXiv:2402.09450).

Shape legend: B batch, L leads, N patches of a lead, P samples of a patch, K patches kept, D
features of a token.
"""

import torch
from torch import Tensor, nn

from lsemvae.nn.patches import place_patches
from lsemvae.nn.transformer import (
    Transformer,
    TransformerSize,
    learned_vectors,
    sine_cosine_positions,
)


class PatchDecoder(nn.Module):
    """Fills in the patches of every lead on its own, with the same weights for all leads.

    Args:
        size: of its transformer.
        encoder_dim: D of the encoder.
        n_patches: N.
        patch_size: P.
    """

    def __init__(
        self, size: TransformerSize, encoder_dim: int, *, n_patches: int, patch_size: int
    ) -> None:
        super().__init__()
        self.embedding = nn.Linear(encoder_dim, size.dim)
        self.mask_token = learned_vectors(size.dim)
        self.positions = sine_cosine_positions(n_patches + 2, size.dim)
        self.transformer = Transformer(size)
        self.norm = nn.LayerNorm(size.dim)
        self.to_samples = nn.Linear(size.dim, patch_size)

    def forward(self, encoded: Tensor, kept: Tensor, visible: Tensor) -> Tensor:
        """Return the patches.

        Args:
            encoded: (B, L, K + 2, D), between their separators.
            kept: (B, L, K), which patches they are.
            visible: (B, L) bool; the others' kept patches are masked like the rest.

        Returns:
            (B, L, N, P).
        """
        first, tokens, last = self.embedding(encoded).tensor_split((1, -1), 2)
        n_patches = len(self.positions) - 2
        hidden = self.mask_token.to(tokens.dtype).expand(*kept.shape[:2], n_patches, -1)
        patches = torch.where(visible[..., None, None], place_patches(hidden, tokens, kept), hidden)
        sequence = torch.cat([first, patches, last], 2) + self.positions
        filled = self.norm(self.transformer(sequence.flatten(0, 1)))[:, 1:-1]
        return torch.as_tensor(self.to_samples(filled).unflatten(0, kept.shape[:2]))
