"""Write files that survive a crash, and name their content by a digest."""

import hashlib
import os
from functools import lru_cache
from pathlib import Path
from typing import IO, Any


def sync_file(stream: IO[Any]) -> None:
    """Bring what was written to an open file to the disk.

    Raises:
        OSError: the disk is full or cannot be written.
    """
    stream.flush()
    os.fsync(stream.fileno())


def replace_file(temporary: Path, path: Path) -> None:
    """Give a whole file its name in one step, and bring the name to the disk."""
    os.replace(temporary, path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Bring the names of a folder to the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file as hex; read once as long as the file does not change."""
    return _sha256_of(path, path.stat().st_mtime_ns, path.stat().st_size)


@lru_cache(maxsize=8)
def _sha256_of(path: Path, _mtime_ns: int, _size: int) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
