"""Compute the transformer slowly and apart: one sequence, one head and one query at a time.

It reads the weights of a fast form and shares no code with it.
"""

import math

import torch
from torch import Tensor, nn

from lsemvae.nn.transformer import Transformer, TransformerBlock


def plain_norm(tokens: Tensor, norm: nn.LayerNorm) -> Tensor:
    """Normalise each row of (S, D) with its biased variance."""
    rows = [
        (row - row.mean()) / math.sqrt(float(((row - row.mean()) ** 2).mean()) + norm.eps)
        for row in tokens
    ]
    return torch.stack(rows) * norm.weight + norm.bias


def plain_linear(tokens: Tensor, linear: nn.Linear) -> Tensor:
    return tokens @ linear.weight.T + linear.bias


def plain_attention(tokens: Tensor, block: TransformerBlock, n_heads: int) -> Tensor:
    """Mix the rows of (S, D): every head reads its own D / H columns."""
    dim = tokens.shape[1]
    joint = plain_linear(tokens, block.attention.queries_keys_values)
    queries, keys, values = joint[:, :dim], joint[:, dim : 2 * dim], joint[:, 2 * dim :]
    mixed = torch.zeros_like(tokens)
    width = dim // n_heads
    for head in range(n_heads):
        columns = slice(head * width, (head + 1) * width)
        for row, query in enumerate(queries[:, columns]):
            score = (keys[:, columns] @ query / math.sqrt(width)).exp()
            mixed[row, columns] = (score / score.sum()) @ values[:, columns]
    return plain_linear(mixed, block.attention.output)


def plain_transformer(tokens: Tensor, transformer: Transformer, n_heads: int) -> Tensor:
    """Return (S, D) after all blocks, every token looking at every other."""
    for block in transformer.blocks:
        assert isinstance(block, TransformerBlock)
        tokens = tokens + plain_attention(plain_norm(tokens, block.attention_norm), block, n_heads)
        first, _, second = block.mlp
        hidden = plain_linear(plain_norm(tokens, block.mlp_norm), first)
        hidden = 0.5 * hidden * (1.0 + torch.erf(hidden / math.sqrt(2.0)))
        tokens = tokens + plain_linear(hidden, second)
    return tokens
