"""Check the place that a conversion writes to, and remove what it leaves there."""

import glob
import os
import shutil
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from data_modules.store.mark import (
    QUARANTINE,
    STORE,
    TABLES,
    TRAINED,
    failed_list,
    mark_version,
    quarantine_list,
    quarantined,
    read_mark,
)
from data_modules.store.read import EcgStore
from data_modules.store.shards import ShardPlan, shards_root
from data_modules.store.write import is_single_file
from lsemvae.core.counted import counted
from lsemvae.core.earlier_results import remember_result
from lsemvae.core.errors import InputError
from lsemvae.core.files import refuse_special
from lsemvae.core.outputs import refuse_foreign
from lsemvae.core.printable import say

JOURNAL = "journal.jsonl"
OTHER_KINDS = {
    **dict.fromkeys((*TABLES, ".txt"), "a table"),
    **dict.fromkeys((".json", ".yaml", ".yml"), "settings"),
    **dict.fromkeys(TRAINED, "a trained network"),
}
"""What the ending of a file's name says that is no store."""
_TABLE_BYTES = 16_000_000  # HDF5's own structures, table and journal of an ordinary store
_TABLE_BYTES_PER_RECORD = 1_000  # of table and journal


def check_output(path: Path) -> None:
    """Check that a store may be written here, before hours are spent on it.

    Raises:
        InputError: the folder cannot be made or written to, or the path, or that of its
            quarantine list, holds something else.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        read_only = bool(os.statvfs(path.parent).f_flag & os.ST_RDONLY)
    except OSError as error:
        raise InputError(
            f"cannot write {path}: the folder {path.parent} cannot be made ({error.strerror})"
        ) from error
    if read_only or not os.access(path.parent, os.W_OK):
        raise InputError(f"cannot write {path}: the folder {path.parent} is read-only for you")
    if path.is_dir():
        raise InputError(f"cannot write {path}: it is a folder; name a file such as ecg.h5 in it")
    refuse_special(path)
    if path.exists() and mark_version(path, STORE) is None:
        raise InputError(
            f"{path} exists and is no store of this program (those of version 1 had no mark), so "
            "it is not replaced; remove it or name another file"
        )
    if not path.exists() and path.suffix.lower() in OTHER_KINDS:
        raise InputError(
            f"out names the store, a file such as {path.stem}.h5, got {path}: other programs would "
            f"take it for {OTHER_KINDS[path.suffix.lower()]}"
        )
    for listed in (quarantine_list(path), failed_list(path)):
        if listed.exists():
            refuse_foreign(listed, mark=",".join(QUARANTINE).encode(), way_out="name another store")


def check_replaced(path: Path, records: Sequence[str]) -> None:
    """Refuse to replace a store of other recordings; say which it loses where it is replaced.

    One that this program reads is remembered: another one in its place is told.

    Args:
        path: of the store.
        records: that the new one may hold.

    Raises:
        InputError: a store is there, and none of its recordings is among them.
    """
    if not path.exists():
        return
    try:
        old = {name.decode() for name in EcgStore(path).column("record")}
    except InputError as error:  # of another version, or damaged
        say(f"note: it is replaced as soon as the new store is whole: {error}")
        return
    lost = len(old - set(records))
    if old and (old | _quarantined(path)).isdisjoint(records):
        raise InputError(
            f"{path} is a store of {counted(len(old), 'other recording')} and would be lost; name "
            "another file, or remove it"
        )
    remember_result(path, _stated_digest)
    if lost:
        gone = counted(lost, "recording", "recordings")
        say(f"note: not in this list: {gone} of the {len(old)} of {path}; the store is replaced")


def _stated_digest(path: Path) -> str:
    return str(read_mark(path, STORE)["sha256"])


def _quarantined(path: Path) -> set[str]:
    """Return the recordings that the quarantine list of a store names, rejected ones among them."""
    try:
        return {row["record"] for row in quarantined(path)}
    except InputError:  # damaged: a complete new one replaces it
        return set()


def check_space(path: Path, plan: ShardPlan, *, finished: set[int]) -> None:
    """Check that what is still to be written has room.

    Args:
        path: the store.
        plan: how the recordings are dealt to shards.
        finished: shards that are already there.

    Raises:
        InputError: the disk is too small.
    """
    signals = [plan.n_bytes(number) for number in range(plan.n_shards)]
    needed = sum(size for number, size in enumerate(signals) if number not in finished)
    needed += sum(signals) if is_single_file(plan) else 0
    needed += _TABLE_BYTES + _TABLE_BYTES_PER_RECORD * plan.n_listed
    free = shutil.disk_usage(path.parent).free
    if free < needed:
        raise InputError(
            f"cannot write {path}: it needs {needed / 1e9:.2f} GB and {path.parent} has "
            f"{free / 1e9:.2f} GB free; free some or choose another disk"
        )


def choose_folder(path: Path, key: str) -> Path:
    """Return where the shards of a conversion go: never over those that the old store uses.

    Args:
        path: the store.
        key: of the conversion.
    """
    folder = shards_root(path) / key
    # with its journal, a used folder belongs to a run that was killed in its last moments
    taken = _used_folder(path) == key and not (folder / JOURNAL).exists()
    return folder.with_name(key + "b") if taken else folder


def _used_folder(path: Path) -> str:
    """Return the name of the folder that an existing store reads its shards from, or nothing."""
    if not path.exists():
        return ""
    try:
        return EcgStore(path).shard_folder
    except InputError:  # of another version, or damaged: a complete new one replaces it
        return ""


def remove_leftovers(path: Path, keep: str) -> None:
    """Remove shards that no store uses any more: of unfinished runs and of the replaced store.

    Args:
        path: the store.
        keep: folder name that the store uses; empty where it needs none.
    """
    root = shards_root(path)
    for folder in root.iterdir():
        if folder.name != keep:
            shutil.rmtree(folder)
    if not keep:
        root.rmdir()


def remove_unused(folder: Path) -> None:
    """Remove the folder of the shards where a run ended before the first; others stay."""
    with suppress(OSError):  # it holds shards, or its journal
        folder.rmdir()
        folder.parent.rmdir()


def remove_temporary(path: Path, folder: Path) -> None:
    """Remove what a killed run had begun to write.

    Args:
        path: the store.
        folder: of the shards.
    """
    for file in [*folder.glob("*.tmp"), *path.parent.glob(f"{glob.escape(path.name)}.*.tmp")]:
        file.unlink(missing_ok=True)
