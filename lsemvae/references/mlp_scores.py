"""Predict every record out of fold with the publication's head on the features of every row."""

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from lsemvae.heads.mlp import MlpSettings, train_heads
from lsemvae.references.kept_scores import ByFraction, Scores, keep_scores, read_scores
from lsemvae.references.probing import by_kind, checked, row_key
from lsemvae.references.rows import Row, fold_features


def mlp_scores(
    rows: Sequence[Row], cohort: pd.DataFrame, settings: MlpSettings = MlpSettings(), *,
    kept: Path | None = None,
) -> dict[tuple[str, float], Scores]:  # fmt: skip
    """Return out-of-fold logits of the head, trained with all labels.

    The folds of all rows with as many features are trained side by side.

    Note:
        `lsemvae cv` trains the head on the encoder's features as they are. Here every feature is
        standardised on the training part: rows differ in scale, and a fixed schedule would prefer
        one for that alone.

    Args:
        rows: features; rows of one kind are its seeds.
        cohort: from `labelled_folds`.
        settings: see `MlpSettings`.
        kept: folder of scores; a row that has some there is not trained again.

    Returns:
        (S, 1, N) by kind and fraction, which is 1.
    """
    keys = [row_key(row, cohort, ("mlp", settings)) for row in rows]
    each: list[ByFraction | None] = [read_scores(kept, key) for key in keys]
    missing = [number for number, found in enumerate(each) if found is None]
    for number, scores in _trained([rows[n] for n in missing], cohort, settings).items():
        each[missing[number]] = {1.0: scores[None]}
        keep_scores(kept, keys[missing[number]], {1.0: scores[None]})
    return by_kind(rows, [found for found in each if found is not None])


def _trained(rows: Sequence[Row], cohort: pd.DataFrame, settings: MlpSettings) -> dict[int, Scores]:
    """Return the out-of-fold logits (N,) of rows by their number."""
    each: dict[int, Scores] = {}
    label = torch.tensor(cohort["label"].to_numpy(np.float32))
    fold, place = cohort["fold"].to_numpy(), cohort["row"].to_numpy()
    train = [np.flatnonzero(fold != number) for number in np.unique(fold)]
    width = [row.n_components or row.features.shape[1] for row in rows]
    for _, alike in groupby(sorted(range(len(rows)), key=width.__getitem__), width.__getitem__):
        numbers = list(alike)
        sets = [_standardised(rows[n], place, part) for n in numbers for part in train]
        logits = train_heads(torch.stack(sets), label, train * len(numbers), settings)
        for number, own in zip(numbers, logits.reshape(len(numbers), len(train), -1), strict=True):
            each[number] = _out_of_fold(own, fold)
    return each


def _standardised(row: Row, place: np.ndarray, train: np.ndarray) -> Tensor:
    features = torch.from_numpy(checked(fold_features(row, place[train])[place], row.kind))
    mean, sd = features[train].mean(0), features[train].std(0)
    scaled: Tensor = (features - mean) / torch.where(sd > 0, sd, 1.0)
    return scaled


def _out_of_fold(logits: Tensor, fold: np.ndarray) -> Scores:
    """Return (N,) of the heads' logits (K, N): of each record by the head that did not see it."""
    head = np.searchsorted(np.unique(fold), fold)
    return np.asarray(logits.numpy()[head, np.arange(len(fold))], np.float64)
