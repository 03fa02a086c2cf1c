"""Read the arrays of an NPZ file, whatever a crash or a stranger has made of it."""

import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lsemvae.core.files import refuse_endless

MAX_UNPACKED, MAX_RATIO = 64 << 20, 200
"""Bytes from which on a file may not unpack to so many times its size: ours reach 20 times."""
_UNREADABLE = (
    OSError, ValueError, EOFError, KeyError, IndexError, TypeError, AttributeError, SyntaxError,
    NotImplementedError, RuntimeError, MemoryError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip


def read_npz(file: Path, needs: Sequence[str] = ()) -> dict[str, npt.NDArray[Any]]:
    """Return the arrays of a file by name; objects, which would run code, are refused.

    Args:
        file: that is there.
        needs: names without which it is none of ours.

    Raises:
        InputError: see `refuse_endless`.
        ValueError: it is no whole NPZ file, lacks a name, or unpacks to much more than it has.
    """
    refuse_endless(file)
    try:
        if not zipfile.is_zipfile(file):
            raise ValueError("it is no NPZ file")
        with zipfile.ZipFile(file) as packed:
            n_bytes = sum(one.file_size for one in packed.infolist())
        if n_bytes > max(MAX_UNPACKED, MAX_RATIO * file.stat().st_size):
            raise ValueError(f"it would unpack to {n_bytes:,} bytes")
        with np.load(file, allow_pickle=False) as kept:
            arrays = {name: kept[name] for name in kept.files}
    except _UNREADABLE as error:
        raise ValueError(_reason(error)) from error
    missing = [name for name in needs if name not in arrays]
    if missing:
        raise ValueError(f"it holds no {', '.join(missing)}")
    return arrays


def _reason(error: BaseException) -> str:
    """Say in a few words why; numpy advises to unpickle what it refuses."""
    text = " ".join(str(error).split())
    return "it holds objects" if "pickle" in text else text[:100] or type(error).__name__
