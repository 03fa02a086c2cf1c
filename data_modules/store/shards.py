"""Write the signals of a store in files of equal length (shards), each complete or absent.

A shard is an HDF5 file with one contiguous dataset `ecg` int16 (rows, 12, T), zeros where a
recording was rejected. Its mark tells the conversion it belongs to, its number and where the
signals begin, so that it is read without the HDF5 library.
"""

import math
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

import h5py
import numpy as np
import numpy.typing as npt

from data_modules.store.mark import MARK_BYTES, SHARD, make_mark, read_mark
from lsemvae.core.errors import InputError
from lsemvae.core.files import replace_file, sync_file
from lsemvae.core.leads import LEADS

MAX_SHARDS = 256  # a reader holds one file open for each; usual limits are 1024 and 256
MIN_ROWS = 256  # 31 MB and some tenths of a second of work where records have 10 s


class ShardPlan(NamedTuple):
    """How the listed recordings are dealt to shards; it follows from their number alone.

    Attributes:
        n_listed: recordings in the list.
        rows: recordings in each shard but the last.
        n_samples: samples T of each lead.
    """

    n_listed: int
    rows: int
    n_samples: int

    @property
    def n_shards(self) -> int:
        """Number of shards."""
        return -(-self.n_listed // self.rows)

    def span(self, number: int) -> range:
        """Return the rows of a shard."""
        return range(number * self.rows, min((number + 1) * self.rows, self.n_listed))

    def shape(self, number: int) -> tuple[int, int, int]:
        """Return the shape of a shard's signals."""
        return len(self.span(number)), len(LEADS), self.n_samples

    def n_bytes(self, number: int) -> int:
        """Return the size of a shard's signals."""
        return 2 * math.prod(self.shape(number))


def plan_shards(n_listed: int, n_samples: int) -> ShardPlan:
    """Deal recordings to shards: at most `MAX_SHARDS`, of at least `MIN_ROWS` rows."""
    return ShardPlan(n_listed, max(MIN_ROWS, -(-n_listed // MAX_SHARDS)), n_samples)


def shard_path(folder: Path, number: int) -> Path:
    """Return the name of a shard."""
    return folder / f"{number:05d}.h5"


def shards_root(store: Path) -> Path:
    """Return the folder that holds the shards of a store, and unfinished ones."""
    return store.with_name(store.name + ".shards")


def is_whole(file: Path, n_bytes: int) -> bool:
    """Tell whether a shard is there with all its signals."""
    try:
        return file.stat().st_size > n_bytes
    except FileNotFoundError:
        return False


def reserve(file: h5py.File, name: str, shape: tuple[int, ...], dtype: npt.DTypeLike) -> int:
    """Reserve a dataset of a new file and return the byte at which its values begin.

    They are written later as plain bytes: faster than through HDF5, and a full disk is an ordinary
    error.
    """
    properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    properties.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
    properties.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
    made = file.create_dataset(name, shape, dtype=dtype, track_times=False, dcpl=properties)
    return int(made.id.get_offset())


@contextmanager
def new_hdf5(path: Path) -> Iterator[h5py.File]:
    """Create an HDF5 file with room for a mark; errors of the library become plain ones.

    Raises:
        OSError: the disk is full or cannot be written.
        FileExistsError: the file exists.
    """
    try:
        with h5py.File(path, "x", userblock_size=MARK_BYTES) as file:
            yield file
    except (OSError, RuntimeError) as error:
        found = re.search(r"errno = (\d+)", str(error))
        if found is None:
            raise
        raise OSError(int(found[1]), os.strerror(int(found[1])), str(path)) from error


def write_shard(
    folder: Path,
    number: int,
    *,
    key: str,
    shape: tuple[int, int, int],
    blocks: Iterable[npt.NDArray[np.int16]],
) -> None:
    """Write a shard under a name of its own and give it its place when it is on the disk.

    Args:
        folder: where the shards of this conversion are.
        number: of the shard.
        key: of the conversion.
        shape: of all signals, (rows, 12, T).
        blocks: the signals in consecutive parts, each (n, 12, T).

    Raises:
        OSError: the disk is full or cannot be written.
    """
    path = shard_path(folder, number)
    # its own name: a worker that outlived its killed run may still be writing the same shard
    temporary = path.with_name(f"{path.stem}.{uuid4().hex[:8]}.tmp")
    try:
        with new_hdf5(temporary) as file:
            offset = reserve(file, "ecg", shape, "<i2")
        with temporary.open("r+b") as raw:
            raw.write(make_mark(SHARD, key=key, number=number, offset=offset, rows=shape[0]))
            raw.seek(offset)
            for block in blocks:
                raw.write(np.ascontiguousarray(block, dtype="<i2").data)
            sync_file(raw)
        replace_file(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def shard_offset(folder: Path, number: int, *, key: str, shape: tuple[int, int, int]) -> int:
    """Return the byte at which the signals of a shard begin, after checking that it is whole.

    Raises:
        InputError: it is missing, cut short, or belongs to another conversion.
    """
    path = shard_path(folder, number)
    mark = read_mark(path, SHARD)
    offset = mark.get("offset")
    expected = {"key": key, "number": number, "offset": offset, "rows": shape[0]}
    if mark != expected or not isinstance(offset, int) or offset < MARK_BYTES:
        raise InputError(f"{path} belongs to another store; copy the store's folder again")
    if path.stat().st_size < offset + 2 * math.prod(shape):
        raise InputError(f"{path} is cut short; copy it or prepare the store again")
    return offset


def shard_signal(folder: Path, plan: ShardPlan, row: int, *, key: str) -> npt.NDArray[np.int16]:
    """Return one recording (12, T) of the shards of a conversion.

    Args:
        folder: of the shards.
        plan: how the recordings were dealt to them.
        row: its position in the list.
        key: of the conversion.

    Raises:
        InputError: its shard is missing, cut short, or belongs to another conversion.
    """
    number, place = divmod(row, plan.rows)
    shape = plan.shape(number)
    offset = shard_offset(folder, number, key=key, shape=shape)
    n_values = math.prod(shape[1:])
    start = offset + 2 * place * n_values
    values = np.fromfile(shard_path(folder, number), dtype="<i2", count=n_values, offset=start)
    return values.reshape(shape[1:])
