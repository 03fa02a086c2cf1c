"""Hold uploads in a private folder in memory for as long as they are read."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lsemvae.serving.limits import Refusal

MEMORY = Path("/dev/shm")  # a file system in memory on every Linux


def in_memory() -> bool:
    """Tell whether this system has a folder in memory."""
    return MEMORY.is_dir() and os.access(MEMORY, os.W_OK)


@contextmanager
def private_folder() -> Iterator[Path]:
    """Make a folder that only this user may open; it is gone afterwards, after an error too.

    Raises:
        Refusal: there is no room for a folder.
    """
    base = MEMORY if in_memory() else None
    try:
        made = tempfile.TemporaryDirectory(prefix="lsemvae-serve-", dir=base)
    except OSError as error:
        raise no_room(error, base) from error
    with made as folder:
        yield Path(folder)


def no_room(error: OSError, folder: Path | None) -> Refusal:
    """Return the answer to an upload that found no room.

    Args:
        error: of the system.
        folder: that is full; None for the temporary one.
    """
    return Refusal(
        507,
        f"There is no room for the files ({error.strerror or error}); nothing was read. Send "
        f"fewer at a time, or make room in {folder or 'the temporary folder (TMPDIR)'}.",
    )
