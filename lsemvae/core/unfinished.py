"""Name files that are being written, and remove those whose process died."""

import hashlib
import os
import re
import shutil
import socket
import time
from contextlib import suppress
from functools import lru_cache
from itertools import count
from pathlib import Path

_numbers = count()
SILENT_S = 24 * 3600.0  # what another machine or container has not written to for so long is dead


def unfinished(path: Path, ending: str = "") -> Path:
    """Return a new name, under which a file or folder is written before it is whole.

    Two containers, and two machines on one shared folder, have processes of the same number; hence
    the name says where the number counts. Two threads of one process get two names.

    Args:
        path: that it gets in the end.
        ending: of the name, such as ".csv".

    Returns:
        `.NAME.PLACE-PID-NUMBER` in the same folder, and the ending.
    """
    return path.with_name(f".{path.name}.{_place()}-{os.getpid()}-{next(_numbers)}{ending}")


def remove_abandoned(folder: Path, name: str) -> None:
    """Remove what killed processes had begun to write.

    That is what a process of this place left that is gone, and what another place, whose processes
    cannot be seen from here, has not touched for a day.

    Args:
        folder: where.
        name: a regular expression for the names of the files that were to be written.
    """
    of_process = r"(?P<place>[0-9a-f]{8})-(?P<process>\d+)-\d+"
    begun = re.compile(rf"\.(?:{name})\.{of_process}(?:\.\w+)?")
    for file in folder.iterdir():
        found = begun.fullmatch(file.name)
        if found is None:
            continue
        if found["place"] == _place():
            dead = not _is_running(int(found["process"]))
        else:
            dead = _silent_s(file) > SILENT_S
        if dead and file.is_dir():
            shutil.rmtree(file, ignore_errors=True)
        elif dead:
            file.unlink(missing_ok=True)


@lru_cache(maxsize=1)
def _place() -> str:
    """Return eight digits for where the number of a process means one: a machine or container."""
    parts = [socket.gethostname()]
    with suppress(OSError):  # Linux alone has them
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text())
    with suppress(OSError):
        parts.append(os.readlink("/proc/self/ns/pid"))
    return hashlib.sha256("\n".join(parts).encode(errors="surrogateescape")).hexdigest()[:8]


def _silent_s(file: Path) -> float:
    with suppress(OSError):  # its process has just given it its own name
        return time.time() - file.stat().st_mtime
    return 0.0


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:  # somebody else's
        return True
    return True
