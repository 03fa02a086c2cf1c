"""Read records of one or several stores as whole batches."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from torch.utils.data import Dataset

from data_modules.store.read import COUNTS_PER_UNIT, EcgStore
from lsemvae.core.counted import counted
from lsemvae.core.errors import InputError
from lsemvae.core.leads import lead_indices
from lsemvae.core.types import EcgBatch, EcgInput, Names, Normalisation

Indices = npt.NDArray[np.int64]


class EcgPool:
    """Several stores of equal rate, length and band, as if they were one.

    Args:
        paths: store files.

    Raises:
        InputError: stores that cannot be mixed, or one that is named twice.
    """

    def __init__(self, paths: Sequence[str]) -> None:
        if not paths:
            raise InputError("store is empty; name one store at least")
        self.stores = [EcgStore(path) for path in paths]
        first = self.stores[0]
        self.ecg_input = ecg_input(first, "millivolt")
        for path, store in zip(paths, self.stores, strict=True):
            differences = self.ecg_input.differences(ecg_input(store, "millivolt"))
            if differences:
                raise InputError(
                    f"{paths[0]} and {path} cannot be pooled ({'; '.join(differences)}); prepare "
                    "them with the same settings"
                )
        _refuse_twice(paths, self.stores)
        self.n_samples = first.n_samples
        self.calibrated = all(store.unit == "mV" for store in self.stores)
        self.ecg_input = self.ecg_input._replace(unit="mV" if self.calibrated else "NU")
        self.synthetic = any(store.synthetic for store in self.stores)
        self.named = " and ".join(paths)
        self.label = " + ".join(store.label for store in self.stores)
        self.sha256 = "+".join(store.sha256 for store in self.stores)
        self.start = np.cumsum([0] + [len(store) for store in self.stores])

    def __len__(self) -> int:
        """Return the number of records."""
        return int(self.start[-1])

    @cached_property
    def table(self) -> pd.DataFrame:
        """The tables one after the other; texts take some 400 bytes a record."""
        return pd.concat(_tables(self.stores), ignore_index=True)

    @cached_property
    def present(self) -> npt.NDArray[np.bool_]:
        """Which leads hold a signal, shape (N, 12)."""
        if len(self.stores) == 1:
            return self.stores[0].present
        return np.concatenate([store.present for store in self.stores])

    def names(self, column: str, indices: Indices) -> Names:
        """Return the chosen records' text of a column that all tables have, shape (B,).

        Texts are decoded for a batch at a time: held as objects they would cost every process
        100 bytes a record.
        """
        owner = np.searchsorted(self.start, indices, side="right") - 1
        out = np.empty(len(indices), dtype=object)
        for number in np.unique(owner):
            mine = owner == number
            values = self.stores[number].column(column)[indices[mine] - self.start[number]]
            prefix = self._prefix(number)
            out[mine] = [prefix + value.decode("utf-8") for value in values.tolist()]
        return out

    def patients(self, indices: Indices) -> Indices:
        """Number the chosen records' patients 0, 1, ... in the order of their ids, shape (B,)."""
        ids = [
            np.char.add(self._prefix(number).encode(), store.column("patient_id"))
            for number, store in enumerate(self.stores)
        ]
        # UTF-8 sorts as its text does
        return np.asarray(np.unique(np.concatenate(ids)[indices], return_inverse=True)[1])

    def __getstate__(self) -> dict[str, Any]:
        own = {"table", "present"}  # each process maps or reads them for itself
        return {name: value for name, value in self.__dict__.items() if name not in own}

    def _prefix(self, number: int) -> str:
        """Keep names apart where several stores may use the same ones."""
        return f"{self.stores[number].label}/" if len(self.stores) > 1 else ""

    def read(self, indices: Indices, leads: list[int]) -> npt.NDArray[np.int16]:
        """Return int16 counts (B, L, T) of the records at `indices`, one read per store.

        Raises:
            InputError: a record is not what was written.
        """
        if len(self.stores) == 1:
            return self.stores[0].read(indices, leads, verify=True)
        out = np.empty((len(indices), len(leads), self.n_samples), np.int16)
        owner = np.searchsorted(self.start, indices, side="right") - 1
        for number in np.unique(owner):
            mine = owner == number
            out[mine] = self.stores[number].read(
                indices[mine] - self.start[number], leads, verify=True
            )
        return out


def ecg_input(store: EcgStore, normalisation: Normalisation) -> EcgInput:
    """Describe what a store's recordings are for a network."""
    settings = store.settings
    return EcgInput(
        store.sampling_rate_hz,
        store.n_samples,
        (settings["low_hz"], settings["high_hz"]),
        normalisation,
        settings["segment"],
        settings["powerline_hz"],
    )


def _tables(stores: Sequence[EcgStore]) -> list[pd.DataFrame]:
    """Return the tables, with names kept apart where several stores may use the same ones."""
    if len(stores) == 1:
        return [stores[0].table]
    tables = []
    for store in stores:
        own = {name: store.label + "/" + store.table[name] for name in ("record", "patient_id")}
        tables.append(store.table.assign(**own))
    return tables


def _refuse_twice(paths: Sequence[str], stores: Sequence[EcgStore]) -> None:
    """Refuse a store that is among them twice, also as a copy: its recordings would count twice."""
    seen: dict[str, str] = {}
    for path, store in zip(paths, stores, strict=True):
        if store.sha256 in seen:
            raise InputError(
                f"{seen[store.sha256]} and {path} hold the same recordings, which would count "
                "twice; name one of them"
            )
        seen[store.sha256] = path


class EcgDataset(Dataset[EcgBatch]):
    """Chosen records of a pool in chosen leads.

    Args:
        pool: where the records are.
        indices: rows of the pool's table, (N,).
        leads: lead names, the order of the batch's second axis.
        label: (N,), or None where the task has none.

    Raises:
        InputError: a record has none of the leads.
    """

    def __init__(
        self,
        pool: EcgPool,
        indices: Indices,
        *,
        leads: Sequence[str],
        label: npt.NDArray[np.float32] | None = None,
    ) -> None:
        self.pool, self.indices, self.leads = pool, indices, tuple(leads)
        self.label = np.empty(0, np.float32) if label is None else label.astype(np.float32)
        self._lead_indices = lead_indices(leads)
        without = indices[~pool.present[indices][:, self._lead_indices].any(1)]
        if len(without):
            first = pool.names("record", without[:1])[0]
            raise InputError(
                f"{counted(len(without), 'record has', 'records have')} none of the leads "
                f"{', '.join(leads)}, the first is {first}; take them out of the table or choose "
                "other leads"
            )

    def __len__(self) -> int:
        """Return N."""
        return len(self.indices)

    @property
    def record(self) -> Names:
        """Names of the records, shape (N,)."""
        return self.pool.names("record", self.indices)

    @property
    def patient_id(self) -> Names:
        """Patients of the records, shape (N,)."""
        return self.pool.names("patient_id", self.indices)

    def __getitem__(self, position: int) -> EcgBatch:
        """Return one record as a batch of one."""
        return self.__getitems__([position])

    def __getitems__(self, positions: list[int]) -> EcgBatch:
        """Return a whole batch with one read."""
        chosen = np.asarray(positions)
        rows = self.indices[chosen]
        label = self.label[chosen] if len(self.label) else self.label
        return EcgBatch(
            ecg=torch.from_numpy(self.pool.read(rows, self._lead_indices)),
            scale=torch.full((len(chosen), 1), 1.0 / COUNTS_PER_UNIT),
            present=torch.from_numpy(self.pool.present[rows][:, self._lead_indices]),
            leads=self.leads,
            label=torch.from_numpy(label),
            record=self.pool.names("record", rows),
            patient_id=self.pool.names("patient_id", rows),
        )
