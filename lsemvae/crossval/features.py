"""Compute the features of a frozen encoder once per encoder, data and leads."""

import hashlib
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from torch import Tensor

from data_modules.base import StoreDataModule
from data_modules.normalise import normalise
from data_modules.progress import show_progress
from lsemvae.core.files import is_as_written, replacing, write_digest
from lsemvae.core.printable import say
from lsemvae.core.types import EcgBatch
from lsemvae.evaluation.projection import project, write_projection
from lsemvae.models import EcgNetwork, Pretrained
from lsemvae.models.checkpoint import describe_network
from lsemvae.runtime.cpu_matmul import settle_float32_products
from lsemvae.runtime.malloc import keep_freed_memory
from lsemvae.runtime.own_classes import source_sha256

Features = npt.NDArray[np.float32]
BATCH_SIZE = 64
UNCERTAINTY = ".uncertainty.npy"


def cached_features(
    pretrained: Pretrained, data: StoreDataModule, folder: Path, *, uncertainty_too: bool = False
) -> Features:
    """Return the features of every recording of a store, from the cache where they are there.

    Args:
        pretrained: the frozen encoder.
        data: recordings, leads and normalisation.
        folder: of the cache; the file is named by a digest of encoder, data, leads, normalisation.
        uncertainty_too: keep what `cached_uncertainty` returns of the same pass.

    Returns:
        (N, F) in the order of the store; NaN for recordings that have none of the leads.
    """
    settle_float32_products()
    file = folder / f"{_key(pretrained, data)}.npy"
    cached = _read(file)
    if cached is not None:
        return cached
    if not uncertainty_too:
        features = encode_all(pretrained, data)
        _write(file, features)
        return features
    features, uncertainty = _encode_with_uncertainty(pretrained, data)
    _write(file, features)
    if uncertainty is not None:
        _write(file.with_suffix(UNCERTAINTY), uncertainty)
    return features


def cached_uncertainty(
    pretrained: Pretrained, data: StoreDataModule, folder: Path
) -> Features | None:
    """Return how unsure the encoder is of every recording, (N,); None where it cannot say.

    Arguments as in `cached_features`, beside whose file it is kept.
    """
    if not _says_uncertainty(pretrained):
        return None
    file = folder / f"{_key(pretrained, data)}{UNCERTAINTY}"
    cached = _read(file)
    if cached is not None:
        return cached
    found = np.full(len(data.pool), np.nan, np.float32)
    _apply(pretrained, data, _uncertainty, [found])
    _write(file, found)
    return found


def describe_codes(
    predictions: pd.DataFrame, folder: Path, data: StoreDataModule, pretrained: Pretrained,
    cache: Path,
) -> pd.DataFrame:  # fmt: skip
    """Write the features' first two components, and add how unsure the encoder is.

    Args:
        predictions: of a run with a frozen encoder, with column record.
        folder: of the run, which gets `projection.csv`.
        data: the recordings.
        pretrained: the encoder.
        cache: folder of features.

    Returns:
        The predictions, with a column uncertainty where the encoder has one.
    """
    row_of = pd.Series(np.arange(len(data.pool)), index=data.pool.table["record"])
    rows = row_of[predictions["record"]].to_numpy()
    features = cached_features(pretrained, data, cache)[rows]
    usable = np.isfinite(features).all(1)
    write_projection(folder, project(features[usable], predictions["record"][usable]))
    uncertainty = cached_uncertainty(pretrained, data, cache)
    return predictions if uncertainty is None else predictions.assign(uncertainty=uncertainty[rows])


def _write(file: Path, values: Features) -> None:
    with replacing(file) as temporary:
        np.save(temporary, values)
    write_digest(file)


def _read(file: Path) -> Features | None:
    """Return what a file of the cache holds; None where it is not what was written."""
    if is_as_written(file):
        kept: Features = np.load(file)
        return kept
    if file.exists():
        say(f"note: {file} is not what was written (its SHA-256 differs); computed anew")
    return None


def _key(pretrained: Pretrained, data: StoreDataModule) -> str:
    program: tuple[str | None, ...] = (version("lsemvae"),)
    if "." in describe_network(pretrained.network)["class"]:  # whose code changes on its own
        program += (source_sha256(type(pretrained.network)),)
    described = (pretrained.sha256, data.pool.sha256, data.leads, data.normalisation, *program)
    return hashlib.sha256(repr(described).encode()).hexdigest()[:24]


def encode_all(pretrained: Pretrained, data: StoreDataModule) -> Features:
    """Encode every recording of a store that has one of the leads at least."""
    shape = len(data.pool), pretrained.network.feature_dim(data.leads)
    features = np.full(shape, np.nan, np.float32)
    _apply(pretrained, data, _encode, [features])
    return features


def _encode_with_uncertainty(
    pretrained: Pretrained, data: StoreDataModule
) -> tuple[Features, Features | None]:
    """Return features (N, F) and how unsure the encoder is (N,); None where it cannot say."""
    if not _says_uncertainty(pretrained):
        return encode_all(pretrained, data), None
    shape = len(data.pool), pretrained.network.feature_dim(data.leads)
    features = np.full(shape, np.nan, np.float32)
    uncertainty = np.full(len(data.pool), np.nan, np.float32)
    _apply(pretrained, data, _both, [features, uncertainty])
    return features, uncertainty


def _says_uncertainty(pretrained: Pretrained) -> bool:
    return type(pretrained.network).uncertainty is not EcgNetwork.uncertainty


def _encode(network: EcgNetwork, batch: EcgBatch) -> tuple[Tensor, ...]:
    return (network.encode(batch.ecg, batch.leads, batch.present),)


def _uncertainty(network: EcgNetwork, batch: EcgBatch) -> tuple[Tensor, ...]:
    return (_known(network.uncertainty(batch.ecg, batch.leads, batch.present), len(batch.ecg)),)


def _both(network: EcgNetwork, batch: EcgBatch) -> tuple[Tensor, ...]:
    features, uncertainty = network.encode_with_uncertainty(batch.ecg, batch.leads, batch.present)
    return features, _known(uncertainty, len(batch.ecg))


def _known(uncertainty: Tensor | None, n_records: int) -> Tensor:
    return torch.full((n_records,), torch.nan) if uncertainty is None else uncertainty


@torch.inference_mode()
def _apply(
    pretrained: Pretrained,
    data: StoreDataModule,
    function: Callable[[EcgNetwork, EcgBatch], tuple[Tensor, ...]],
    into: Sequence[Features],
) -> None:
    """Write what a function says of every usable recording into its row of each array."""
    settle_float32_products()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if device.type == "cpu":
        keep_freed_memory()
    network = pretrained.network.to(device)
    usable = data.usable_rows()
    dataset = data.dataset(usable)
    starts = range(0, len(usable), BATCH_SIZE)
    batches = [list(range(start, min(start + BATCH_SIZE, len(usable)))) for start in starts]
    counted = ((len(rows), rows) for rows in batches)
    for rows in show_progress(counted, total=len(usable), text="encoding recordings"):
        batch = dataset.__getitems__(rows)
        moved = batch._replace(
            ecg=batch.ecg.to(device), scale=batch.scale.to(device), present=batch.present.to(device)
        )
        ready = normalise(moved, data.normalisation)
        for array, found in zip(into, function(network, ready), strict=True):
            array[usable[rows]] = found.cpu().numpy()
