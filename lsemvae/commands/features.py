"""Features of a frozen encoder, computed once per encoder, data and leads."""

import hashlib
import os
from importlib.metadata import version
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from data_modules.normalise import normalise
from data_modules.progress import show_progress
from data_modules.store_data import StoreDataModule
from lsemvae.models import Pretrained
from lsemvae.products import faster_float32_products

Features = npt.NDArray[np.float32]
BATCH_SIZE = 64


def cached_features(pretrained: Pretrained, data: StoreDataModule, folder: Path) -> Features:
    """Return the features of every recording of a store, from the cache where they are there.

    Args:
        pretrained: the frozen encoder.
        data: recordings, leads and normalisation.
        folder: of the cache; the file is named by a digest of encoder, data, leads, normalisation.

    Returns:
        (N, F) in the order of the store; NaN for recordings that have none of the leads.
    """
    file = folder / f"{_key(pretrained.sha256, data)}.npy"
    if file.exists():
        cached: Features = np.load(file)
        return cached
    features = encode_all(pretrained, data)
    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / f".{file.name}.{os.getpid()}.npy"
    np.save(temporary, features)
    temporary.replace(file)
    return features


def _key(encoder_sha256: str, data: StoreDataModule) -> str:
    program = version("lsemvae")
    described = (encoder_sha256, data.pool.sha256, data.leads, data.normalisation, program)
    return hashlib.sha256(repr(described).encode()).hexdigest()[:24]


@torch.inference_mode()
def encode_all(pretrained: Pretrained, data: StoreDataModule) -> Features:
    """Encode every recording of a store that has one of the leads at least."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if device.type == "cpu":
        faster_float32_products()
    network = pretrained.network.to(device)
    features = np.full((len(data.pool), network.feature_dim(data.leads)), np.nan, np.float32)
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
        encoded = network.encode(ready.ecg, ready.leads, ready.present)
        features[usable[rows]] = encoded.cpu().numpy()
    return features
