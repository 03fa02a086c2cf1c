"""Hold uploads in a private folder in memory for as long as they are read."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MEMORY = Path("/dev/shm")  # a file system in memory on every Linux


def in_memory() -> bool:
    """Tell whether this system has a folder in memory."""
    return MEMORY.is_dir() and os.access(MEMORY, os.W_OK)


@contextmanager
def private_folder() -> Iterator[Path]:
    """Make a folder that only this user may open; it is gone afterwards, after an error too."""
    base = MEMORY if in_memory() else None
    with tempfile.TemporaryDirectory(prefix="lsemvae-serve-", dir=base) as folder:
        yield Path(folder)
