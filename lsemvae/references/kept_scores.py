"""Keep the scores of a row of features, so that another row costs nothing for those before it."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lsemvae.core.files import is_as_written, replacing, write_digest

Scores = npt.NDArray[np.float64]
ByFraction = dict[float, Scores]


def scores_key(described: object, arrays: Sequence[npt.NDArray[np.generic]]) -> str:
    """Name the scores of a row by all that they follow from.

    Args:
        described: settings, as plain values whose `repr` says everything.
        arrays: features, labels, patients, folds.
    """
    digest = hashlib.sha256(repr((version("lsemvae"), described)).encode())
    for array in arrays:
        digest.update(repr((array.shape, array.dtype.str)).encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:24]


def kept_or_computed(
    folder: Path | None, key: str, compute: Callable[[], Mapping[float, Scores]]
) -> ByFraction:
    """Return scores (D, N) by fraction: those that were kept, else computed and kept.

    Args:
        folder: of kept scores; None keeps nothing.
        key: from `scores_key`.
        compute: what gives them.
    """
    found = read_scores(folder, key)
    if found is None:
        found = dict(compute())
        keep_scores(folder, key, found)
    return found


def read_scores(folder: Path | None, key: str) -> ByFraction | None:
    """Return the scores of a key, None where there are none or they are not what was written."""
    file = None if folder is None else folder / f"{key}.npz"
    if file is None or not is_as_written(file):
        return None
    with np.load(file) as kept:
        return {float(name): kept[name] for name in kept.files}


def keep_scores(folder: Path | None, key: str, scores: Mapping[float, Scores]) -> None:
    """Write the scores of a key in one step; nothing where no folder is given."""
    if folder is None:
        return
    file = folder / f"{key}.npz"
    with replacing(file) as temporary:
        named: dict[str, Any] = {repr(fraction): each for fraction, each in scores.items()}
        np.savez(temporary, **named)
    write_digest(file)
