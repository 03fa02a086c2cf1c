"""Write stores: beside the target, complete or not at all, the same bytes for the same input."""

import contextlib
import hashlib
import json
import os
import shutil
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

import h5py
import numpy as np
import numpy.typing as npt
import pandas as pd

from data_modules.store import FORMAT, VERSION, check_marker
from lsemvae.errors import InputError
from lsemvae.leads import LEADS

_OVERHEAD_BYTES = 16_000_000  # HDF5's own structures and a table; signals are counted exactly


class StoreDescription(NamedTuple):
    """What a store says about itself; the meanings are those of `EcgStore`."""

    sampling_rate_hz: float
    n_samples: int
    unit: str
    label: str
    settings: dict[str, Any]


class StoreWriter:
    """Write one store; use it in a `with` block.

    The file grows under a temporary name beside its target and takes its place in `finish`. If
    anything fails before, the temporary file is removed and an older store stays as it was.

    Args:
        path: the store to write; an older store there is replaced.
        n_listed: rows to reserve, one for each listed record.
        description: the store's attributes.

    Raises:
        InputError: the folder is missing or not writable, the disk is too small, the path holds
            something other than a store, or another process is writing this store.
    """

    def __init__(self, path: Path, *, n_listed: int, description: StoreDescription) -> None:
        self.path = path
        self._temporary = path.with_name(path.name + ".tmp")
        self._description = description
        shape = (n_listed, len(LEADS), description.n_samples)
        _check_target(path, needed=2 * int(np.prod(shape)) + _OVERHEAD_BYTES)
        self._lock: int | None = _lock(self._temporary)
        try:
            # the lock above is ours; HDF5's own would collide with it
            self._file = h5py.File(self._temporary, "w", locking=False)
            self._ecg = self._file.create_dataset("ecg", shape, dtype="<i2", track_times=False)
        except BaseException:
            self._discard()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._lock is not None:
            self._discard()
        if isinstance(error, OSError):
            raise InputError(
                f"cannot write {self.path} ({error.strerror or error}); nothing was changed there; "
                "choose a folder with more space or rights"
            ) from error

    def write(self, start: int, ecg: npt.NDArray[np.int16]) -> None:
        """Write consecutive rows.

        Args:
            start: the first row.
            ecg: counts, shape (rows, 12, T), zeros for rejected records.
        """
        self._ecg[start : start + len(ecg)] = ecg

    def finish(
        self,
        table: pd.DataFrame,
        *,
        rows: npt.NDArray[np.int64],
        present: npt.NDArray[np.bool_],
        synthetic: bool,
    ) -> str:
        """Write the table and put the store in its place.

        Args:
            table: one row for each accepted record; text or numbers, with `signal_sha256`.
            rows: each record's row in `ecg`, shape (N,).
            present: which leads hold a signal, shape (N, 12).
            synthetic: whether any recording says that it is synthetic.

        Returns:
            The store's digest.
        """
        columns = {str(name): _encode(table[name]) for name in table}
        parts = {"row": rows, "present": present, "columns": _encode(pd.Series(list(columns)))}
        parts |= {f"table/{number}": values for number, values in enumerate(columns.values())}
        attributes = self._attributes(synthetic=synthetic)
        attributes["sha256"] = _digest(attributes, parts)
        for name, values in parts.items():
            self._file.create_dataset(name, data=values, track_times=False)
        for name, value in attributes.items():
            self._file.attrs[name] = value
        self._file.flush()
        self._file.close()
        with self._temporary.open("rb") as written:
            os.fsync(written.fileno())
        os.replace(self._temporary, self.path)
        self._release()
        return str(attributes["sha256"])

    def _attributes(self, *, synthetic: bool) -> dict[str, Any]:
        settings = json.dumps(self._description.settings, sort_keys=True)
        return {
            "format": FORMAT,
            "version": VERSION,
            **self._description._asdict(),
            "settings": settings,
            "leads": ",".join(LEADS),
            "synthetic": synthetic,
        }

    def _discard(self) -> None:
        """Close and remove the temporary file, whatever state it is in."""
        # a full disk fails again on closing; the file goes anyway
        with contextlib.suppress(OSError, RuntimeError, AttributeError):
            self._file.close()
        self._temporary.unlink(missing_ok=True)
        self._release()

    def _release(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def check_output(path: Path) -> None:
    """Check that a store may be written here, before hours are spent on it.

    Raises:
        InputError: the folder cannot be made or written to, or the path holds something else.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"cannot write {path}: the folder {path.parent} cannot be made ({error.strerror})"
        ) from error
    if not os.access(path.parent, os.W_OK):
        raise InputError(f"cannot write {path}: the folder {path.parent} is read-only for you")
    if path.is_dir():
        raise InputError(f"cannot write {path}: it is a folder; name a file such as ecg.h5 in it")
    if path.exists():
        _refuse_foreign(path)


def _refuse_foreign(path: Path) -> None:
    """Refuse to replace a file that is no store of ours; any version may be replaced."""
    try:
        check_marker(path)
    except InputError as error:
        if "of version" not in str(error):
            raise InputError(
                f"{path} exists and is no readable store, so it is not replaced; name another file"
            ) from error


def _check_target(path: Path, *, needed: int) -> None:
    check_output(path)
    free = shutil.disk_usage(path.parent).free
    if free < needed:
        raise InputError(
            f"cannot write {path}: it needs {needed / 1e9:.2f} GB and {path.parent} has "
            f"{free / 1e9:.2f} GB free; free some or choose another disk"
        )


def _lock(temporary: Path) -> int:
    """Open the temporary file for this process alone; what a killed run left is taken over."""
    import fcntl  # not on Windows, where stores can still be read

    try:
        descriptor = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o644)
    except OSError as error:
        raise InputError(f"cannot write {temporary} ({error.strerror})") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise InputError(
            f"another process is writing {temporary.stem}; wait for it or name another file"
        ) from error
    return descriptor


def _encode(values: pd.Series) -> npt.NDArray[Any]:
    """Return a column as float64 or as UTF-8 bytes of fixed length; missing is NaN or empty."""
    if pd.api.types.is_numeric_dtype(values.dtype):
        return values.to_numpy(dtype=np.float64, na_value=np.nan)
    encoded = np.char.encode(values.fillna("").to_numpy(dtype=np.str_), "utf-8")
    return encoded.astype(f"S{max(1, encoded.dtype.itemsize)}")


def _digest(attributes: dict[str, Any], parts: dict[str, npt.NDArray[Any]]) -> str:
    """Hash attributes and table; the table holds the signals' digests."""
    digest = hashlib.sha256(json.dumps(attributes, sort_keys=True).encode())
    for name, values in parts.items():
        digest.update(f"{name} {values.dtype.str} {values.shape}".encode())
        digest.update(np.ascontiguousarray(values).tobytes())
    return digest.hexdigest()
