"""Refuse a checkpoint that would unfold without measure."""

import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from lsemvae.core.errors import InputError

MAX_VALUES = 1_000_000  # with everything that stands in two places counted twice; ours have 10,000
MAX_DEPTH = 50


def check_archive(path: Path) -> None:
    """Refuse an archive whose parts are compressed, before one of them is unpacked.

    `torch.save` compresses nothing, so the parts together are smaller than the file.

    Raises:
        InputError: the parts are larger than the file, or encrypted.
    """
    if not zipfile.is_zipfile(path):
        return
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(part.file_size for part in archive.infolist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise InputError(f"{path} is damaged ({str(error)[:100]}); take another copy") from error
    if unpacked > path.stat().st_size:
        raise InputError(
            f"{path} would unpack to {unpacked:,} bytes, more than it has; `torch.save` compresses "
            "nothing: look at where this file comes from"
        )


def check_content(checkpoint: Mapping[str, Any], path: Path) -> None:
    """Refuse values that unfold without measure, and weights that are no tensors of the file.

    Args:
        checkpoint: as read, weights only.
        path: of its file.

    Raises:
        InputError: names what is wrong.
    """
    weights, size = checkpoint["state_dict"], path.stat().st_size
    if not isinstance(weights, Mapping):
        raise _no_checkpoint(path, f"its weights are a {type(weights).__name__}")
    for name, value in weights.items():
        if not isinstance(name, str) or not isinstance(value, Tensor):
            raise _no_checkpoint(path, f"its weight {name!r:.60} is a {type(value).__name__}")
        if value.numel() * value.element_size() > size:
            raise _no_checkpoint(path, f"its weight {name:.60} is larger than the file")
    others = {name: value for name, value in checkpoint.items() if name != "state_dict"}
    if _n_values(others, {}, 0) > MAX_VALUES:
        raise _no_checkpoint(path, f"its values unfold to more than {MAX_VALUES:,}, or are endless")


def _no_checkpoint(path: Path, reason: str) -> InputError:
    return InputError(
        f"{path} is no checkpoint that `lightning fit` wrote: {reason}; look at where it comes from"
    )


def _n_values(value: Any, known: dict[int, int], depth: int) -> int:
    """Count the values of nested lists and mappings, each as often as it would be written out."""
    if not isinstance(value, Mapping | list | tuple | set):
        return 1
    if depth > MAX_DEPTH:  # also where a list holds itself
        return MAX_VALUES + 1
    if id(value) not in known:
        known[id(value)] = 1 + sum(_n_values(part, known, depth + 1) for part in _parts(value))
    return known[id(value)]


def _parts(value: Any) -> Iterator[Any]:
    yield from value
    if isinstance(value, Mapping):
        yield from value.values()
