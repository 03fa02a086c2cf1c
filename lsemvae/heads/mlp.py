"""Train the publication's head on many sets of features side by side."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from lsemvae.heads.stacked import Batch, StackedHeads, fitting_threads, step
from lsemvae.tasks.classify import FocalSettings
from lsemvae.tasks.head_task import HeadSettings
from lsemvae.tasks.optimiser import adamw

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class MlpSettings:
    """How heads are trained: as `lsemvae cv` trains one.

    Attributes:
        epochs: paper section 3: 50.
        batch_size: paper section 3: 32.
        lr: paper section 3: 1e-4.
        weight_decay: PyTorch's default.
        head: size and dropout.
        focal: of the loss.
        seed: of weights, batches and dropout, which all heads share.
    """

    epochs: int = 50
    batch_size: int = 32
    lr: float = 1e-4
    weight_decay: float = 0.01
    head: HeadSettings = HeadSettings()
    focal: FocalSettings = FocalSettings()
    seed: int = 0


def train_heads(
    features: Tensor, label: Tensor, train: Sequence[Rows], settings: MlpSettings,
    on_epoch_end: Callable[[], None] = lambda: None,
) -> Tensor:  # fmt: skip
    """Return the logits of all records by every head, each trained on its own records.

    Heads begin with the same weights and see the same dropout. Every epoch of every head has the
    same number of batches, so that one update serves all of them; they hold `batch_size` records,
    or one less where a training part is smaller.

    Args:
        features: (E, N, F), one set for each head.
        label: (N,), 0 or 1.
        train: E arrays of positions: the training part of each head.
        settings: see `MlpSettings`.
        on_epoch_end: called after every epoch, for a reader who waits.

    Returns:
        (E, N), in eval mode.
    """
    generator = torch.Generator().manual_seed(settings.seed)
    heads = _initial(features, settings.head.hidden, generator)
    optimiser = adamw(heads, settings.lr, settings.weight_decay)  # type: ignore[arg-type]
    number = torch.arange(len(features))[:, None]
    keep, hidden = 1 - settings.head.dropout, settings.head.hidden
    random = np.random.default_rng(settings.seed)
    with fitting_threads(*features.shape[::2]):
        for _ in range(settings.epochs):
            for rows, counted in _batches(train, settings.batch_size, random):
                kept = torch.rand((1, rows.shape[1], hidden), generator=generator) < keep
                batch = Batch(features[number, rows], label[rows], counted, kept / keep)
                step(heads, optimiser, batch, settings.focal)
            on_epoch_end()
    with torch.no_grad():
        return heads.logits(features)


def _initial(features: Tensor, n_hidden: int, generator: torch.Generator) -> StackedHeads:
    """Draw the weights as nn.Linear does, the same for every head."""
    n_heads, n_features = len(features), features.shape[-1]
    shapes = [((n_features, n_hidden), n_features), ((1, n_hidden), n_features),
              ((n_hidden, 1), n_hidden), ((1, 1), n_hidden)]  # fmt: skip
    drawn = [
        (2 * torch.rand(shape, generator=generator) - 1) / fan_in**0.5 for shape, fan_in in shapes
    ]
    return StackedHeads(*(one.expand(n_heads, -1, -1).clone().requires_grad_() for one in drawn))


def _batches(
    train: Sequence[Rows], batch_size: int, random: np.random.Generator
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield positions (E, B) of an epoch's steps, and what each counts: 1 / batch or 0."""
    n_steps = -(-max(map(len, train)) // batch_size)
    order = random.random(max(map(len, train)))
    dealt = [np.array_split(rows[order[: len(rows)].argsort()], n_steps) for rows in train]
    for number in range(n_steps):
        parts = [parts[number] for parts in dealt]
        width = max(map(len, parts))
        rows = np.stack([np.resize(part, width) for part in parts])
        counted = np.stack([(np.arange(width) < len(part)) / len(part) for part in parts])
        yield torch.from_numpy(rows), torch.from_numpy(counted.astype(np.float32))
