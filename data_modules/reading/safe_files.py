"""Open files that a record names: regular files inside the source folder, nothing else."""

import io
import itertools
import os
import stat
from functools import lru_cache
from pathlib import Path

from data_modules.reading.reasons import RecordError
from lsemvae.core.machine_limits import step_of_machine

_MOST_LOOKED_AT = 10_000  # files of a folder, for a hint


def check_record_name(record: str) -> None:
    """Check that a record's name cannot leave the source folder.

    Raises:
        RecordError: `path_unsafe`.
    """
    if not record.isprintable():
        problem = "expected a name in UTF-8 without control characters; rename the file"
        raise RecordError("path_unsafe", record=record, problem=problem)
    parts = record.split("/")
    unsafe = not record or "\\" in record or ":" in record
    if unsafe or any(part in ("", ".", "..", "~") for part in parts):
        problem = "expected a path below the source folder such as files/p1/s2/2, no URL and no .."
        raise RecordError("path_unsafe", record=record, problem=problem)


def beside(record: str, file_name: str) -> str:
    """Return the path below the root of a file that a record's header names.

    Raises:
        RecordError: `path_unsafe`, the name leads elsewhere than below the header's folder.
    """
    plain = file_name.removeprefix("./")
    odd = not plain.isprintable() or plain == "-" or any(sign in plain for sign in "\\:")
    if odd or any(part in ("", "~", ".", "..") for part in plain.split("/")):
        problem = (
            f"the header names the file {file_name[:80]!r}; expected one in the header's folder or "
            "below it: write its name without drive and folders, and put it beside the header"
        )
        raise RecordError("path_unsafe", record=record, problem=problem)
    folder, slash, _ = record.rpartition("/")
    return folder + slash + plain


@lru_cache(maxsize=16)
def _real_root(absolute: str) -> str:
    return os.path.realpath(absolute)


def regular_file(root: Path, name: str, *, record: str) -> tuple[str, int]:
    """Return the real path and the size of a regular file inside the root, links resolved.

    Raises:
        RecordError: `file_missing`, `path_unsafe` (a link out) or `file_not_regular`.
        OSError: the machine is at fault, such as a network folder that is gone.
    """
    try:
        base = _real_root(os.path.abspath(root))  # a relative one changes with the folder
        path = os.path.realpath(os.path.join(base, name), strict=True)
        status = os.stat(path)
    except PermissionError as error:
        problem = f"{name} cannot be reached: {error.strerror}; get the rights to its folder"
        raise RecordError("unreadable", record=record, problem=problem) from error
    except (OSError, ValueError) as error:
        if isinstance(error, OSError) and step_of_machine(error) is not None:
            raise
        problem = (
            f"{name} is not in the source folder; copy it there or correct the record's name (WFDB "
            f"records are named without extension){_alike(os.path.join(root, name))}"
        )
        raise RecordError("file_missing", record=record, problem=problem) from error
    if not path.startswith(base.rstrip(os.sep) + os.sep):
        problem = f"{name} is a link out of the source folder; copy the file into it"
        raise RecordError("path_unsafe", record=record, problem=problem)
    if not stat.S_ISREG(status.st_mode):
        problem = f"{name} is a folder, pipe or device; expected a regular file"
        raise RecordError("file_not_regular", record=record, problem=problem)
    return path, status.st_size


def _alike(path: str) -> str:
    """Name a file that differs from the missing one in case alone, or is packed."""
    folder, name = os.path.split(path)
    stem, ending = os.path.splitext(name.casefold())
    same = [name.casefold() + end for end in ("", ".gz", ".zip", ".bz2", ".xz")]
    signals = [stem + ".dat", stem + ".mat"] if ending in ("", ".dat", ".mat") else []
    try:
        with os.scandir(folder) as entries:
            some = [entry.name for entry in itertools.islice(entries, _MOST_LOOKED_AT)]
        found = sorted(one for one in some if one.casefold() in same + signals)
    except (OSError, ValueError):
        return ""
    if not found:
        return ""
    alike = found[0].casefold() in same
    step = "rename or unpack it" if alike else "name it in the header"
    return f"; {found[0]} is there: {step}"


def open_regular(root: Path, name: str, *, record: str) -> io.FileIO:
    """Open a regular file inside the root.

    Raises:
        RecordError: see `regular_file`.
        OSError: the file may not be read.
    """
    return open_path(regular_file(root, name, record=record)[0], record=record)


def open_path(path: str, *, record: str) -> io.FileIO:
    """Open a path that `regular_file` gave; it is judged again once open, and never waits.

    Raises:
        RecordError: `file_not_regular`, it was exchanged in the meantime.
        OSError: the file may not be read.
    """
    # a link or a pipe put there after the check is not followed and does not hang
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        problem = f"{os.path.basename(path)} changed into something else while it was opened"
        raise RecordError("file_not_regular", record=record, problem=problem)
    return io.FileIO(descriptor)


def read_bytes(root: Path, name: str, *, record: str, limit: int) -> bytes:
    """Read a whole file of at most `limit` bytes.

    Raises:
        RecordError: see `regular_file`; `file_limit` where it is larger.
        OSError: the file may not be read.
    """
    with open_regular(root, name, record=record) as file:
        size = os.fstat(file.fileno()).st_size
        if size > limit:
            problem = f"{name} has {size} bytes; at most {limit} are read; cut the recording first"
            raise RecordError("file_limit", record=record, problem=problem)
        return file.read(limit)
