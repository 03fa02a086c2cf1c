"""Build pre-activation residual blocks with "SAME" padding (ResNet1d, doi:10.1145/3394486.3403212).

Shape legend: B batch, C channels in, K channels out, T samples in, S = ceil(T / stride) steps out.
"""

from torch import Tensor, nn
from torch.nn import functional as F


def same_padding(length: int, kernel_size: int, stride: int) -> tuple[int, int]:
    """Return the zeros before and after a signal that give it ceil(length / stride) steps.

    An odd number of zeros has the larger half after the signal.
    """
    n_steps = -(-length // stride)
    total = max(0, (n_steps - 1) * stride + kernel_size - length)
    return total // 2, total - total // 2


class SameConv1d(nn.Conv1d):
    """Convolution with "SAME" padding, (B, C, T) -> (B, K, S), for any stride."""

    def forward(self, signal: Tensor) -> Tensor:
        """Return (B, K, S) from (B, C, T)."""
        before, after = same_padding(signal.shape[-1], self.kernel_size[0], self.stride[0])
        if before != after:  # the convolution itself pads both sides alike, without a copy
            signal, before = F.pad(signal, (before, after)), 0
        return F.conv1d(signal, self.weight, self.bias, self.stride, before)


def same_max_pool(signal: Tensor, stride: int) -> Tensor:
    """Return the maxima of windows of `stride` samples, (B, C, T) -> (B, C, S).

    The ends are padded with zeros, not with -inf: a padded window of negative numbers gives 0.
    """
    return F.max_pool1d(F.pad(signal, same_padding(signal.shape[-1], stride, stride)), stride)


def grow_channels(signal: Tensor, n_channels: int) -> Tensor:
    """Add zero channels, half before and half (the larger) after, (B, C, T) -> (B, K, T)."""
    missing = n_channels - signal.shape[1]
    return F.pad(signal, (0, 0, missing // 2, missing - missing // 2))


class PreactivationBlock(nn.Module):
    """[BN - ReLU - dropout] - conv - BN - ReLU - dropout - conv, plus a shortcut without weights.

    The shortcut is a max-pool where the block has a stride, and gains zero channels where the block
    has more outputs than inputs. Nothing follows the sum.

    Args:
        n_inputs: C.
        n_outputs: K, at least C.
        kernel_size: of both convolutions.
        stride: of the first convolution.
        dropout: share of values dropped in training.
        is_first: leave out the part in brackets, which the stem has already done. Its BN stays, as
            in the original, so that parameter counts agree, but takes no gradient: training in
            several processes (DDP) fails on a trainable parameter that is not used.
    """

    def __init__(
        self,
        n_inputs: int,
        n_outputs: int,
        *,
        kernel_size: int = 7,
        stride: int = 1,
        dropout: float = 0.5,
        is_first: bool = False,
    ) -> None:
        super().__init__()
        self.n_outputs, self.stride, self.is_first = n_outputs, stride, is_first
        self.norm_1 = nn.BatchNorm1d(n_inputs).requires_grad_(not is_first)
        self.conv_1 = SameConv1d(n_inputs, n_outputs, kernel_size, stride)
        self.norm_2 = nn.BatchNorm1d(n_outputs)
        self.conv_2 = SameConv1d(n_outputs, n_outputs, kernel_size)
        self.dropout = nn.Dropout(dropout)

    def forward(self, signal: Tensor) -> Tensor:
        """Return (B, K, S) from (B, C, T)."""
        hidden = signal if self.is_first else self._activate(self.norm_1, signal)
        hidden = self._activate(self.norm_2, self.conv_1(hidden))
        shortcut = same_max_pool(signal, self.stride) if self.stride > 1 else signal
        if self.n_outputs > signal.shape[1]:
            shortcut = grow_channels(shortcut, self.n_outputs)
        total: Tensor = self.conv_2(hidden) + shortcut
        return total

    def _activate(self, norm: nn.BatchNorm1d, signal: Tensor) -> Tensor:
        activated: Tensor = self.dropout(F.relu(norm(signal), inplace=True))
        return activated
