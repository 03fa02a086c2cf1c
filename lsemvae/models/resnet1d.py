"""Build ResNet1d: a pre-activation residual network over all leads (Table 2, reference [9]).

Hong et al., "HOLMES: Health OnLine Model Ensemble Serving for Deep Learning Models in Intensive
Care Units", KDD 2020, pp. 1614-1624, doi:10.1145/3394486.3403212. An independent implementation.
Decisions where the description leaves a choice:

- The max-pool of a shortcut is padded with zeros, as the convolutions are.
- The publication states no initialisation: PyTorch's (He et al., uniform).
- The first batch normalisation of block 0 is in the published count and is never used; it is kept
  without gradient, see `PreactivationBlock`.
"""

from collections.abc import Sequence

from torch import Tensor, nn

from lsemvae.core.errors import InputError
from lsemvae.models.base import FixedLeadNetwork
from lsemvae.nn.batch_norm import refuse_single_record
from lsemvae.nn.residual import PreactivationBlock, SameConv1d

DOWNSAMPLE_GAP = 2
"""Every second block has the stride, the second one first (preset of Table 2)."""
GROWTH_GAP = 4
"""Every fourth block doubles the channels, the fifth one first (preset of Table 2)."""


class ResNet1d(FixedLeadNetwork):
    """Stem, residual blocks and the mean over time; trained end to end.

    With its head of two outputs it has 18,322,498 parameters for twelve leads, 18,319,810 for six.
    "SAME" padding leaves ceil(T / stride) steps, so any length works; 5000 samples end as one step.

    Args:
        n_samples: T, at least 1.
        leads: leads that it is built for: 12, 6 or names.
        width: channels of the stem (preset: 64; they double every fourth block, to 512).
        kernel_size: of every convolution (preset: 7).
        stride: of every second block (preset: 3).
        n_blocks: residual blocks (preset: 16).
        dropout: share of values dropped before the convolutions of a block in training (0.5).
    """

    def __init__(
        self,
        n_samples: int = 5000,
        *,
        leads: int | list[str] = 12,
        width: int = 64,
        kernel_size: int = 7,
        stride: int = 3,
        n_blocks: int = 16,
        dropout: float = 0.5,
    ) -> None:
        sizes = {"width": width, "kernel_size": kernel_size, "stride": stride, "n_blocks": n_blocks}
        _check({"n_samples": n_samples, **sizes}, dropout)
        super().__init__(n_samples, leads, **sizes, dropout=dropout)
        self.stem = nn.Sequential(
            SameConv1d(len(self.leads), width, kernel_size),
            nn.BatchNorm1d(width),
            nn.ReLU(inplace=True),
        )
        channels: list[int] = [width * 2 ** (index // GROWTH_GAP) for index in range(n_blocks)]
        self.blocks = nn.Sequential(*(
            PreactivationBlock(
                channels[max(index - 1, 0)],
                n_outputs,
                kernel_size=kernel_size,
                stride=stride if index % DOWNSAMPLE_GAP == 1 else 1,
                dropout=dropout,
                is_first=index == 0,
            )
            for index, n_outputs in enumerate(channels)
        ))  # fmt: skip
        self.end = nn.Sequential(nn.BatchNorm1d(channels[-1]), nn.ReLU(inplace=True))
        self.n_features = channels[-1]

    def own_head(self, n_outputs: int = 1) -> nn.Module:
        """Return one linear layer."""
        return nn.Linear(self.n_features, n_outputs)

    def feature_dim(self, leads: Sequence[str]) -> int:
        """Return the channels of the last block."""
        return self.n_features

    def encode(self, ecg: Tensor, leads: Sequence[str], present: Tensor | None = None) -> Tensor:
        """Return the mean over time of the last block's channels.

        Raises:
            InputError: as the base class, other leads than it was built for, or a single recording
                in training mode, which batch normalisation cannot take (the data modules drop a
                last batch of one).
        """
        signal = self._channels(ecg, leads, present)
        refuse_single_record(signal, training=self.training)
        features: Tensor = self.end(self.blocks(self.stem(signal))).mean(-1)
        return features


def _check(sizes: dict[str, int], dropout: float) -> None:
    """Report every argument that makes no network."""
    faults = [f"{name} must be 1 or more, got {size}" for name, size in sizes.items() if size < 1]
    if not 0.0 <= dropout < 1.0:
        faults.append(f"dropout must be in [0, 1), got {dropout}")
    if faults:
        raise InputError(f"ResNet1d: {'; '.join(faults)}")
