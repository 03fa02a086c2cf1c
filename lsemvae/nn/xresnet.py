"""Build xResNet1d's residual blocks, pooling and initial weights (doi:10.1109/JBHI.2020.3022989).

Shape legend: B batch, C channels in, K channels out, T samples in, S = ceil(T / stride) steps out.
"""

from torch import Tensor, cat, nn
from torch.nn import functional as F


def conv_layer(
    n_inputs: int,
    n_outputs: int,
    kernel_size: int,
    *,
    stride: int = 1,
    activation: bool = True,
) -> nn.Sequential:
    """Return conv (no bias, padding (kernel_size - 1) // 2) - BN - ReLU, (B, C, T) -> (B, K, S).

    Args:
        n_inputs: C.
        n_outputs: K.
        kernel_size: odd.
        stride: of the convolution.
        activation: whether ReLU ends the layer.
    """
    convolution = nn.Conv1d(
        n_inputs, n_outputs, kernel_size, stride, (kernel_size - 1) // 2, bias=False
    )
    relu = [nn.ReLU(inplace=True)] if activation else []
    return nn.Sequential(convolution, nn.BatchNorm1d(n_outputs), *relu)


class XResidualBlock(nn.Module):
    """Two or three conv layers plus an identity path, then ReLU.

    With an expansion the layers are a bottleneck: kernel 1, `kernel_size` with the stride, kernel 1
    to `expansion` times the channels; without, two layers of `kernel_size`, the stride in the
    first. The last has no activation, and its BN starts at gamma 0, so that a new block passes on
    its identity path. That path averages pairs where the block has a stride (an odd last sample
    stands for itself) and has a layer of kernel 1 where the channels change.

    Args:
        n_inputs: C.
        n_hidden: channels within the block; K is `expansion` times as many.
        kernel_size: odd.
        stride: 1 or 2.
        expansion: 1 for the plain block, more for the bottleneck.
    """

    def __init__(
        self,
        n_inputs: int,
        n_hidden: int,
        *,
        kernel_size: int = 5,
        stride: int = 1,
        expansion: int = 1,
    ) -> None:
        super().__init__()
        n_outputs = expansion * n_hidden
        if expansion == 1:
            layers = [
                conv_layer(n_inputs, n_hidden, kernel_size, stride=stride),
                conv_layer(n_hidden, n_outputs, kernel_size, activation=False),
            ]
        else:
            layers = [
                conv_layer(n_inputs, n_hidden, 1),
                conv_layer(n_hidden, n_hidden, kernel_size, stride=stride),
                conv_layer(n_hidden, n_outputs, 1, activation=False),
            ]
        nn.init.zeros_(layers[-1][1].weight)  # type: ignore[arg-type]
        self.layers = nn.Sequential(*layers)
        self.identity = nn.Sequential()
        if stride != 1:
            self.identity.append(nn.AvgPool1d(2, ceil_mode=True))
        if n_inputs != n_outputs:
            self.identity.append(conv_layer(n_inputs, n_outputs, 1, activation=False))

    def forward(self, signal: Tensor) -> Tensor:
        """Return (B, K, S) from (B, C, T)."""
        return F.relu(self.layers(signal) + self.identity(signal), inplace=True)


def max_mean_pool(signal: Tensor) -> Tensor:
    """Return the maximum over time and the mean over time side by side, (B, C, T) -> (B, 2 C)."""
    return cat([signal.amax(-1), signal.mean(-1)], dim=1)


def initialise_kaiming(module: nn.Module) -> None:
    """Draw the weights of convolutions and linear layers from N(0, 2 / fan-in), biases zero.

    He et al. 2015, equation 10 (doi:10.1109/ICCV.2015.123).
    """
    for part in module.modules():
        if isinstance(part, nn.Conv1d | nn.Linear):
            nn.init.kaiming_normal_(part.weight, nonlinearity="relu")
            if part.bias is not None:
                nn.init.zeros_(part.bias)
