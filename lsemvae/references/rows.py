"""Compute the features of every row: encoder, untrained twins, random convolutions, PCA."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch

from data_modules.base import StoreDataModule
from lsemvae.core.counted import counted
from lsemvae.core.errors import InputError
from lsemvae.crossval.features import Features, cached_features
from lsemvae.models import Pretrained
from lsemvae.models.feature_choice import with_feature
from lsemvae.references.random_convolutions import RandomConvolutions
from lsemvae.references.untrained import Flattened, as_encoder, untrained_twin

PRETRAINED, UNTRAINED = "pretrained", "untrained"
RANDOM_CONVOLUTIONS, PCA, LARGER_CLASS = "random_convolutions", "pca", "larger_class"
N_COMPONENTS = 64


@dataclass(frozen=True)
class Row:
    """Features of every recording of a store, one seed of one kind.

    Attributes:
        kind: `pretrained`, `untrained`, `random_convolutions` or `pca`, with the feature after a
            slash where an encoder is read in a way that is not its own: `untrained/lead_means`.
        features: (N, F) in the order of the store; NaN for recordings that have none of the leads.
        n_components: principal components to keep, fitted on each training part; None for no PCA.
    """

    kind: str
    features: Features
    n_components: int | None = None


def encoder_rows(
    encoders: Sequence[Pretrained],
    data: StoreDataModule,
    cache: Path,
    *,
    n_twins: int = 5,
    feature: str | None = None,
) -> list[Row]:
    """Return a row per encoder and one per untrained twin of the first.

    Args:
        encoders: of one architecture: pre-trainings that differ in their seed.
        data: recordings and leads.
        cache: folder of features.
        n_twins: untrained twins, seeds 0, 1, ...
        feature: how LS-EMVAE is read; None for the encoder's own way.
    """
    ending = "" if feature is None else f"/{feature}"
    read = (lambda one: one) if feature is None else partial(with_feature, feature=feature)
    twins = [untrained_twin(encoders[0], seed) for seed in range(n_twins)]
    return [
        Row(kind + ending, cached_features(read(one), data, cache))
        for kind, group in ((PRETRAINED, encoders), (UNTRAINED, twins))
        for one in group
    ]


def trivial_rows(
    like: Pretrained,
    data: StoreDataModule,
    cache: Path,
    *,
    n_seeds: int = 1,
    form: StoreDataModule | None = None,
) -> list[Row]:
    """Return what needs no encoder: random convolutions and PCA of the samples.

    Args:
        like: gives the description of the recordings.
        data: recordings and leads.
        cache: folder of features.
        n_seeds: draws of random convolutions.
        form: the same recordings in the form that these rows are made of, such as median beats;
            None for that of `data`.

    Raises:
        InputError: `form` lacks recordings of `data`, or has other patients under their names.
    """
    source = data if form is None else form
    n_samples, leads = source.ecg_input.n_samples, list(source.leads)
    order = places_in(data, source)
    rows = []
    for seed in range(n_seeds):
        drawn = as_encoder(RandomConvolutions(n_samples, leads, seed=seed), like)
        rows.append(Row(RANDOM_CONVOLUTIONS, cached_features(drawn, source, cache)[order]))
    samples = as_encoder(Flattened(n_samples, leads), like)
    return [*rows, Row(PCA, cached_features(samples, source, cache)[order], N_COMPONENTS)]


def places_in(data: StoreDataModule, form: StoreDataModule) -> npt.NDArray[np.intp]:
    """Return where the recordings of one store are in another that holds them in another form."""
    place, wanted = (pd.Index(each.pool.table["record"].astype(str)) for each in (form, data))
    found = place.get_indexer(wanted)
    missing = data.pool.table["record"][found < 0]
    if len(missing):
        raise InputError(
            f"{form.pool.named} lacks {len(missing)} of the {counted(len(found), 'recording')} of "
            f"{data.pool.named}, the first is {missing.iloc[0]}; prepare it of the same recordings"
        )
    ours, theirs = (each.pool.table["patient_id"].to_numpy(str) for each in (data, form))
    other = np.flatnonzero(ours != theirs[found])
    if len(other):
        raise InputError(
            f"{form.pool.named} has other patients than {data.pool.named} under {len(other)} names "
            f"of recordings, the first is {wanted[other[0]]}; prepare it of the same recordings"
        )
    return found


def fold_features(row: Row, train: np.ndarray) -> Features:
    """Return the features (N, F) that a fold may use: components are those of its training part.

    Args:
        row: of all recordings of the store.
        train: rows of the store in the training part; labels are not needed, so that the part is
            whole however few of its patients have labels.
    """
    if row.n_components is None:
        return row.features
    part = torch.from_numpy(row.features[train]).double()
    mean = part.mean(0)
    gram = (part - mean) @ (part - mean).T
    variance, vectors = torch.linalg.eigh(gram)
    kept = min(row.n_components, int((variance > variance[-1] * 1e-10).sum()))
    axes = (part - mean).T @ (vectors[:, -kept:] / variance[-kept:].sqrt())
    scores = (torch.from_numpy(row.features).double() - mean) @ axes
    return np.asarray(scores.flip(-1).float().numpy())
