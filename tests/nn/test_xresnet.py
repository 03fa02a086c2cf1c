import numpy as np
import pytest
import torch
from torch import nn

from lsemvae.nn.xresnet import XResidualBlock, conv_layer, initialise_kaiming, max_mean_pool
from tests.nn.plain_residual import plain_conv_layer, plain_x_block, relu
from tests.nn.random_norms import numpy_state, randomise_norms


@pytest.mark.parametrize("activation", [True, False])
@pytest.mark.parametrize(("kernel_size", "stride"), [(1, 1), (5, 1), (5, 2), (11, 2)])
@pytest.mark.parametrize("length", [1, 8, 13])
def test_conv_layer_equals_sliding_windows(
    length: int, kernel_size: int, stride: int, activation: bool
) -> None:
    torch.manual_seed(0)
    layer = conv_layer(3, 4, kernel_size, stride=stride, activation=activation).double().eval()
    randomise_norms(layer)
    state = {f"layer.{name}": value for name, value in numpy_state(layer).items()}
    assert not any(name.endswith("0.bias") for name in state)
    record = torch.randn(3, length, dtype=torch.double)
    expected = plain_conv_layer(state, "layer", record.numpy(), stride)
    expected = relu(expected) if activation else expected
    assert expected.shape == (4, -(-length // stride))
    np.testing.assert_allclose(layer(record[None])[0].detach().numpy(), expected, atol=1e-12)


@pytest.mark.parametrize("length", [1, 8, 13])
@pytest.mark.parametrize(
    ("n_inputs", "expansion", "stride"),
    [(2, 1, 1), (2, 1, 2), (3, 1, 2), (8, 4, 1), (8, 4, 2), (2, 4, 1), (2, 4, 2)],
)
def test_block_equals_the_plain_one(
    length: int, n_inputs: int, expansion: int, stride: int
) -> None:
    torch.manual_seed(0)
    block = XResidualBlock(n_inputs, 2, stride=stride, expansion=expansion).double().eval()
    randomise_norms(block)
    signal = torch.randn(2, n_inputs, length, dtype=torch.double)
    outputs = block(signal).detach().numpy()
    for record, output in zip(signal.numpy(), outputs, strict=True):
        expected = plain_x_block(numpy_state(block), "", record, stride, expansion)
        np.testing.assert_allclose(output, expected, atol=1e-12)


@pytest.mark.parametrize("expansion", [1, 4])
def test_a_new_block_passes_on_its_identity_path(expansion: int) -> None:
    torch.manual_seed(0)
    block = XResidualBlock(2 * expansion, 2, expansion=expansion)
    signal = torch.randn(3, 2 * expansion, 9)
    assert torch.equal(block(signal), signal.relu())


def test_an_odd_last_sample_stands_for_itself_on_the_identity_path() -> None:
    block = XResidualBlock(1, 1, stride=2)
    signal = torch.tensor([[[1.0, 3.0, 5.0]], [[2.0, 2.0, 8.0]]])
    assert block(signal).tolist() == [[[2.0, 5.0]], [[2.0, 8.0]]]


def test_pool_gives_maximum_then_mean() -> None:
    signal = torch.tensor([[[1.0, 2.0, 6.0], [-4.0, -2.0, 0.0]]])
    assert max_mean_pool(signal).tolist() == [[6.0, 0.0, 3.0, -2.0]]


def test_initial_weights_are_spread_by_fan_in_and_biases_are_zero() -> None:
    torch.manual_seed(0)
    parts = nn.ModuleList([nn.Conv1d(64, 128, 5), nn.Linear(320, 128)])
    initialise_kaiming(parts)
    for part in parts:
        assert isinstance(part, nn.Conv1d | nn.Linear)
        assert float(part.weight.detach().std()) == pytest.approx((2 / 320) ** 0.5, rel=0.02)
        assert part.bias is not None
        assert not part.bias.any()
