"""Refuse to write over what a command reads, and over what this program did not write."""

import os
from collections.abc import Iterable
from pathlib import Path

from lsemvae.core.earlier_results import remember_result
from lsemvae.core.errors import InputError
from lsemvae.core.files import file_sha256, refuse_special

HEAD_BYTES = 65_536
PICTURES = {".png": b"\x89PNG", ".pdf": b"%PDF", ".svg": b"<?xml", ".jpg": b"\xff\xd8"}


def check_output_file(path: Path, *, mark: bytes, read: Iterable[str | Path | None] = ()) -> None:
    """Check that a file may be written, before anything is computed for it.

    An earlier result of the same command is remembered: another one in its place is told.

    Args:
        path: the file that will be written or replaced.
        mark: what the head of an earlier file of the same command holds.
        read: files that the command reads; None where an option was not given.

    Raises:
        InputError: the path is a folder, a device, one of the files that are read (links included),
            holds something that this command did not write, or see `check_folder_of`.
    """
    check_folder_of(path)
    if path.is_dir():
        raise InputError(f"cannot write {path}: it is a folder; name a file in it")
    refuse_special(path)
    if not path.exists():
        return
    refuse_read(path, read)
    if refuse_foreign(path, mark=mark, way_out="name another file with --out"):
        remember_result(path, file_sha256)


def refuse_read(path: Path, read: Iterable[str | Path | None]) -> None:
    """Refuse to write over a file that the command reads.

    Args:
        path: a file that is there.
        read: None where an option was not given.

    Raises:
        InputError: it is one of these, or a link to or from one.
    """
    for source in read:
        if source is not None and Path(source).exists() and path.samefile(source):
            raise InputError(
                f"cannot write {path}: this command reads it, and it would be lost; name another "
                "file with --out"
            )


def check_folder_of(path: Path) -> None:
    """Check that a file may be put where it belongs, before hours are spent on it.

    Raises:
        InputError: it lies below a file, or its folder is read-only for this user.
    """
    for folder in path.parents:
        if folder.exists() and not folder.is_dir():
            raise InputError(
                f"cannot write {path}: {folder} is a file; name a folder, or another file"
            )
    there = next(folder for folder in path.absolute().parents if folder.exists())
    if not os.access(there, os.W_OK | os.X_OK):
        raise InputError(
            f"cannot write {path}: the folder {there} is read-only for you; name another one with "
            "--out"
        )


def refuse_foreign(path: Path, *, mark: bytes, way_out: str) -> bool:
    """Tell whether a file that is there holds something, which this program must have written.

    Args:
        path: of the file.
        mark: what the head of one of ours holds.
        way_out: what to do where it is none, beside moving it away.

    Raises:
        InputError: this program did not write it.
    """
    with path.open("rb") as stream:
        head = stream.read(HEAD_BYTES)
    if head and mark not in head:
        raise InputError(
            f"cannot write {path}: it exists and this command did not write it; {way_out}, or move "
            "that one away"
        )
    return bool(head)


def check_picture_file(path: Path, *, read: Iterable[str | Path | None] = ()) -> None:
    """Check that a picture may be written; see `check_output_file`."""
    kind = path.suffix.lower()
    if path.exists() and kind not in PICTURES:
        raise InputError(
            f"cannot write {path}: a picture's name ends in {', '.join(PICTURES)}; name another "
            "file with --out"
        )
    check_output_file(path, mark=PICTURES.get(kind, b""), read=read)
