"""Mark the head of every file of ours, and read the mark before anything else of the file.

HDF5 lets a file begin with a block of free bytes. Ours says in plain text what the file is, so that
a foreign file is told apart with one small read and never reaches the HDF5 library.
"""

import csv
import json
from pathlib import Path
from typing import Any

from lsemvae.core.errors import InputError
from lsemvae.core.instead import found_instead
from lsemvae.core.json_text import parse_json

VERSION = 2
STORE, SHARD = "lsemvae-store", "lsemvae-shard"
QUARANTINE = ("record", "outcome", "code", "message", "remedy")
MARK_BYTES = 512  # the smallest user block that HDF5 allows
_LIST_ENDING = ".quarantine.csv"
TABLES, TRAINED = (".csv", ".tsv", ".xlsx"), (".ckpt", ".safetensors", ".onnx")
_SIGNATURE = b"\x89HDF\r\n\x1a\n"


def quarantine_list(store: Path) -> Path:
    """Return where the list of what was found in a store's recordings lies, beside the store."""
    return store.with_name(f"{store.name}{_LIST_ENDING}")


def failed_list(store: Path) -> Path:
    """Return where the reasons go when nothing was usable, and the store's own list stays."""
    return store.with_name(f"{store.name}.failed.csv")


def quarantined(store: Path) -> list[dict[str, str]]:
    """Return the lines of a store's list, by column; none where there is no list.

    Raises:
        InputError: it is cut, changed, or something else.
    """
    file = quarantine_list(store)
    if not file.is_file():
        return []
    try:
        with file.open(newline="", encoding="utf-8") as lines:
            table = csv.DictReader(lines, strict=True)
            rows = list(table)
        missing = [name for name in QUARANTINE if name not in (table.fieldnames or ())]
        if missing or any(None in row or None in row.values() for row in rows):
            raise ValueError(f"it lacks {', '.join(missing) or 'cells'}")
    except (ValueError, csv.Error) as error:
        raise InputError(
            f"{file} is cut, changed or damaged ({error}); copy the list that `lsemvae prepare` "
            "wrote, or prepare again"
        ) from error
    return rows


def make_mark(kind: str, **content: Any) -> bytes:
    """Return the first bytes of a file of ours.

    Args:
        kind: `STORE` or `SHARD`.
        content: plain values that the file says about itself.
    """
    text = f"{kind} {VERSION}\n{json.dumps(content, sort_keys=True)}\n".encode()
    if len(text) > MARK_BYTES:
        raise ValueError(f"a mark has {MARK_BYTES} bytes, got {len(text)}")
    return text.ljust(MARK_BYTES, b"\0")


def mark_version(path: Path, kind: str) -> str | None:
    """Return the version that a file's mark states, None where it is no file of ours.

    Raises:
        InputError: it cannot be read.
    """
    first = _head(path)[:MARK_BYTES].partition(b"\n")[0]
    name, _, version = first.decode("ascii", "replace").partition(" ")
    return version if name == kind else None


def read_mark(path: Path, kind: str) -> dict[str, Any]:
    """Read what a file says about itself.

    Args:
        path: the file.
        kind: what it must be, `STORE` or `SHARD`.

    Raises:
        InputError: it is missing, foreign, damaged, or of another version.
    """
    if not path.is_file():
        instead = found_instead(path, ".h5")
        raise InputError(f"there is no store {path}{instead}; make one with `lsemvae prepare`")
    head, version = _head(path), mark_version(path, kind)
    if head.startswith(_SIGNATURE):
        raise InputError(
            f"{path} is not a store of lsemvae, or one of version 1, which this program no longer "
            "reads; prepare the recordings again, under another name or after removing it"
        )
    if version is None:
        raise InputError(f"{path} is not a store of lsemvae{_what_it_is(path)}")
    if version != str(VERSION):
        raise InputError(
            f"{path} is a store of version {version}, this program reads version {VERSION}; "
            "prepare it again"
        )
    try:
        content = parse_json(head[:MARK_BYTES].partition(b"\n")[2].rstrip(b"\0"))
    except ValueError as error:
        raise InputError(f"{path} is damaged (its mark); prepare it again") from error
    if not isinstance(content, dict) or not head.endswith(_SIGNATURE):
        raise InputError(f"{path} is damaged (its mark); prepare it again")
    return content


def _what_it_is(path: Path) -> str:
    """Say by its name what a file is that is no store, and what to do."""
    ending = path.suffix.lower()
    store = path.with_name(path.name.removesuffix(_LIST_ENDING))
    if store != path:
        return f" but the list of what was found in {store}: name that"
    if ending in TABLES:
        return (
            f" but a table; make one of it: `lsemvae prepare cohort --table {path} --source FOLDER "
            f"--out {path.stem}.h5`"
        )
    if ending in TRAINED:
        return " but a trained network; name the store of its recordings"
    return "; make one with `lsemvae prepare`"


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MARK_BYTES + len(_SIGNATURE))
    except OSError as error:
        raise InputError(
            f"{path} cannot be read ({error.strerror}); get the rights to it, or look at the disk"
        ) from error
