"""Walk through a folder and those below it; none is left out without a word."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

from lsemvae.core.instead import refuse_unreadable
from lsemvae.core.printable import say

RECOVERED = "lost+found"
"""The folder that the system keeps at the root of a disk, closed to all but its administrator."""


def walk_folder(folder: Path) -> Iterator[tuple[str, list[str], list[str]]]:
    """Yield each folder with the names of its folders and files, as `os.walk` does.

    A closed `lost+found` below the folder is told and left out, as every disk has one.

    Args:
        folder: where the walk begins.

    Raises:
        InputError: the folder, or another one below it, cannot be listed.
    """

    def judge(error: OSError) -> None:
        closed = Path(str(error.filename))
        system_own = isinstance(error, PermissionError) and closed.name == RECOVERED
        if not system_own or closed == folder:
            refuse_unreadable(error)
        say(f"note: {closed} cannot be read and is left out: the system keeps it", file=sys.stderr)

    return os.walk(folder, onerror=judge)
