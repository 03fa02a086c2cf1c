"""Write and read the file of a locked model: safetensors, described and sealed."""

import json
import warnings
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from lsemvae.core.errors import InputError
from lsemvae.core.files import prepare_place, replace_file, sync_file
from lsemvae.core.unfinished import unfinished
from lsemvae.deployment.locked_network import NETWORK_SOURCE, LockedNetwork, build_empty, own_source
from lsemvae.model_file.description import read_description
from lsemvae.model_file.seal import OPEN_SEAL, check_seal, seal
from lsemvae.model_file.trained_on import TrainedOn

DESCRIPTION, SEAL = "lsemvae", "seal"
HASHES = "trained_on."


class LockedModel(NamedTuple):
    """A model as its file holds it.

    Attributes:
        network: in eval mode, with its description.
        trained_on: who and what it has seen; empty where its file keeps no hashes.
        digest: SHA-256 of the file.
    """

    network: LockedNetwork
    trained_on: TrainedOn
    digest: str


def write_model(path: Path, network: LockedNetwork, trained_on: TrainedOn) -> str:
    """Write a model in one step and return its digest.

    Args:
        path: the file; an older one is replaced by a whole one or not at all.
        network: with its description.
        trained_on: kept where the description says so.

    Raises:
        InputError: the disk is full or cannot be written.
    """
    tensors = {name: value.contiguous() for name, value in network.state_dict().items()}
    if network.description.hashes:
        hashes = trained_on._asdict().items()
        tensors |= {HASHES + kind: torch.from_numpy(one.view(np.int64)) for kind, one in hashes}
    texts = {DESCRIPTION: network.description.to_json(), SEAL: OPEN_SEAL}
    temporary = unfinished(path)
    try:
        prepare_place(path)
        save_file(tensors, temporary, metadata=texts)
        _order_texts(temporary)
        digest = seal(temporary)
        with temporary.open("rb") as file:
            sync_file(file)
        replace_file(temporary, path)
    except (OSError, SafetensorError) as error:
        raise InputError(f"cannot write {path} ({error}); what was there is intact") from error
    finally:
        temporary.unlink(missing_ok=True)
    return digest


def _order_texts(path: Path) -> None:
    """Sort the texts of a safetensors file, written in any order: equal models are equal files."""
    with path.open("r+b") as file:
        size = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(size))
        header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
        text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode().ljust(size)
        if len(text) == size:
            file.seek(8)
            file.write(text)


def read_model(path: Path) -> LockedModel:
    """Read a model.

    Raises:
        InputError: it is missing, foreign, damaged or of an unknown version.
    """
    digest = check_seal(path)
    try:
        with safe_open(path, framework="pt") as file:
            description = read_description((file.metadata() or {}).get(DESCRIPTION, ""), str(path))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise InputError(f"{path} is no model of lsemvae, or damaged ({error})") from error
    empty = torch.empty(0, dtype=torch.int64)
    seen = TrainedOn(*(
        tensors.pop(HASHES + kind, empty).numpy().view(np.uint64) for kind in TrainedOn._fields
    ))  # fmt: skip
    try:
        with warnings.catch_warnings(action="ignore"):
            network = build_empty(description)
        network.load_state_dict(tensors, assign=True)
    except (KeyError, TypeError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"{path} was locked by another version ({reason})") from error
    _check_source(network, path)
    return LockedModel(network.eval().requires_grad_(False), seen, digest)


def _check_source(network: LockedNetwork, path: Path) -> None:
    """Refuse a network of the user's own whose code is not that of the study any more.

    Raises:
        InputError: names the class.
    """
    locked = network.description.sources.get(NETWORK_SOURCE)
    if locked is not None and own_source(network.networks[0]) != locked:
        name = network.description.networks[0]["class"]
        raise InputError(
            f"{path} was locked with another source of {name} than the one that is imported; put "
            "that file back, or lock the model again"
        )
