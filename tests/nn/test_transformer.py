import math

import pytest
import torch
from torch import nn

from lsemvae.core.errors import InputError
from lsemvae.nn.transformer import (
    Transformer,
    TransformerBlock,
    TransformerSize,
    initialise,
    sine_cosine_positions,
)
from tests.nn.plain_transformer import plain_transformer

SIZE = TransformerSize(dim=12, n_blocks=3, n_heads=2)


@pytest.fixture
def transformer() -> Transformer:
    """Return blocks whose norms and biases are not those of the start."""
    torch.manual_seed(0)
    network = Transformer(SIZE)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    return network.requires_grad_(False)


def test_equals_the_slow_reference(transformer: Transformer) -> None:
    tokens = torch.randn(2, 5, 12)
    expected = [plain_transformer(sequence, transformer, SIZE.n_heads) for sequence in tokens]
    torch.testing.assert_close(transformer(tokens), torch.stack(expected), rtol=1e-4, atol=1e-5)


def test_tokens_that_are_not_attended_are_as_if_left_out(transformer: Transformer) -> None:
    tokens = torch.randn(3, 6, 12)
    attended = torch.rand(3, 6, generator=torch.Generator().manual_seed(1)) > 0.5
    attended[:, 0] = True
    outputs = transformer(tokens, attended)
    for sequence, chosen, output in zip(tokens, attended, outputs, strict=True):
        alone = transformer(sequence[chosen][None])[0]
        torch.testing.assert_close(output[chosen], alone, rtol=1e-4, atol=1e-5)
    other = torch.where(attended.unsqueeze(-1), tokens, 1e3 * torch.randn_like(tokens))
    assert torch.equal(transformer(other, attended)[attended], outputs[attended])


def test_the_order_of_the_tokens_only_orders_the_outputs(transformer: Transformer) -> None:
    tokens, order = torch.randn(2, 5, 12), [3, 0, 4, 1, 2]
    permuted = transformer(tokens[:, order])
    torch.testing.assert_close(permuted, transformer(tokens)[:, order], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("dim", "count"), [(768, 7_087_872), (256, 789_760)])
def test_size_of_a_block(dim: int, count: int) -> None:
    # norms 2 x 2 D, queries, keys, values and output 4 (D^2 + D), MLP 8 D^2 + 5 D
    assert count == 4 * dim + 4 * (dim**2 + dim) + 8 * dim**2 + 5 * dim
    with torch.device("meta"):
        block = TransformerBlock(dim, dim // 64)
    assert sum(parameter.numel() for parameter in block.parameters()) == count


def test_linear_layers_start_within_xaviers_bound_without_biases() -> None:
    torch.manual_seed(0)
    network = Transformer(SIZE)
    network.apply(initialise)
    for module in network.modules():
        if isinstance(module, nn.Linear):
            bound = math.sqrt(6.0 / (module.in_features + module.out_features))
            assert 0.9 * bound < module.weight.abs().max() <= bound
            assert not module.bias.any()


def test_positions_are_sines_then_cosines_and_are_not_trained() -> None:
    table = sine_cosine_positions(40, 4)
    assert not table.requires_grad
    p = 37
    expected = [math.sin(p), math.sin(p / 100), math.cos(p), math.cos(p / 100)]
    torch.testing.assert_close(table[p], torch.tensor(expected))
    assert table[0].tolist() == [0.0, 0.0, 1.0, 1.0]


@pytest.mark.parametrize(
    ("size", "message"),
    [((10, 1, 4), "multiple of n_heads"), ((9, 1, 3), "even"), ((8, 0, 2), "1 or more")],
)
def test_impossible_sizes_are_refused(size: tuple[int, int, int], message: str) -> None:
    with pytest.raises(InputError, match=message):
        TransformerSize(*size)
