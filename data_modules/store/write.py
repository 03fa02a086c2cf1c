"""Write stores from finished shards: complete or not at all, the same bytes for the same input."""

import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple
from uuid import uuid4

import h5py
import numpy as np
import numpy.typing as npt
import pandas as pd

from data_modules.store.content import (
    FINGERPRINT,
    Parts,
    StoreDescription,
    content_attributes,
    content_digest,
)
from data_modules.store.mark import STORE, make_mark
from data_modules.store.shards import ShardPlan, new_hdf5, reserve, shard_offset, shard_path
from lsemvae.core.files import replace_file, sync_file
from lsemvae.core.leads import LEADS

# Below it a store is one file: some seconds of copying, and nothing to lose when it is moved.
SINGLE_FILE_BYTES = 1 << 30


class Accepted(NamedTuple):
    """The accepted recordings.

    Attributes:
        table: one row for each; text or numbers, with `signal_sha256`.
        rows: their places in the list, shape (N,).
        present: which leads hold a signal, shape (N, 12).
        synthetic: whether any recording says that it is synthetic.
        reasons: how many recordings were rejected and warned of, by reason.
        fingerprint: by which copies are found, int16 (N, 16), zeros where unknown; None for none.
    """

    table: pd.DataFrame
    rows: npt.NDArray[np.int64]
    present: npt.NDArray[np.bool_]
    synthetic: bool
    reasons: dict[str, dict[str, int]]
    fingerprint: npt.NDArray[np.int16] | None = None


def is_single_file(plan: ShardPlan) -> bool:
    """Tell whether a store of this size is one file, without shards beside it."""
    return 2 * plan.n_listed * len(LEADS) * plan.n_samples <= SINGLE_FILE_BYTES


def write_store(
    path: Path,
    folder: Path,
    accepted: Accepted,
    *,
    plan: ShardPlan,
    description: StoreDescription,
) -> str:
    """Join finished shards to a store and put it in the place of an older one.

    A small store takes the signals into itself; a large one is an index whose virtual dataset
    `ecg` names the shards.

    Args:
        path: the store.
        folder: of the shards; its name is the key of their conversion.
        accepted: the recordings.
        plan: how the recordings were dealt to shards.
        description: the store's attributes.

    Returns:
        The store's digest.

    Raises:
        OSError: the disk is full or cannot be written.
    """
    parts = _parts(accepted)
    attributes = content_attributes(
        description,
        n_listed=plan.n_listed,
        synthetic=accepted.synthetic,
        reasons=accepted.reasons,
    )
    attributes["sha256"] = content_digest(attributes, parts)
    single = is_single_file(plan)
    attributes |= {"shards": "" if single else folder.name, "shard_rows": plan.rows}
    temporary = path.with_name(f"{path.name}.{uuid4().hex[:8]}.tmp")
    try:
        with new_hdf5(temporary) as file:
            shape = (plan.n_listed, len(LEADS), plan.n_samples)
            starts = {name: reserve(file, name, v.shape, v.dtype) for name, v in parts.items()}
            if single:
                start = reserve(file, "ecg", shape, "<i2")
            else:
                _join_virtually(file, path, folder, plan)
            for name, value in attributes.items():
                file.attrs[name] = value
        with temporary.open("r+b") as raw:
            raw.write(make_mark(STORE, sha256=attributes["sha256"]))
            for name, values in parts.items():
                raw.seek(starts[name])
                raw.write(np.ascontiguousarray(values).data.cast("B"))
            if single:
                raw.seek(start)
                _copy_signals(raw, folder, plan)
            sync_file(raw)
        replace_file(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    return str(attributes["sha256"])


def _parts(accepted: Accepted) -> Parts:
    """Return the datasets beside the signals."""
    columns = {str(name): _encode(accepted.table[name]) for name in accepted.table}
    parts: Parts = {"row": accepted.rows.astype("<i8"), "present": accepted.present}
    parts["columns"] = _encode(pd.Series(list(columns)))
    parts |= {f"table/{number}": values for number, values in enumerate(columns.values())}
    known = accepted.fingerprint
    return parts if known is None else parts | {FINGERPRINT: known.astype("<i2")}


def _join_virtually(file: h5py.File, path: Path, folder: Path, plan: ShardPlan) -> None:
    """Create the dataset `ecg` over the shards, by names relative to the store.

    Not by `create_virtual_dataset`, which writes the time into the file.
    """
    whole = (plan.n_listed, len(LEADS), plan.n_samples)
    space = h5py.h5s.create_simple(whole)
    properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    properties.set_layout(h5py.h5d.VIRTUAL)
    properties.set_obj_track_times(False)
    for number in range(plan.n_shards):
        shape = plan.shape(number)
        name = str(shard_path(folder, number).relative_to(path.parent)).encode()
        space.select_hyperslab((plan.span(number).start, 0, 0), shape)
        properties.set_virtual(space, name, b"ecg", h5py.h5s.create_simple(shape))
    space.select_all()
    h5py.h5d.create(file.id, b"ecg", h5py.h5t.STD_I16LE, space, dcpl=properties)


def _copy_signals(raw: BinaryIO, folder: Path, plan: ShardPlan) -> None:
    """Append the signals of all shards, in their order."""
    for number in range(plan.n_shards):
        shape = plan.shape(number)
        with shard_path(folder, number).open("rb") as shard:
            shard.seek(shard_offset(folder, number, key=folder.name, shape=shape))
            shutil.copyfileobj(shard, raw, 1 << 20)


def _encode(values: pd.Series) -> npt.NDArray[Any]:
    """Return a column as float64 or as UTF-8 bytes of fixed length; missing is NaN or empty."""
    if pd.api.types.is_numeric_dtype(values.dtype):
        return values.to_numpy(dtype=np.float64, na_value=np.nan)
    return encode_text(values.fillna("").to_numpy(dtype=np.str_))


def encode_text(texts: Iterable[str] | npt.NDArray[np.str_]) -> npt.NDArray[np.bytes_]:
    """Return texts as UTF-8 bytes of one length."""
    encoded = np.char.encode(np.asarray(texts, dtype=np.str_), "utf-8")
    return encoded.astype(f"S{max(1, encoded.dtype.itemsize)}")
