"""Build xResNet1d: residual networks with the "bag of tricks" (Table 2, reference [19]).

Strodthoff et al., "Deep Learning for ECG Analysis: Benchmarks and Insights from PTB-XL", IEEE
Journal of Biomedical and Health Informatics 25(5), 2021, doi:10.1109/JBHI.2020.3022989. Two
variants: `xresnet1d101`, the network of the publication, and `xresnet1d34`, the one that stands
behind Table 2. An independent implementation. Decisions where the description leaves a choice:

- The parameter counts settle that all three stem convolutions of `xresnet1d34` have kernel 11, that
  its stem has 32, 32 and 64 channels, and that its head is Linear(128, 128) - BN - Linear.
- They cannot settle these: its head has no ReLU and no dropout (the description lists neither,
  where it does for the other heads); its dropout stands between any two blocks, not after the last.
- The Kaiming initialisation is the normal one (fan-in, gain of ReLU) for convolutions and linear
  layers, biases zero, in both variants.

The publication trains on random crops of 2.5 s at 100 Hz with a one-cycle schedule; here, as in
Table 2, every method gets whole recordings and the same recipe.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple, get_args

from torch import Tensor, nn

from lsemvae.core.errors import InputError
from lsemvae.models.base import FixedLeadNetwork
from lsemvae.nn.batch_norm import refuse_single_record
from lsemvae.nn.xresnet import XResidualBlock, conv_layer, initialise_kaiming, max_mean_pool

Variant = Literal["xresnet1d101", "xresnet1d34"]

KERNEL_SIZE = 5
"""Of the blocks, in both variants."""
HEAD_HIDDEN = 128
"""Units of the head's first layer, in both variants."""


class Layout(NamedTuple):
    """What a variant is made of.

    Attributes:
        n_blocks: of each stage.
        expansion: channels that leave a block for each one within it.
        stem_kernel: kernel size of the three stem convolutions.
        dropout: share of values dropped between blocks in training.
    """

    n_blocks: tuple[int, ...]
    expansion: int
    stem_kernel: int
    dropout: float


LAYOUTS: dict[Variant, Layout] = {
    "xresnet1d101": Layout((3, 4, 23, 3), expansion=4, stem_kernel=5, dropout=0.0),
    "xresnet1d34": Layout((3, 4, 6, 3), expansion=1, stem_kernel=11, dropout=0.07),
}


class XResNet1d(FixedLeadNetwork):
    """Stem, four stages of residual blocks, maximum and mean over time; trained end to end.

    With the head of two outputs `xresnet1d101` has 1,871,874 parameters for twelve leads and
    1,870,914 for six, `xresnet1d34` 714,754 and 712,642. Every stride halves and rounds up, so any
    length works; 5000 samples end as 157 steps.

    Args:
        n_samples: T, at least 1.
        leads: leads that it is built for: 12, 6 or names.
        variant: see the module.
        width: channels within the blocks of all stages, an even number (publication: 64); the stem
            has half of it twice, then all of it.
    """

    def __init__(
        self,
        n_samples: int = 5000,
        *,
        leads: int | list[str] = 12,
        variant: Variant = "xresnet1d101",
        width: int = 64,
    ) -> None:
        _check(n_samples, variant, width)
        super().__init__(n_samples, leads, variant=variant, width=width)
        self.variant, layout = variant, LAYOUTS[variant]
        self.n_channels = layout.expansion * width
        self.stem = _stem(len(self.leads), width, layout.stem_kernel)
        self.blocks = _blocks(width, layout)
        initialise_kaiming(self)

    def own_head(self, n_outputs: int = 1) -> nn.Module:
        """Return the head of the variant, from the pooled features to logits."""
        n_features, wide = 2 * self.n_channels, self.variant == "xresnet1d101"
        before = [nn.BatchNorm1d(n_features), nn.Dropout(0.25)] if wide else []
        head = nn.Sequential(
            *before,
            nn.Linear(n_features, HEAD_HIDDEN),
            *([nn.ReLU(inplace=True)] if wide else []),
            nn.BatchNorm1d(HEAD_HIDDEN),
            *([nn.Dropout(0.5)] if wide else []),
            nn.Linear(HEAD_HIDDEN, n_outputs),
        )
        initialise_kaiming(head)
        return head

    def feature_dim(self, leads: Sequence[str]) -> int:
        """Return twice the channels of the last block."""
        return 2 * self.n_channels

    def encode(self, ecg: Tensor, leads: Sequence[str], present: Tensor | None = None) -> Tensor:
        """Return maximum and mean over time of the last block's channels.

        Raises:
            InputError: as the base class, other leads than it was built for, or a single recording
                in training mode, which batch normalisation cannot take (the data modules drop a
                last batch of one).
        """
        signal = self._channels(ecg, leads, present)
        refuse_single_record(signal, training=self.training)
        return max_mean_pool(self.blocks(self.stem(signal)))


def _check(n_samples: int, variant: str, width: int) -> None:
    """Report every argument that makes no network."""
    faults = []
    if n_samples < 1:
        faults.append(f"n_samples must be 1 or more, got {n_samples}")
    if variant not in LAYOUTS:
        faults.append(f"variant must be one of {', '.join(get_args(Variant))}, got {variant!r}")
    if width < 2 or width % 2:
        faults.append(f"width must be an even number of 2 or more, got {width}")
    if faults:
        raise InputError(f"XResNet1d: {'; '.join(faults)}")


def _stem(n_leads: int, width: int, kernel_size: int) -> nn.Sequential:
    """Return three conv layers and a max-pool, (B, L, T) -> (B, width, T/4)."""
    return nn.Sequential(
        conv_layer(n_leads, width // 2, kernel_size, stride=2),
        conv_layer(width // 2, width // 2, kernel_size),
        conv_layer(width // 2, width, kernel_size),
        nn.MaxPool1d(3, stride=2, padding=1),
    )


def _blocks(width: int, layout: Layout) -> nn.Sequential:
    """Return all stages, (B, width, T/4) -> (B, expansion x width, T/32)."""
    blocks = nn.Sequential()
    n_inputs = width
    for stage, n_blocks in enumerate(layout.n_blocks):
        for index in range(n_blocks):
            if len(blocks) and layout.dropout:
                blocks.append(nn.Dropout(layout.dropout))
            stride = 2 if stage > 0 and index == 0 else 1
            blocks.append(
                XResidualBlock(
                    n_inputs, width,
                    kernel_size=KERNEL_SIZE, stride=stride, expansion=layout.expansion,
                )
            )  # fmt: skip
            n_inputs = layout.expansion * width
    return blocks
