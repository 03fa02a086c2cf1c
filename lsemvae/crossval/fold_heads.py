"""Train the heads of all folds and inner parts on a frozen encoder's features at once."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import lightning
import torch
from lightning.pytorch.loggers import CSVLogger

from data_modules.epoch_batches import EpochBatches
from data_modules.progress import counted_progress
from data_modules.rhc_cohort import RhcCohort
from lsemvae.core.counted import counted
from lsemvae.crossval.features import Features
from lsemvae.crossval.folds import (
    FINISHED,
    FoldSettings,
    fold_task,
    fold_trainer,
    held_out_batch,
    keep_fold,
    keep_quiet,
)
from lsemvae.crossval.side_by_side import Course, EndOfEpoch, train_side_by_side
from lsemvae.evaluation.statistics.metrics import metrics_as_far_as_defined
from lsemvae.losses import focal_loss
from lsemvae.runtime.cpu_matmul import settle_float32_products
from lsemvae.runtime.fold_seed import seed_fold
from lsemvae.tasks import Classifier
from lsemvae.tasks.head_task import HeadSettings

Part = tuple[Path, RhcCohort]
"""The folder of a fold, or of its inner part, and its recordings."""


class _Head(NamedTuple):
    """One head, and where its results go."""

    folder: Path
    data: RhcCohort
    course: Course
    trainer: lightning.Trainer


def run_heads(
    parts: Sequence[Part], settings: FoldSettings, *, encoder: str, features: Features
) -> None:
    """Train on each part's other recordings, predict the held-out ones, write as `run_fold` does.

    Every head begins with the weights, and sees the batches and the noise, that a Trainer of its
    own would give it; the results differ by the rounding of float32 alone.

    Args:
        parts: folds and inner parts.
        settings: of the cross-validation.
        encoder: checkpoint of the frozen encoder.
        features: (N, F) of every recording of the store.
    """
    keep_quiet()
    settle_float32_products()
    task = fold_task(settings, encoder, parts[0][1].ecg_input)
    if not isinstance(task, Classifier):
        raise TypeError(f"heads that predict one label train side by side, not {type(task)}")
    everything = torch.from_numpy(features)
    heads = [_begin(folder, data, task, settings, everything) for folder, data in parts]
    weights: list[dict[str, torch.Tensor]] = [{} for _ in heads]
    total = settings.epochs * len(heads)
    with counted_progress(f"training {counted(len(heads), 'head')}, epochs") as report:

        def on_epoch_end(end: EndOfEpoch) -> None:
            _log(heads[end.number], end, task)
            if end.epoch == settings.epochs - 1:
                weights[end.number] = end.heads.state_of(end.number)
            report(min(total, (end.epoch + 1) * len(heads)), total)

        train_side_by_side(
            [head.course for head in heads], epochs=settings.epochs, lr=task.lr,
            weight_decay=task.weight_decay, head=HeadSettings(), focal=task.focal,
            on_epoch_end=on_epoch_end,
        )  # fmt: skip
    for head, state in zip(heads, weights, strict=True):
        _finish(head, state, task, settings, features)


def _begin(
    folder: Path, data: RhcCohort, task: Classifier, settings: FoldSettings,
    features: torch.Tensor,
) -> _Head:  # fmt: skip
    """Seed as `run_fold` does and draw the first weights."""
    (folder / FINISHED).unlink(missing_ok=True)
    seed_fold(settings.seed, data.fold)
    data.setup("fit")
    course = Course(
        task.fresh_head(), features, torch.tensor(data.train_set.indices),
        torch.tensor(data.train_set.label),
        EpochBatches(data.train_set, settings.batch_size, shuffle=True),
        settings.seed + (data.fold or 0),
    )  # fmt: skip
    trainer = fold_trainer(folder, settings.epochs, frozen=True)
    for logger in trainer.loggers:
        if isinstance(logger, CSVLogger):
            _ = logger.experiment  # makes the folder, before one of its inner part stands in it
    return _Head(folder, data, course, trainer)


def _log(head: _Head, end: EndOfEpoch, task: Classifier) -> None:
    """Write the lines that a Trainer writes at the end of an epoch."""
    held_out = head.data.held_out
    rows, label = torch.tensor(held_out.indices), torch.tensor(held_out.label)
    logit = end.heads.logits_of(end.number, head.course.features[rows])
    found = metrics_as_far_as_defined(held_out.label, logit.sigmoid().numpy())
    loss = float(focal_loss(logit, label, task.focal.alpha, task.focal.gamma))
    held = {"val/loss": loss, **{f"val/{name}": one for name, one in found._asdict().items()}}
    for logger in head.trainer.loggers:
        for values in (held, {"train/loss": end.loss}):
            logger.log_metrics({"epoch": end.epoch, **values}, step=end.n_steps - 1)


def _finish(
    head: _Head, state: dict[str, torch.Tensor], task: Classifier, settings: FoldSettings,
    features: Features,
) -> None:  # fmt: skip
    """Test the trained head by its Trainer, which writes predictions, log and checkpoint."""
    task.head.load_state_dict(state)
    task.made_for = head.data.made_for_fold
    loop = head.trainer.fit_loop
    loop.epoch_progress.current.completed = settings.epochs
    n_steps = settings.epochs * len(head.course.batches)
    loop.epoch_loop.automatic_optimization.optim_progress.optimizer.step.total.completed = n_steps
    loop.epoch_loop._batches_that_stepped = n_steps  # the step that loggers write
    (measured,) = head.trainer.test(task, held_out_batch(head.data, features), verbose=False)
    keep_fold(head.folder, head.data, settings, head.trainer, measured)
