"""Compute ResNet1d and xResNet1d slowly and apart: numpy, one record, loops over time.

They read weights by name from a state dict and share no code with the networks. Signals are
(channels, time), in evaluation: BN uses the stored statistics and nothing is dropped.
"""

import math
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
State = Mapping[str, Array]


def plain_conv(
    signal: Array, weight: Array, bias: Array | None, stride: int, before: int, after: int
) -> Array:
    """Slide the kernels (K, C, k) over a signal with zeros before and after."""
    n_inputs, length = signal.shape
    padded = np.zeros((n_inputs, before + length + after))
    padded[:, before : before + length] = signal
    width = weight.shape[-1]
    steps = []
    for start in range(0, before + length + after - width + 1, stride):
        window = padded[:, start : start + width]
        steps.append([float((window * kernel).sum()) for kernel in weight])
    outputs = np.array(steps).T
    return outputs if bias is None else outputs + bias[:, None]


def plain_same_conv(signal: Array, weight: Array, bias: Array, stride: int) -> Array:
    """Pad so that ceil(T / stride) steps come out, the odd zero after the signal."""
    length, width = signal.shape[1], weight.shape[-1]
    total = 0  # as few zeros as give that many steps
    while (length + total - width) // stride + 1 < math.ceil(length / stride):
        total += 1
    return plain_conv(signal, weight, bias, stride, total // 2, total - total // 2)


def plain_same_max_pool(signal: Array, stride: int) -> Array:
    total = -signal.shape[1] % stride
    padded = np.pad(signal, ((0, 0), (total // 2, total - total // 2)))
    return np.stack(
        [padded[:, i : i + stride].max(1) for i in range(0, padded.shape[1], stride)], 1
    )


def plain_norm(state: State, name: str, signal: Array) -> Array:
    spread = np.sqrt(state[f"{name}.running_var"] + 1e-5)
    centred = (signal - state[f"{name}.running_mean"][:, None]) / spread[:, None]
    return centred * state[f"{name}.weight"][:, None] + state[f"{name}.bias"][:, None]


def relu(signal: Array) -> Array:
    return np.where(signal > 0, signal, 0.0)


def plain_preactivation_block(
    state: State, name: str, signal: Array, stride: int, is_first: bool
) -> Array:
    hidden = signal if is_first else relu(plain_norm(state, f"{name}norm_1", signal))
    for conv, its_stride in ((f"{name}conv_1", stride), (f"{name}conv_2", 1)):
        if conv.endswith("2"):
            hidden = relu(plain_norm(state, f"{name}norm_2", hidden))
        hidden = plain_same_conv(hidden, state[f"{conv}.weight"], state[f"{conv}.bias"], its_stride)
    pooled = plain_same_max_pool(signal, stride) if stride > 1 else signal
    shortcut = np.zeros_like(hidden)
    first = (len(hidden) - len(signal)) // 2
    shortcut[first : first + len(signal)] = pooled
    return hidden + shortcut


def plain_resnet1d(state: State, signal: Array, stride: int, n_blocks: int) -> Array:
    """Return the features of one record, (width of the last block,)."""
    hidden = plain_same_conv(signal, state["stem.0.weight"], state["stem.0.bias"], 1)
    hidden = relu(plain_norm(state, "stem.1", hidden))
    for index in range(n_blocks):
        its_stride = stride if index in (1, 3, 5, 7, 9, 11, 13, 15) else 1
        name = f"blocks.{index}."
        hidden = plain_preactivation_block(state, name, hidden, its_stride, index == 0)
    return relu(plain_norm(state, "end.0", hidden)).mean(1)


def plain_conv_layer(state: State, name: str, signal: Array, stride: int) -> Array:
    """Conv without bias, centred, then BN; no activation."""
    weight = state[f"{name}.0.weight"]
    half = (weight.shape[-1] - 1) // 2
    convolved = plain_conv(signal, weight, None, stride, half, half)
    return plain_norm(state, f"{name}.1", convolved)


def plain_pair_means(signal: Array) -> Array:
    pairs = [signal[:, start : start + 2] for start in range(0, signal.shape[1], 2)]
    return np.stack([pair.mean(1) for pair in pairs], 1)


def plain_x_block(state: State, name: str, signal: Array, stride: int, expansion: int) -> Array:
    strides = [stride, 1] if expansion == 1 else [1, stride, 1]
    hidden = signal
    for index, its_stride in enumerate(strides):
        hidden = plain_conv_layer(state, f"{name}layers.{index}", hidden, its_stride)
        hidden = hidden if index == len(strides) - 1 else relu(hidden)
    identity = signal if stride == 1 else plain_pair_means(signal)
    if len(signal) != len(hidden):
        layer = 0 if stride == 1 else 1
        identity = plain_conv_layer(state, f"{name}identity.{layer}", identity, 1)
    return relu(hidden + identity)


def plain_xresnet1d(
    state: State, signal: Array, stages: tuple[int, ...], expansion: int, every: int
) -> Array:
    """Return the features of one record; `every` is 2 where a dropout stands between blocks."""
    hidden = signal
    for index, stride in enumerate((2, 1, 1)):
        hidden = relu(plain_conv_layer(state, f"stem.{index}", hidden, stride))
    padded = np.pad(hidden, ((0, 0), (1, 1)), constant_values=-np.inf)
    starts = range(0, hidden.shape[1], 2)
    hidden = np.stack([padded[:, start : start + 3].max(1) for start in starts], 1)
    number = 0
    for stage, n_blocks in enumerate(stages):
        for index in range(n_blocks):
            stride = 2 if stage and not index else 1
            hidden = plain_x_block(state, f"blocks.{every * number}.", hidden, stride, expansion)
            number += 1
    return np.concatenate([hidden.max(1), hidden.mean(1)])
