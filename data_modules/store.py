"""Read stores: one HDF5 file of cleaned ECGs with their table.

Layout, version 1. Attributes: format, version, sampling_rate_hz, n_samples, unit (mV or NU; counts
are 1/1000 of it), leads, label, synthetic, settings (JSON), sha256. Datasets: `ecg` int16
(n_listed, 12, T), contiguous, one row for each listed record, zeros where it was rejected; `row`
(N,), the accepted records' rows; `present` (N, 12); `columns`, the table's column names; and
`table/<number>` (N,), one column each, as UTF-8 bytes or float64.
"""

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt
import pandas as pd

from lsemvae.errors import InputError
from lsemvae.leads import LEADS

FORMAT = "lsemvae-store"
VERSION = 1
COUNTS_PER_UNIT = 1000  # 1 uV where the unit is mV, finer than any ADC step
_REQUIRED = ("ecg", "row", "present", "columns", "table")
_SIGNATURE = b"\x89HDF\r\n\x1a\n"


class EcgStore:
    """A store that was written by `prepare`.

    Opening reads the table but no signal. Signals come through a memory map that each process
    opens when it first reads, so that stores travel to loader workers.

    Args:
        path: the store file.

    Attributes:
        table: one row for each record, index 0..N-1; `record` and `patient_id` first.
        present: which leads hold a signal, shape (N, 12).
        sampling_rate_hz: samples per second.
        n_samples: samples T of each lead.
        unit: `mV`, or `NU` where amplitudes are arbitrary; counts are 1/1000 of it.
        label: the data's name for captions.
        synthetic: whether any recording says that it is synthetic.
        settings: the signal settings that the store was made with.
        sha256: digest of the table and of all signals.

    Raises:
        InputError: the file is missing, no store, of another version, or damaged.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path).absolute()
        check_marker(self.path)
        try:
            with h5py.File(self.path, "r") as file:
                self._read_attributes(file)
                self._read_table(file)
        except (OSError, KeyError, ValueError) as error:
            raise InputError(f"{path} is damaged ({error}); prepare it again") from error
        self._identity = _identity(self.path)
        self._ecg: npt.NDArray[np.int16] | None = None
        if self._identity[0] < self._offset + 2 * int(np.prod(self._shape)):
            raise InputError(f"{path} is cut short; copy or prepare it again")

    def __len__(self) -> int:
        """Return the number of records."""
        return len(self._rows)

    def read(
        self,
        indices: npt.ArrayLike,
        lead_indices: npt.ArrayLike | None = None,
    ) -> npt.NDArray[np.int16]:
        """Read the signals of several records at once.

        Args:
            indices: positions in `table`, shape (B,), in any order.
            lead_indices: positions in the canonical order, shape (L,); None takes all twelve.

        Returns:
            Counts, shape (B, L, T).
        """
        rows = self._rows[np.asarray(indices, dtype=np.int64)]
        if lead_indices is None:
            return np.asarray(self._map()[rows])
        leads = np.asarray(lead_indices, dtype=np.int64)
        return np.asarray(self._map()[rows[:, None], leads])

    def _map(self) -> npt.NDArray[np.int16]:
        """Map the signals into memory, once in each process; shape (n_listed, 12, T)."""
        if self._ecg is None:
            if _identity(self.path) != self._identity:
                raise InputError(f"{self.path} was replaced while in use; start again")
            self._ecg = np.memmap(
                self.path, dtype="<i2", mode="r", offset=self._offset, shape=self._shape
            )
        return self._ecg

    def _read_attributes(self, file: h5py.File) -> None:
        attributes = file.attrs
        self.sampling_rate_hz = float(attributes["sampling_rate_hz"])
        self.n_samples = int(attributes["n_samples"])
        self.unit, self.label = str(attributes["unit"]), str(attributes["label"])
        self.synthetic = bool(attributes["synthetic"])
        self.settings: dict[str, Any] = json.loads(attributes["settings"])
        self.sha256 = str(attributes["sha256"])
        missing = [name for name in _REQUIRED if name not in file]
        if missing or str(attributes["leads"]).split(",") != list(LEADS):
            raise ValueError(f"missing {missing}" if missing else "unknown leads")

    def _read_table(self, file: h5py.File) -> None:
        ecg = file["ecg"]
        offset = ecg.id.get_offset()
        if offset is None or ecg.dtype != np.dtype("<i2") or ecg.ndim != 3:
            raise ValueError("its signals are not contiguous int16")
        self._offset, self._shape = int(offset), tuple(ecg.shape)
        self._rows = np.asarray(file["row"][:], dtype=np.int64)
        self.present = np.asarray(file["present"][:], dtype=np.bool_)
        names = [name.decode("utf-8") for name in file["columns"][:]]
        columns = {name: _column(file["table"][str(i)]) for i, name in enumerate(names)}
        self.table = pd.DataFrame(columns)
        in_range = ((self._rows >= 0) & (self._rows < self._shape[0])).all()
        shapes = {len(self._rows), len(self.table)} == {len(self.present)}
        if not (in_range and shapes and self._shape[1:] == (len(LEADS), self.n_samples)):
            raise ValueError("its parts differ in length")

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_ecg": None}


def check_marker(path: Path) -> None:
    """Check that a file is a store of this version, before anything in it is trusted.

    Raises:
        InputError: it is not.
    """
    if not path.is_file():
        raise InputError(f"there is no store {path}; make one with `lsemvae prepare`")
    try:
        with path.open("rb") as file:
            is_hdf5 = file.read(len(_SIGNATURE)) == _SIGNATURE
        found, version = _marker(path) if is_hdf5 else (None, None)
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error}); prepare it again") from error
    if found != FORMAT:
        raise InputError(f"{path} is not a store of lsemvae; make one with `lsemvae prepare`")
    if version != VERSION:
        raise InputError(
            f"{path} is a store of version {version}, this program reads version {VERSION}; "
            "prepare it again"
        )


def _marker(path: Path) -> tuple[Any, Any]:
    with h5py.File(path, "r") as file:
        return file.attrs.get("format"), file.attrs.get("version")


def _identity(path: Path) -> tuple[int, int, int]:
    """Return what changes when a file is replaced: its size, time and inode."""
    status = path.stat()
    return status.st_size, status.st_mtime_ns, status.st_ino


def _column(dataset: h5py.Dataset) -> npt.NDArray[Any]:
    """Read one table column as numbers or text."""
    values = np.asarray(dataset[:])
    return values if values.dtype.kind == "f" else np.char.decode(values, "utf-8")
