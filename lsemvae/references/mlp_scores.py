"""Predict every record out of fold with the publication's head on the features of every row."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from itertools import count, groupby, product
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from data_modules.progress import counted_progress
from lsemvae.heads.mlp import MlpSettings, train_heads
from lsemvae.references.kept_scores import ByFraction, Scores, keep_scores, read_scores
from lsemvae.references.probing import (
    ProbeSettings,
    Training,
    by_kind,
    checked,
    row_key,
    trainings,
)
from lsemvae.references.rows import Row, fold_features

ALL_LABELS = ProbeSettings(fractions=(1.0,))


def mlp_scores(
    rows: Sequence[Row], cohort: pd.DataFrame, settings: MlpSettings = MlpSettings(), *,
    draws: ProbeSettings = ALL_LABELS, kept: Path | None = None,
) -> dict[tuple[str, float], Scores]:  # fmt: skip
    """Return out-of-fold logits of the head, on the draws of patients of the linear probe.

    The folds of all rows with as many features are trained side by side.

    Note:
        `lsemvae cv` trains the head on the encoder's features as they are. Here every feature is
        standardised on the training part, with and without labels: rows differ in scale, and a
        fixed schedule would prefer one for that alone. The epochs are the same for every share of
        the labels, so that few labels mean few steps.

    Args:
        rows: features; rows of one kind are its seeds.
        cohort: from `labelled_folds`.
        settings: see `MlpSettings`.
        draws: shares of the labels, number of draws and their seed.
        kept: folder of scores; a row that has some there is not trained again.

    Returns:
        (S, D, N) by kind and fraction: seeds of the kind, draws, records of the cohort.
    """
    planned = trainings(cohort, draws)
    each: list[ByFraction] = [{} for _ in rows]
    for fraction in draws.fractions:
        of_draws = () if fraction == 1 else (fraction, draws.n_draws, draws.seed)
        keys = [row_key(row, cohort, ("mlp", settings, *of_draws)) for row in rows]
        for number, key in enumerate(keys):
            each[number] |= read_scores(kept, key) or {}
        missing = [number for number, one in enumerate(each) if fraction not in one]
        mine = [one for one in planned if one.fraction == fraction]
        found = _trained([rows[number] for number in missing], cohort, mine, settings)
        for number, scores in zip(missing, found, strict=True):
            each[number][fraction] = scores
            keep_scores(kept, keys[number], {fraction: scores})
    return by_kind(rows, each)


def _trained(
    rows: Sequence[Row], cohort: pd.DataFrame, planned: Sequence[Training], settings: MlpSettings
) -> list[Scores]:
    """Return the out-of-fold logits (D, N) of rows for one share of the labels."""
    found = [np.full((1 + planned[-1].draw, len(cohort)), np.nan) for _ in rows]
    groups, widths, done = _side_by_side(planned), _of_one_width(rows), count(1)
    total = settings.epochs * len(groups) * len(widths)
    share = f"with {100 * planned[0].fraction:g} % of the labels"
    with counted_progress(f"training heads {share}, epochs") as report:
        for numbers in widths:
            standardised = cache(partial(_standardised, rows, cohort))
            for group in groups:
                _train(
                    group, {n: partial(standardised, n) for n in numbers}, cohort, settings, found,
                    on_epoch_end=lambda: report(next(done), total),
                )  # fmt: skip
    return found


def _of_one_width(rows: Sequence[Row]) -> list[list[int]]:
    """Return the positions of rows by their number of features."""
    width = [row.n_components or row.features.shape[1] for row in rows]
    ordered = sorted(range(len(rows)), key=width.__getitem__)
    return [list(alike) for _, alike in groupby(ordered, width.__getitem__)]


def _train(
    group: Sequence[Training], features: Mapping[int, Callable[[int], Tensor]],
    cohort: pd.DataFrame, settings: MlpSettings, found: Sequence[Scores], *,
    on_epoch_end: Callable[[], None],
) -> None:  # fmt: skip
    """Train the heads of a group of trainings for several rows and write their logits down."""
    label = torch.tensor(cohort["label"].to_numpy(np.float32))
    seen = np.unique(np.concatenate([(*one.rows, *one.held_out) for one in group]))
    sets = torch.stack([of_fold(one.fold)[seen] for of_fold in features.values() for one in group])
    train = [np.searchsorted(seen, one.rows) for one in group] * len(features)
    logits = train_heads(sets, label[seen], train, settings, on_epoch_end).numpy()
    for own, (number, one) in zip(logits, product(features, group), strict=True):
        found[number][one.draw, one.held_out] = own[np.searchsorted(seen, one.held_out)]


def _side_by_side(planned: Sequence[Training]) -> list[list[Training]]:
    """Group trainings of one share of the labels that may share their batches.

    With all labels that is every fold. With few, the size of a part depends on the labels, and a
    batch that two folds share would let the one's labels reach the other's scores.
    """
    return [list(planned)] if planned[0].fraction == 1 else [[one] for one in planned]


def _standardised(rows: Sequence[Row], cohort: pd.DataFrame, number: int, held_out: int) -> Tensor:
    """Return a row's features (N, F), every one standardised on the training part of a fold."""
    row, place = rows[number], cohort["row"].to_numpy()
    train = np.flatnonzero(cohort["fold"].to_numpy() != held_out)
    features = torch.from_numpy(checked(fold_features(row, place[train])[place], row.kind))
    mean, sd = features[train].mean(0), features[train].std(0)
    scaled: Tensor = (features - mean) / torch.where(sd > 0, sd, 1.0)
    return scaled
