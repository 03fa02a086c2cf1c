"""Write files that survive a crash, and name their content by a digest."""

import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import IO, Any

from lsemvae.core.earlier_results import replaced_result, tell
from lsemvae.core.errors import InputError
from lsemvae.core.machine_limits import step_to_write
from lsemvae.core.unfinished import remove_abandoned, unfinished


def sync_file(stream: IO[Any]) -> None:
    """Bring what was written to an open file to the disk.

    Raises:
        OSError: the disk is full or cannot be written.
    """
    stream.flush()
    os.fsync(stream.fileno())


def refuse_special(path: Path) -> None:
    """Refuse to write where a device, a pipe or a socket is, which a new file would replace.

    Raises:
        InputError: names it; `/dev/null` and `/dev/stdout` are such.
    """
    if _is_special(path):
        raise InputError(f"{path} is a device or a pipe and no file; name a file to write to")


def refuse_endless(path: Path) -> None:
    """Refuse to read a device, a pipe or a socket: it may never end.

    Raises:
        InputError: names it.
    """
    if _is_special(path):
        raise InputError(f"{path} is a pipe or a device and no file; name a file")


def _is_special(path: Path) -> bool:
    return path.exists() and not path.is_file() and not path.is_dir()


def replace_file(temporary: Path, path: Path) -> None:
    """Give a whole file its name in one step, and bring the name to the disk.

    Where a remembered result is lost by it, see `remember_result`, that is told.

    Raises:
        InputError: see `refuse_special`.
    """
    refuse_special(path)
    note = replaced_result(temporary, path)
    os.replace(temporary, path)
    sync_folder(path.parent)
    tell(note)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Let a file be written under another name, and give it its own in one step when it is whole.

    Whenever the process ends, `path` holds what was there before or the whole new content. The
    folder is made where it is missing; what killed processes left of the same file is removed.

    Args:
        path: of the file.

    Yields:
        The name to write to: in the same folder, with the same ending.

    Raises:
        InputError: the disk is full, read-only or broken; what was there before is intact.
    """
    temporary = unfinished(path, path.suffix)
    try:
        with named(path, temporary):
            prepare_place(path)
            yield temporary
            with temporary.open("rb+") as stream:
                sync_file(stream)
            replace_file(temporary, path)
    finally:
        with suppress(OSError):  # a read-only disk refuses this too, and would hide the first error
            temporary.unlink(missing_ok=True)


def prepare_place(path: Path) -> None:
    """Make the folder of a file that is to be written; remove what killed processes left of it.

    Raises:
        InputError: see `refuse_special`.
    """
    refuse_special(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    remove_abandoned(path.parent, re.escape(path.name))


def place_taken(error: OSError) -> str | None:
    """Return the line for a file that stands where a folder is to be made; None for others."""
    if not isinstance(error, FileExistsError | NotADirectoryError) or error.filename is None:
        return None
    path = Path(os.fsdecode(error.filename)).absolute()
    file = next((one for one in (path, *path.parents) if one.is_file()), None)
    if file is None:
        return None
    return f"{file} is a file where a folder is needed; name another one, with --out"


@contextmanager
def named(path: Path, temporary: Path | None = None) -> Iterator[None]:
    """Name a file in the errors of its writing, which know no name or that of a temporary file.

    Args:
        path: the file.
        temporary: under which it is written first.

    Raises:
        InputError: the disk is full, read-only or broken.
    """
    try:
        yield
    except OSError as error:
        if error.filename is not None and Path(error.filename) not in (
            path,
            temporary,
            *path.parents,
        ):
            raise
        raise InputError(
            place_taken(error)
            or f"{path} cannot be written ({error.strerror or error}); what was there before is "
            f"intact. {step_to_write(error)}, or name another folder, and run the same command "
            "again"
        ) from error


@contextmanager
def whole_or_absent(path: Path) -> Iterator[Path]:
    """Let a new file be written in its place, and remove it where that fails.

    For many small files of which a last one says that all are there; `replacing` waits for the disk
    at each.

    Raises:
        InputError: the disk is full, read-only or broken, or see `refuse_special`.
    """
    refuse_special(path)
    try:
        with named(path):
            yield path
    except BaseException:
        with suppress(OSError):
            path.unlink(missing_ok=True)
        raise


def write_text(path: Path, text: str) -> None:
    """Write a text file in one step, in UTF-8; see `replacing`."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def digest_file(path: Path) -> Path:
    """Return the file beside another one that `sha256sum --check` understands."""
    return path.with_name(f"{path.name}.sha256")


def write_digest(path: Path) -> None:
    """Write the SHA-256 of a finished file beside it."""
    write_text(digest_file(path), f"{file_sha256(path)}  {path.name}\n")


def is_as_written(path: Path) -> bool:
    """Tell whether a file is there and is, to the bit, what its digest was taken of."""
    if not (path.is_file() and digest_file(path).is_file()):
        return False
    return digest_file(path).read_text(errors="replace").split()[:1] == [file_sha256(path)]


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file in one step; see `replacing`."""
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def sync_folder(folder: Path) -> None:
    """Bring the names of a folder to the disk."""
    _sync(folder)


def sync_tree(folder: Path) -> None:
    """Bring all files and names in a folder, and in those below it, to the disk."""
    for path, _, files in os.walk(folder):
        for name in (*files, "."):
            _sync(Path(path, name))


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file as hex; read once as long as the file does not change.

    Raises:
        InputError: see `refuse_endless`.
    """
    refuse_endless(path)
    return _sha256_of(path, path.stat().st_mtime_ns, path.stat().st_size)


@lru_cache(maxsize=8)
def _sha256_of(path: Path, _mtime_ns: int, _size: int) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
