"""Let one process at a time write into a folder or go on with a file."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from lsemvae.core.errors import InputError
from lsemvae.core.printable import say


@contextmanager
def writing_alone(folder: Path, *, wait: bool = False) -> Iterator[None]:
    """Hold a folder, which is made where it is missing, until the block ends or the process dies.

    The lock is on the folder itself and leaves no file. A file system or platform without locks
    lets every process pass. A folder that was made here and stays empty is removed again.

    Args:
        folder: of results.
        wait: for the process that holds it, which is told; for a block of a moment, where all the
            work is done.

    Raises:
        InputError: another process holds it, and `wait` is False.
    """
    made = [one for one in (folder, *folder.parents) if not one.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    opened = _opened(folder)
    try:
        if opened is not None:
            hold(opened, folder, wait=wait)
        folder.mkdir(parents=True, exist_ok=True)  # who held it may have removed it
        try:
            yield
        finally:
            _remove_empty(made)
    finally:
        if opened is not None:
            os.close(opened)


def _remove_empty(folders: list[Path]) -> None:
    with suppress(OSError):
        for folder in folders:
            folder.rmdir()


def _opened(folder: Path) -> int | None:
    with suppress(OSError):  # Windows opens no folder
        return os.open(folder, os.O_RDONLY)
    return None


def hold(opened: int, path: Path, *, wait: bool = False) -> None:
    """Hold an open folder or file until it is closed or the process dies.

    Args:
        opened: its descriptor.
        path: of it, for the message.
        wait: as in `writing_alone`.

    Raises:
        InputError: another process holds it, and `wait` is False.
    """
    try:
        import fcntl
    except ImportError:  # Windows
        return
    with suppress(OSError):  # such as NFS, which locks no folder
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if not wait:
                kind = "folder" if path.is_dir() else "output"
                raise InputError(
                    f"another process writes into {path}; wait for its end, or name another {kind}"
                ) from error
            say(f"note: another process writes into {path}; waiting for its end", file=sys.stderr)
            fcntl.flock(opened, fcntl.LOCK_EX)
