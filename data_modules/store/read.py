"""Read stores: cleaned ECGs with their table, in one file or in an index beside its shards.

Layout, version 2. The file begins with a mark (`data_modules.store.mark`). Attributes:
sampling_rate_hz, n_samples, unit (mV or NU; counts are 1/1000 of it), leads, label, source,
made_by, synthetic, settings (JSON), listed, reasons (JSON), sha256, shards, shard_rows. Datasets:
`ecg` int16 (listed, 12, T), one row for each listed record, zeros where it was rejected:
contiguous, or virtual over the files of the folder STORE.shards/<shards>; `row` (N,), the accepted
records' rows; `present` (N, 12); `columns`, the table's column names; and `table/<number>` (N,),
one column each, as UTF-8 bytes or float64; in stores of newer programs `fingerprint` (N, 16).
"""

import os
from collections.abc import Sequence
from functools import cached_property
from io import FileIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
import numpy.typing as npt

from data_modules.hdf5_parts import HDF5_ERRORS, own_dataset
from data_modules.store.content import COUNTS_PER_UNIT, FINGERPRINT, signal_digest
from data_modules.store.mark import STORE, read_mark
from data_modules.store.places import identity, place_of
from data_modules.store.shards import ShardPlan, is_whole, shard_offset, shard_path, shards_root
from data_modules.store.whole import check_table
from lsemvae.core.counted import counted
from lsemvae.core.errors import InputError
from lsemvae.core.json_text import parse_json
from lsemvae.core.leads import LEADS

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["COUNTS_PER_UNIT", "EcgStore"]

_REQUIRED = ("ecg", "row", "present", "columns", "table")


class EcgStore:
    """A store that was written by `prepare`.

    Opening reads descriptions only, whatever the number of records. Each process maps the table's
    columns and opens the files of signals when it first reads them, so that stores travel to loader
    workers and cost them no memory.

    Args:
        path: the store file.

    Attributes:
        named: the path as it was given.
        columns: names of the table's columns, `record` and `patient_id` first.
        sampling_rate_hz: samples per second.
        n_samples: samples T of each lead.
        unit: `mV`, or `NU` where amplitudes are arbitrary; counts are 1/1000 of it.
        label: the data's name for captions.
        source: name of the folder that the recordings were read from.
        made_by: the program and its version.
        synthetic: whether any recording says that it is synthetic.
        settings: the signal settings that the store was made with.
        reasons: how many recordings were `rejected` and had `warnings`, by reason code.
        plan: how the listed recordings were dealt to shards.
        shard_folder: name of the folder of the shards; empty where the store is one file.
        sha256: digest of the table and of all signals.
        parts: names of the datasets beside the signals, as they are hashed.

    Raises:
        InputError: the file is missing, no store, of another version, or damaged.
    """

    def __init__(self, path: str | Path) -> None:
        self.path, self.named = Path(path).absolute(), str(path)
        mark = read_mark(Path(path), STORE)
        try:
            with h5py.File(self.path, "r", locking=False) as file:
                self._read_attributes(file)
                self._read_places(file)
        except HDF5_ERRORS as error:
            raise InputError(f"{path} is damaged ({error}); prepare it again") from error
        if mark != {"sha256": self.sha256}:
            raise InputError(f"{path} is damaged (its mark); prepare it again")
        self._identity = identity(self.path)
        self._files: dict[int, tuple[FileIO, int]] = {}
        self._maps: dict[str, npt.NDArray[Any]] = {}
        self._verified: npt.NDArray[np.bool_] | None = None
        self._table_verified = False
        self._check_sizes()

    def __len__(self) -> int:
        """Return the number of records."""
        return self._places["row"].shape[0]

    @cached_property
    def table(self) -> "pd.DataFrame":
        """One row for each record, index 0..N-1; some 500 bytes a record."""
        return self.select(self.columns)

    def select(self, names: Sequence[str]) -> "pd.DataFrame":
        """Read some columns of the table; text takes about 100 bytes a cell."""
        import pandas as pd  # half a second, for those who want no more than signals

        columns = {name: self.column(name) for name in names}
        return pd.DataFrame(
            {
                name: values if values.dtype.kind == "f" else np.char.decode(values, "utf-8")
                for name, values in columns.items()
            }
        )

    @property
    def present(self) -> npt.NDArray[np.bool_]:
        """Which leads hold a signal, shape (N, 12)."""
        return self.part("present")

    @property
    def fingerprint(self) -> npt.NDArray[np.int16] | None:
        """By which copies are found, (N, 16), zeros where unknown; None in an older store."""
        return self.part(FINGERPRINT) if FINGERPRINT in self.parts else None

    @property
    def rows(self) -> npt.NDArray[np.int64]:
        """Place of each record in the list that was converted, shape (N,)."""
        return self.part("row")

    def column(self, name: str) -> npt.NDArray[Any]:
        """Map a column of the table: float64, or UTF-8 bytes; shape (N,).

        Raises:
            KeyError: the table has no such column.
            InputError: the table is not the one that was written.
        """
        number = {column: i for i, column in enumerate(self.columns)}[name]
        if not self._table_verified:
            check_table(self)
            self._table_verified = True
        return self.part(f"table/{number}")

    def read(
        self,
        indices: npt.ArrayLike,
        lead_indices: npt.ArrayLike | None = None,
        *,
        verify: bool = False,
    ) -> npt.NDArray[np.int16]:
        """Read the signals of several records at once.

        Args:
            indices: positions in `table`, shape (B,), in any order.
            lead_indices: positions in the canonical order, shape (L,); None takes all twelve.
            verify: compare each record, whole, with its SHA-256 the first time that this process
                reads it.

        Returns:
            Counts, shape (B, L, T).

        Raises:
            InputError: a record is not what was written; the file was cut short.
        """
        if verify:
            self._verify(np.asarray(indices, dtype=np.int64))
        rows = self.rows[np.asarray(indices, dtype=np.int64)]
        leads = np.arange(len(LEADS)) if lead_indices is None else np.asarray(lead_indices)
        first, last = (int(leads.min()), int(leads.max()) + 1) if len(leads) else (0, 0)
        span = np.empty((len(rows), last - first, self.n_samples), dtype="<i2")
        self._read_span(rows, first, span)
        wanted = leads - first
        return (
            span if np.array_equal(wanted, np.arange(last - first)) else span.take(wanted, axis=1)
        )

    def _verify(self, indices: npt.NDArray[np.int64]) -> None:
        """Hash the records that this process has not read before."""
        if self._verified is None:
            self._verified = np.zeros(len(self), dtype=np.bool_)
        fresh = np.unique(indices[~self._verified[indices]])
        if not len(fresh) or "signal_sha256" not in self.columns:
            return
        written = self.column("signal_sha256")[fresh]
        found = np.array([signal_digest(ecg) for ecg in self.read(fresh)], dtype=written.dtype)
        wrong = fresh[found != written]
        if len(wrong):
            record = self.column("record")[wrong[0]].decode("utf-8")
            raise InputError(
                f"{self.named}: the signals of record {record} are not those that were written "
                "(their SHA-256 differs): the disk or a copy has changed them. Copy the store "
                "again or prepare it again; `lsemvae inspect STORE --verify` names all such records"
            )
        self._verified[fresh] = True

    def _read_span(self, rows: npt.NDArray[np.int64], first: int, out: npt.NDArray[Any]) -> None:
        """Fill `out` (B, leads, T) with leads from `first` on, by one system call for each record.

        In the order of their places on the disk. Against a memory map: three quarters as fast where
        the data are in memory, faster where they are not (docs/ingestion.md), and a disk that fails
        is an error instead of a killed process.
        """
        if not out.size:
            return
        lead_bytes, size = 2 * self.n_samples, out[0].nbytes
        view = out.reshape(-1).data.cast("B")
        order = np.argsort(rows, kind="stable")
        numbers, inside = np.divmod(rows[order], self._rows_in_file)
        starts = first * lead_bytes + inside * len(LEADS) * lead_bytes
        for i, number, start in zip(order.tolist(), numbers.tolist(), starts.tolist(), strict=True):
            file, offset = self._files.get(number) or self._open(number)
            part = view[i * size : (i + 1) * size]
            if os.preadv(file.fileno(), [part], offset + start) != size:
                raise InputError(f"{self.named} was cut short while in use; copy it again")

    def _open(self, number: int) -> tuple[FileIO, int]:
        """Open a file of signals, once in each process; return it and its first sample's byte."""
        self._check_unchanged()
        if self.shard_folder:
            path, shape = shard_path(self._folder, number), self.plan.shape(number)
            offset = shard_offset(self._folder, number, key=self.shard_folder, shape=shape)
        else:
            path, offset = self.path, self._places["ecg"].offset
        self._files[number] = open(path, "rb", buffering=0), offset  # noqa: SIM115 (kept open)
        return self._files[number]

    def part(self, name: str) -> npt.NDArray[Any]:
        """Map a dataset beside the signals into memory, read-only, once in each process."""
        if name not in self._maps:
            self._check_unchanged()
            offset, shape, dtype = self._places[name]
            self._maps[name] = np.asarray(np.memmap(self.path, dtype, "r", offset, shape))
        return self._maps[name]

    def _check_unchanged(self) -> None:
        if identity(self.path) != self._identity:
            raise InputError(f"{self.named} was replaced while in use; start again")

    def _read_attributes(self, file: h5py.File) -> None:
        attributes = file.attrs
        self.sampling_rate_hz = float(attributes["sampling_rate_hz"])
        self.n_samples = int(attributes["n_samples"])
        self.unit, self.label = str(attributes["unit"]), str(attributes["label"])
        self.source, self.made_by = str(attributes["source"]), str(attributes["made_by"])
        self.synthetic = bool(attributes["synthetic"])
        self.settings: dict[str, Any] = parse_json(attributes["settings"])
        self.reasons: dict[str, dict[str, int]] = parse_json(attributes["reasons"])
        self.sha256 = str(attributes["sha256"])
        listed, rows = int(attributes["listed"]), int(attributes["shard_rows"])
        self.plan = ShardPlan(listed, rows, self.n_samples)
        self.shard_folder = str(attributes["shards"])
        missing = [name for name in _REQUIRED if name not in file]
        if missing or str(attributes["leads"]).split(",") != list(LEADS):
            raise ValueError(f"missing {missing}" if missing else "unknown leads")
        if "/" in self.shard_folder or self.shard_folder in (".", "..") or rows < 1:
            raise ValueError("its shards are elsewhere")

    def _read_places(self, file: h5py.File) -> None:
        """Find where the datasets lie, and check that they fit one another."""
        columns = own_dataset(file, "columns")
        if place_of(columns).end > self.path.stat().st_size:
            raise ValueError("it is cut short")
        self.columns = [name.decode("utf-8") for name in columns[:]]
        names = ["row", "present", "columns", *(f"table/{i}" for i in range(len(self.columns)))]
        names += [FINGERPRINT] if FINGERPRINT in file else []
        self.parts = names
        self._places = {name: place_of(own_dataset(file, name)) for name in names}
        ecg = own_dataset(file, "ecg", virtual=True)
        if self.shard_folder:
            if not ecg.is_virtual:
                raise ValueError("its shards are not virtual")
        else:
            self._places["ecg"] = place_of(ecg)
        lengths = {self._places[name].shape[0] for name in names if name != "columns"}
        shape = (self.plan.n_listed, len(LEADS), self.n_samples)
        if ecg.dtype != np.dtype("<i2") or ecg.shape != shape or len(lengths) != 1:
            raise ValueError("its parts differ in length")
        if self._places["present"].shape[1:] != (len(LEADS),) or not len(self):
            raise ValueError("its leads differ in number")
        self._rows_in_file = self.plan.rows if self.shard_folder else self.plan.n_listed

    def _check_sizes(self) -> None:
        """Check that no file of the store is missing or cut short; shards are 256 at most.

        Raises:
            InputError: one is.
        """
        end = max(place.end for place in self._places.values())
        if self._identity[0] < end:
            raise InputError(f"{self.named} is cut short; copy or prepare it again")
        if not self.shard_folder:
            return
        wrong = [
            file.name
            for number in range(self.plan.n_shards)
            if not is_whole(file := shard_path(self._folder, number), self.plan.n_bytes(number))
        ]
        if wrong:
            raise InputError(
                f"{self.named} lacks {len(wrong)} of its {counted(self.plan.n_shards, 'shard')}, "
                f"or they are cut short (the first is {wrong[0]} in {self._folder}); copy the "
                f"folder {self._folder.parent.name} together with the store"
            )

    @property
    def _folder(self) -> Path:
        return shards_root(self.path) / self.shard_folder

    def __getstate__(self) -> dict[str, Any]:
        kept = {name: value for name, value in self.__dict__.items() if name != "table"}
        return {**kept, "_files": {}, "_maps": {}, "_verified": None}
