"""Gather the networks and heads of a locked model: those of the folds, or one of all patients."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import lightning
import torch
from torch import nn

from data_modules.epoch_batches import batch_loader
from data_modules.rhc_cohort import RhcCohort
from lsemvae.crossval.features import cached_features
from lsemvae.crossval.fold_models import load_head
from lsemvae.crossval.folds import (
    FoldSettings,
    feature_set,
    fold_task,
    head_trainer,
    keep_quiet,
)
from lsemvae.deployment.locked_network import without_decoder
from lsemvae.models import EcgNetwork, Pretrained
from lsemvae.runtime.cpu_matmul import settle_float32_products
from lsemvae.tasks import Regressor
from lsemvae.tasks.head_task import HeadTask


class Members(NamedTuple):
    """What the folds, or one more training, have learnt.

    Attributes:
        networks: one where the encoder is frozen, else one for each member.
        heads: of the members.
        scale: mean and standard deviation of the training values of each member, of a number; none
            of anything else.
    """

    networks: list[EcgNetwork]
    heads: list[nn.Module]
    scale: tuple[tuple[float, float], ...] = ()


def fold_members(run: Path, n_folds: int, encoder: str | None, data: RhcCohort) -> Members:
    """Return what the folds of a finished cross-validation have learnt.

    Raises:
        InputError: a fold is missing, or was trained on another encoder.
    """
    tasks = [load_head(run / f"fold_{fold}", encoder, data.ecg_input) for fold in range(n_folds)]
    return _members(tasks)


def refit_member(
    settings: FoldSettings, data: RhcCohort, *, encoder: str | None, pretrained: Pretrained | None,
    features: Path,
) -> Members:  # fmt: skip
    """Train one more model with the settings of the folds, on every labelled recording.

    Args:
        settings: of the folds.
        data: the cohort; no fold is held out.
        encoder: checkpoint of the frozen encoder, None where the method has none.
        pretrained: the same, read.
        features: cache of the encoder's features.
    """
    keep_quiet()
    settle_float32_products()
    lightning.seed_everything(settings.seed, verbose=False)
    data.fold = None
    data.setup("fit")
    task = fold_task(settings, encoder, data.ecg_input)
    if isinstance(task, Regressor):
        task.take_scale(torch.from_numpy(data.train_set.label))
    trainer = head_trainer(settings.epochs, frozen=pretrained is not None, logger=False)
    if pretrained is None:
        trainer.fit(task, datamodule=data)
    else:
        rows = feature_set(data.train_set, cached_features(pretrained, data, features))
        trainer.fit(task, batch_loader(rows, settings.batch_size, shuffle=True))
    return _members([task.cpu().eval().requires_grad_(False)])


def _members(tasks: Sequence[HeadTask]) -> Members:
    """Take networks and heads out of their tasks; a frozen encoder is taken once."""
    kept = tasks[:1] if tasks[0].frozen else tasks
    scale = [(float(task.centre), float(task.spread)) for task in tasks
             if isinstance(task, Regressor)]  # fmt: skip
    return Members(
        [without_decoder(task.network) for task in kept], [task.head for task in tasks],
        tuple(scale),
    )  # fmt: skip
