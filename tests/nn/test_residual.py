import numpy as np
import pytest
import torch

from lsemvae.nn.residual import (
    PreactivationBlock,
    SameConv1d,
    grow_channels,
    same_max_pool,
    same_padding,
)
from tests.nn.plain_residual import plain_preactivation_block, plain_same_conv
from tests.nn.random_norms import numpy_state, randomise_norms


@pytest.mark.parametrize(
    ("length", "kernel_size", "stride", "padding"),
    [
        (5000, 7, 1, (3, 3)),
        (5000, 7, 3, (2, 3)),  # 1667 steps read 1666 * 3 + 7 = 5005
        (5000, 3, 3, (0, 1)),
        (5001, 7, 3, (2, 2)),
        (6, 3, 2, (0, 1)),
        (5, 3, 2, (1, 1)),
        (1, 7, 3, (3, 3)),
        (5, 1, 3, (0, 0)),  # a short kernel leaves samples out; nothing is padded
    ],
)
def test_same_padding_by_hand(
    length: int, kernel_size: int, stride: int, padding: tuple[int, int]
) -> None:
    assert same_padding(length, kernel_size, stride) == padding


def test_same_convolution_by_hand() -> None:
    convolution = SameConv1d(1, 1, 3, 2)
    torch.nn.init.ones_(convolution.weight)
    torch.nn.init.zeros_(convolution.bias)
    signal = torch.arange(1.0, 7.0).view(1, 1, 6)
    assert convolution(signal).flatten().tolist() == [6.0, 12.0, 11.0]  # 123, 345, 56 and a zero
    assert convolution(signal[..., :5]).flatten().tolist() == [3.0, 9.0, 9.0]  # 012, 234, 450


@pytest.mark.parametrize("length", [1, 2, 5, 6, 7, 13])
@pytest.mark.parametrize(("kernel_size", "stride"), [(7, 1), (7, 3), (4, 2), (1, 3), (3, 3)])
def test_same_convolution_equals_sliding_windows(
    length: int, kernel_size: int, stride: int
) -> None:
    torch.manual_seed(0)
    convolution = SameConv1d(3, 2, kernel_size, stride).double()
    signal = torch.randn(2, 3, length, dtype=torch.double)
    outputs = convolution(signal).detach().numpy()
    assert outputs.shape == (2, 2, -(-length // stride))
    state = numpy_state(convolution)
    for record, output in zip(signal.numpy(), outputs, strict=True):
        expected = plain_same_conv(record, state["weight"], state["bias"], stride)
        np.testing.assert_allclose(output, expected, atol=1e-12)


def test_max_pool_pads_with_zeros() -> None:
    signal = torch.tensor([[[-1.0, -2.0, 3.0, 4.0, -5.0, -6.0, -7.0, -8.0]]])
    assert same_max_pool(signal, 3).flatten().tolist() == [3.0, 4.0, 0.0]
    assert same_max_pool(signal[..., :1], 3).flatten().tolist() == [0.0]


def test_new_channels_are_zero_half_before_and_half_after() -> None:
    signal = torch.tensor([[[1.0], [2.0]]])
    assert grow_channels(signal, 4).flatten().tolist() == [0.0, 1.0, 2.0, 0.0]
    assert grow_channels(signal, 5).flatten().tolist() == [0.0, 1.0, 2.0, 0.0, 0.0]


@pytest.mark.parametrize("length", [1, 8, 13])
@pytest.mark.parametrize(("n_outputs", "stride"), [(2, 1), (2, 3), (4, 1), (5, 3)])
@pytest.mark.parametrize("is_first", [True, False])
def test_block_equals_the_plain_one(
    length: int, n_outputs: int, stride: int, is_first: bool
) -> None:
    torch.manual_seed(0)
    block = PreactivationBlock(2, n_outputs, stride=stride, is_first=is_first).double().eval()
    randomise_norms(block)
    signal = torch.randn(2, 2, length, dtype=torch.double)
    outputs = block(signal).detach().numpy()
    for record, output in zip(signal.numpy(), outputs, strict=True):
        expected = plain_preactivation_block(numpy_state(block), "", record, stride, is_first)
        np.testing.assert_allclose(output, expected, atol=1e-12)


def test_a_block_leaves_its_input_as_it_was() -> None:
    signal = torch.randn(2, 2, 8)
    before = signal.clone()
    for is_first in (True, False):
        PreactivationBlock(2, 2, is_first=is_first)(signal)
        assert torch.equal(signal, before)


def test_dropout_drops_in_training_only() -> None:
    torch.manual_seed(0)
    block, signal = PreactivationBlock(2, 2, dropout=0.5), torch.randn(2, 2, 8)
    assert not torch.equal(block(signal), block(signal))
    block.eval()
    assert torch.equal(block(signal), block(signal))
