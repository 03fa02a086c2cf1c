"""Let one process at a time write into a folder or a file."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from lsemvae.core.errors import InputError


@contextmanager
def writing_alone(folder: Path) -> Iterator[None]:
    """Hold a folder, which is made where it is missing, until the block ends or the process dies.

    The lock is on the folder itself and leaves no file. A file system or platform without locks
    lets every process pass.

    Args:
        folder: of results.

    Raises:
        InputError: another process holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    opened = _opened(folder)
    try:
        if opened is not None:
            lock_alone(opened, folder)
        yield
    finally:
        if opened is not None:
            os.close(opened)


def _opened(folder: Path) -> int | None:
    with suppress(OSError):  # Windows opens no folder
        return os.open(folder, os.O_RDONLY)
    return None


def lock_alone(opened: int, place: Path) -> None:
    """Lock an open folder or file for this process, until it is closed or the process dies.

    Args:
        opened: its descriptor.
        place: its path.

    Raises:
        InputError: another process holds it.
    """
    try:
        import fcntl
    except ImportError:  # Windows
        return
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise InputError(
            f"another process writes into {place}; wait for its end, or name another folder or file"
        ) from error
    except OSError:  # such as NFS without locks
        return
