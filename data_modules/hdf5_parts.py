"""Open the datasets of a foreign HDF5 file, whose links and layouts may lead anywhere."""

import math

import h5py

# What h5py raises for a damaged file, by which of its parts is damaged.
HDF5_ERRORS = (OSError, RuntimeError, KeyError, ValueError, TypeError, AttributeError,
               OverflowError)  # fmt: skip
MOST_UNPACKED = 1 << 30  # bytes of the chunks that one row lies in


def own_dataset(file: h5py.File, name: str, *, virtual: bool = False) -> h5py.Dataset:
    """Return a dataset whose values lie in the file itself; no other file is opened for it.

    Args:
        file: open for reading.
        name: of the dataset, with `/` between groups.
        virtual: take one that is a view of other files, too; nobody may read values through it.

    Raises:
        KeyError: there is none of that name.
        ValueError: it is a link or a group, its values lie elsewhere, or a row of it would unpack
            to more than `MOST_UNPACKED` bytes.
    """
    place = file
    for part in name.strip("/").split("/"):
        if not isinstance(place, h5py.Group):
            raise KeyError(f"there is no {name[:60]!r}")
        link = place.get(part, getlink=True)
        if link is None:
            raise KeyError(f"there is no {name[:60]!r}")
        if not isinstance(link, h5py.HardLink):
            raise ValueError(f"{name[:60]!r} is a link to elsewhere, which is not followed")
        place = place[part]
    if not isinstance(place, h5py.Dataset):
        raise ValueError(f"{name[:60]!r} holds no values")
    if place.external or (place.is_virtual and not virtual):
        raise ValueError(f"the values of {name[:60]!r} lie in other files, which are not opened")
    if place.chunks and _row_bytes(place) > MOST_UNPACKED:
        raise ValueError(f"a row of {name[:60]!r} unpacks to {_row_bytes(place):,} bytes")
    return place


def _row_bytes(dataset: h5py.Dataset) -> int:
    """Return how much is unpacked for a row: all chunks that it lies in, whole."""
    lengths, chunk = tuple(map(int, dataset.shape)), tuple(map(int, dataset.chunks))
    touched = [-(-size // of) for size, of in zip(lengths[1:], chunk[1:], strict=True)]
    return math.prod(touched) * math.prod(chunk) * int(dataset.dtype.itemsize)
