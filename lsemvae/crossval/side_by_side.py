"""Train several heads at once, each in its own order and with its own noise, as a Trainer would."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from data_modules.epoch_batches import EpochBatches
from lsemvae.heads.stacked import Batch, StackedHeads, fitting_threads, step
from lsemvae.tasks.classify import FocalSettings
from lsemvae.tasks.head_task import HeadSettings
from lsemvae.tasks.optimiser import adamw
from lsemvae.tasks.task import TRAINING, noise_seed


@dataclass(frozen=True)
class Course:
    """What one head learns, and in which order.

    Attributes:
        head: with the weights it begins with.
        features: (M, F) of all recordings, which the courses may share.
        rows: (N,), where the recordings of its training part stand there.
        label: (N,), 0 or 1.
        batches: the records of every batch of an epoch.
        seed: of the noise.
    """

    head: nn.Module
    features: Tensor
    rows: Tensor
    label: Tensor
    batches: EpochBatches
    seed: int


class EndOfEpoch(NamedTuple):
    """What is known when a head has finished an epoch.

    Attributes:
        number: of the head.
        epoch: from 0.
        n_steps: done so far.
        loss: mean over the records of the epoch, in training.
        heads: with the weights at this moment.
    """

    number: int
    epoch: int
    n_steps: int
    loss: float
    heads: StackedHeads


class _Turn(NamedTuple):
    """One head's part of a step: rows of the features, labels, and whether they end an epoch."""

    rows: Tensor
    label: Tensor
    epoch: int
    last: bool


def train_side_by_side(
    courses: Sequence[Course], *, epochs: int, lr: float, weight_decay: float, head: HeadSettings,
    focal: FocalSettings, on_epoch_end: Callable[[EndOfEpoch], None],
) -> None:  # fmt: skip
    """Train heads of equal size; each ends up as it would alone, within float32's rounding.

    All heads take their first step together, so one optimiser counts for all of them. A head whose
    epochs are done gets no gradient any more; its weights are to be taken at its last epoch's end.

    Args:
        courses: one for each head.
        epochs: of each.
        lr: of AdamW.
        weight_decay: of AdamW.
        head: what the heads were built from.
        focal: of the loss.
        on_epoch_end: called for each head and epoch.
    """
    heads = StackedHeads.of([course.head for course in courses])
    optimiser = adamw(heads, lr, weight_decay)  # type: ignore[arg-type]
    turns = [_turns(course, epochs) for course in courses]
    draw = torch.Generator()
    summed = np.zeros(len(courses))
    n_steps = max(epochs * len(course.batches) for course in courses)
    for number in range(n_steps):
        now = [next(turn, None) for turn in turns]
        batch = _batch(courses, now, number, draw, head)
        with fitting_threads(len(courses), batch.features.shape[-1]):
            loss = step(heads, optimiser, batch, focal)
        for place, (turn, value) in enumerate(zip(now, loss.tolist(), strict=True)):
            if turn is None:
                continue
            summed[place] += value * len(turn.rows)
            if turn.last:
                mean = summed[place] / len(courses[place].label)
                summed[place] = 0.0
                on_epoch_end(EndOfEpoch(place, turn.epoch, number + 1, mean, heads))


def _turns(course: Course, epochs: int) -> Iterator[_Turn]:
    for epoch in range(epochs):
        course.batches.epoch = epoch
        positions = list(course.batches)
        order = torch.tensor(list(chain.from_iterable(positions)))
        sizes = [len(one) for one in positions]
        parts = zip(*(torch.split(one[order], sizes) for one in (course.rows, course.label)),
                    strict=True)  # fmt: skip
        for number, (rows, label) in enumerate(parts):
            yield _Turn(rows, label, epoch, number == len(sizes) - 1)


def _batch(
    courses: Sequence[Course], turns: Sequence[_Turn | None], n_done: int, draw: torch.Generator,
    head: HeadSettings,
) -> Batch:  # fmt: skip
    """Put the heads' batches beside each other, padded to the longest of them."""
    width = max(len(turn.rows) for turn in turns if turn is not None)
    features = torch.zeros(len(courses), width, courses[0].features.shape[1])
    label, share = torch.zeros(2, len(courses), width)
    kept = torch.zeros(len(courses), width, head.hidden)
    drawn: dict[tuple[int, int], Tensor] = {}  # a fold and its inner part have one seed
    for place, (course, turn) in enumerate(zip(courses, turns, strict=True)):
        if turn is None:
            continue
        n = len(turn.rows)
        torch.index_select(course.features, 0, turn.rows, out=features[place, :n])
        label[place, :n] = turn.label
        share[place, :n] = 1 / n
        if (course.seed, n) not in drawn:
            draw.manual_seed(noise_seed(course.seed, 0, n_done, TRAINING))
            mask = kept[place, :n].bernoulli_(1 - head.dropout, generator=draw)
            drawn[course.seed, n] = mask
        kept[place, :n] = drawn[course.seed, n]
    return Batch(features, label, share, kept.div_(1 - head.dropout))
