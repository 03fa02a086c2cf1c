"""Find where the datasets of a store lie in its file, so that they are read without the library."""

import math
from pathlib import Path
from typing import NamedTuple

import h5py
import numpy as np


class Place(NamedTuple):
    """Where a dataset lies in the file."""

    offset: int
    shape: tuple[int, ...]
    dtype: str

    @property
    def end(self) -> int:
        """The first byte behind it."""
        return self.offset + math.prod(self.shape) * np.dtype(self.dtype).itemsize


def identity(path: Path) -> tuple[int, int, int]:
    """Return what changes when a file is replaced: its size, time and inode."""
    status = path.stat()
    return status.st_size, status.st_mtime_ns, status.st_ino


def place_of(dataset: h5py.Dataset) -> Place:
    """Return where a dataset lies.

    Raises:
        ValueError: it is in pieces.
    """
    offset = dataset.id.get_offset()
    if offset is None:
        raise ValueError(f"{dataset.name} is not contiguous")
    return Place(int(offset), tuple(dataset.shape), dataset.dtype.str)
