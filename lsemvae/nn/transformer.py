"""Build pre-norm transformer blocks (Vaswani et al. 2017, arXiv:1706.03762; Xiong et al. 2020).

Shape legend: B sequences, S tokens, D features of a token, H heads.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lsemvae.core.counted import counted
from lsemvae.core.errors import InputError

MLP_RATIO = 4
"""Hidden units of a block's MLP per feature of a token."""


@dataclass(frozen=True)
class TransformerSize:
    """How large a transformer is.

    Attributes:
        dim: D, even and a multiple of `n_heads`.
        n_blocks: blocks one after the other.
        n_heads: H; each head works on D / H features.
    """

    dim: int
    n_blocks: int
    n_heads: int

    def __post_init__(self) -> None:
        """Reject a size that cannot be built."""
        if min(self.dim, self.n_blocks, self.n_heads) < 1:
            raise InputError(f"dim, n_blocks and n_heads must be 1 or more, got {self}")
        if self.dim % self.n_heads or self.dim % 2:
            raise InputError(
                f"dim must be even and a multiple of n_heads, got dim {self.dim} with "
                f"{counted(self.n_heads, 'head')}; take dim = n_heads x features per head"
            )


class SelfAttention(nn.Module):
    """Multi-head self-attention with biases.

    Args:
        dim: D.
        n_heads: H.
    """

    def __init__(self, dim: int, n_heads: int) -> None:
        super().__init__()
        self.n_heads = n_heads
        self.queries_keys_values = nn.Linear(dim, 3 * dim)
        self.output = nn.Linear(dim, dim)

    def forward(self, tokens: Tensor, attended: Tensor | None = None) -> Tensor:
        """Return (B, S, D); arguments as in `Transformer.forward`."""
        joint = self.queries_keys_values(tokens).unflatten(-1, (3, self.n_heads, -1))
        queries, keys, values = joint.permute(2, 0, 3, 1, 4)
        mask = None if attended is None else attended[:, None, None, :]
        mixed = F.scaled_dot_product_attention(queries, keys, values, attn_mask=mask)
        return torch.as_tensor(self.output(mixed.transpose(1, 2).flatten(2)))


class TransformerBlock(nn.Module):
    """Attention, then an MLP with GELU; each reads normalised tokens and adds to the tokens.

    Args:
        dim: D.
        n_heads: H.
    """

    def __init__(self, dim: int, n_heads: int) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(dim)
        self.attention = SelfAttention(dim, n_heads)
        self.mlp_norm = nn.LayerNorm(dim)
        self.mlp = nn.Sequential(
            nn.Linear(dim, MLP_RATIO * dim), nn.GELU(), nn.Linear(MLP_RATIO * dim, dim)
        )

    def forward(self, tokens: Tensor, attended: Tensor | None = None) -> Tensor:
        """Return (B, S, D); arguments as in `Transformer.forward`."""
        tokens = tokens + self.attention(self.attention_norm(tokens), attended)
        return torch.as_tensor(tokens + self.mlp(self.mlp_norm(tokens)))


class Transformer(nn.Module):
    """Blocks one after the other, without a norm at the end.

    Args:
        size: of the blocks.
    """

    def __init__(self, size: TransformerSize) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(
            TransformerBlock(size.dim, size.n_heads) for _ in range(size.n_blocks)
        )

    def forward(self, tokens: Tensor, attended: Tensor | None = None) -> Tensor:
        """Return the tokens after all blocks.

        Args:
            tokens: (B, S, D).
            attended: (B, S) bool, True for the tokens that others may look at, at least one of
                each sequence; None for all of them. The other tokens change nothing but
                themselves.

        Returns:
            (B, S, D).
        """
        for block in self.blocks:
            tokens = block(tokens, attended)
        return tokens


def initialise(module: nn.Module) -> None:
    """Draw linear layers as masked autoencoders do (He et al. 2022, appendix A.1).

    Xavier-uniform weights and zero biases; for `nn.Module.apply`.
    """
    if isinstance(module, nn.Linear):
        nn.init.xavier_uniform_(module.weight)
        nn.init.zeros_(module.bias)


def learned_vectors(*shape: int) -> nn.Parameter:
    """Return vectors to be learned, normal with SD 0.02 at first (He et al. 2022)."""
    return nn.Parameter(0.02 * torch.randn(*shape))


def sine_cosine_positions(n_positions: int, dim: int) -> nn.Parameter:
    """Return fixed positions: sin(p / 10000^(2i/D)) for i < D/2, then the cosines.

    The frequencies are those of Vaswani et al. 2017, section 3.5, with the sines and the cosines
    side by side instead of in turns. They are a parameter that is not trained.

    Args:
        n_positions: p runs from 0 to n_positions - 1.
        dim: D, even.

    Returns:
        (n_positions, D).
    """
    position = torch.arange(n_positions, dtype=torch.float64).unsqueeze(1)
    frequency = 10_000.0 ** (-torch.arange(0, dim, 2, dtype=torch.float64) / dim)
    angle = position * frequency
    table = torch.cat([angle.sin(), angle.cos()], dim=1).float()
    return nn.Parameter(table, requires_grad=False)
