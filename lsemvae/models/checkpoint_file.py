"""Write checkpoint files that a crash cannot spoil, and read nothing that passes for one."""

import hashlib
import os
import re
from pathlib import Path
from typing import Any

import torch

from lsemvae.core.errors import InputError
from lsemvae.core.files import (
    digest_file,
    file_sha256,
    replace_file,
    sync_file,
)
from lsemvae.core.instead import found_instead
from lsemvae.core.machine_limits import step_to_write
from lsemvae.core.unfinished import remove_abandoned, unfinished
from lsemvae.models.checkpoint_content import check_archive, check_content

_SHA256 = re.compile("[0-9a-f]{64}")


def local_path(path: str | os.PathLike[str]) -> Path:
    """Return the path of a local file.

    Raises:
        InputError: it is an address.
    """
    if "://" in os.fspath(path):
        raise InputError(
            f"{path} is not a local file; checkpoints are read from and written to this machine "
            "only: download it, look where it comes from, and name the copy"
        )
    return Path(path)


LOST_LOADER = "DataLoader worker"  # torch says this wherever the process happens to be


def write_checkpoint(checkpoint: dict[str, Any], path: Path) -> None:
    """Write a checkpoint in one step, with its SHA-256 beside it.

    A temporary file on the same file system is written, synchronised and renamed: whenever the
    process ends, `path` holds the old checkpoint or the new one. While the two change places, the
    file of digests names both.

    Args:
        checkpoint: what `torch.save` takes.
        path: the file; its folder is made where there is none.

    Raises:
        InputError: the disk is full or broken; the earlier checkpoint is intact.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = unfinished(path)
    try:
        remove_abandoned(path.parent, r".+\.ckpt(\.sha256)?")
        digest = _write_synchronised(checkpoint, temporary)
        if digest_file(path).exists():
            _write_digests(path, [*_read_digests(path), digest])
        replace_file(temporary, path)
        _write_digests(path, [digest])
    except (OSError, RuntimeError) as error:  # torch wraps what the disk says
        if LOST_LOADER in str(error):
            raise
        cause = error if isinstance(error, OSError) else error.__context__
        said = cause if isinstance(cause, OSError) else OSError(str(error))
        raise InputError(
            f"{path} cannot be written ({said.strerror or said}); what was there before is intact. "
            f"{step_to_write(said)}, and resume from it"
        ) from error
    finally:
        temporary.unlink(missing_ok=True)


class _DigestingFile:
    """A file that `torch.save` writes to from its beginning to its end, and its digest."""

    def __init__(self, stream: Any) -> None:
        self.stream, self.digest = stream, hashlib.sha256()

    def write(self, content: bytes) -> int:
        self.digest.update(content)
        return int(self.stream.write(content))

    def flush(self) -> None:
        self.stream.flush()


def _write_synchronised(checkpoint: dict[str, Any], path: Path) -> str:
    with path.open("wb") as stream:
        file = _DigestingFile(stream)
        torch.save(checkpoint, file)  # type: ignore[arg-type]  # a write method is all it needs
        sync_file(stream)
    return file.digest.hexdigest()


def _write_digests(path: Path, digests: list[str]) -> None:
    target = digest_file(path)
    temporary = unfinished(target)
    try:
        with temporary.open("w") as stream:
            stream.writelines(f"{digest}  {path.name}\n" for digest in digests)
            sync_file(stream)
        replace_file(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)


def _read_digests(path: Path) -> list[str]:
    lines = digest_file(path).read_text(errors="replace").splitlines()
    return [line.split(maxsplit=1)[0] for line in lines if line.strip()]


def read_checkpoint(path: Path, *, mmap: bool = False) -> dict[str, Any]:
    """Read a checkpoint: tensors and plain values, never code.

    Where a file of digests lies beside it, it must be one of these, to the bit.

    Args:
        path: a local file.
        mmap: leave the tensors in the file until they are used.

    Raises:
        InputError: it is missing, was changed, or is no checkpoint.
    """
    given, path = path, Path(os.path.realpath(path))
    if not path.is_file():
        instead = found_instead(given, ".ckpt")
        raise InputError(f"there is no checkpoint {given}{instead}; look at --ckpt_path")
    digests = _read_digests(path) if digest_file(path).exists() else None
    if digests is not None and not all(map(_SHA256.fullmatch, digests or [""])):
        raise InputError(
            f"{digest_file(path)} is empty or damaged, so nobody can tell whether {path.name} is "
            "what was written; copy both again, or, if you trust it, remove the first"
        )
    if digests is not None and file_sha256(path) not in digests:
        raise InputError(
            f"{given} is damaged: its SHA-256 is not the one that was written with it; take "
            "another copy or an earlier checkpoint (if you changed it yourself, remove "
            f"{digest_file(path)})"
        )
    if given.suffix == ".h5":
        raise InputError(f"{given} is a store of recordings and no checkpoint; name a .ckpt file")
    check_archive(path)
    try:
        checkpoint = torch.load(path, map_location="cpu", weights_only=True, mmap=mmap)
    except Exception as error:  # torch documents no exceptions; a bad file may raise any
        raise InputError(
            f"{given} is not a readable checkpoint ({type(error).__name__}): it is cut short, no "
            "file of torch.save, or holds more than tensors and plain values, which could be code"
        ) from error
    if not isinstance(checkpoint, dict) or "state_dict" not in checkpoint:
        raise InputError(
            f"{given} holds no weights; expected a checkpoint that `lightning fit` wrote"
        )
    check_content(checkpoint, path)
    return checkpoint
