"""Seal a file with its own SHA-256, so that a damaged copy is noticed.

The digest stands in the file itself, behind `MARK`; it is that of the file with 64 zeros in its
place. Any container that can hold a text can be sealed: safetensors and ONNX files are.
"""

import hashlib
import mmap
from pathlib import Path

from lsemvae.core.earlier_results import remember_result
from lsemvae.core.errors import InputError
from lsemvae.core.files import refuse_special
from lsemvae.core.instead import finished_run, found_instead
from lsemvae.core.outputs import check_folder_of, refuse_read

MARK = b"lsemvae-sha256:"
BLANK = b"0" * 64
OPEN_SEAL = (MARK + BLANK).decode()
_BLOCK, _TAIL = 1 << 20, 64 << 20


def seal(path: Path) -> str:
    """Write the digest into a file that holds `OPEN_SEAL` once, and return it."""
    digest, place, _ = _measure(path)
    with path.open("r+b") as file:
        file.seek(place)
        file.write(digest.encode())
    return digest


def check_seal(path: Path) -> str:
    """Return the digest of a sealed file.

    Raises:
        InputError: there is no such file, it is not sealed, or is not what was sealed.
    """
    if run := path.is_dir() and finished_run(path):
        raise InputError(
            f"{path} is no model but a folder of runs; make one of a run, with its own cohort and "
            f"encoder: `lsemvae lock {run} --cohort STORE --encoder ENCODER --out "
            "model.safetensors`"
        )
    if not path.is_file():
        instead = found_instead(path, ".safetensors", ".onnx")
        raise InputError(f"there is no model {path}{instead}; make one with `lsemvae lock`")
    digest, _, found = _measure(path)
    if digest.encode() != found:
        raise InputError(f"{path} is damaged: its digest is another; copy it again")
    return digest


def check_model_place(path: Path, *, read: Path | None = None) -> None:
    """Check that a model may be written; an earlier one is remembered by its digest.

    Args:
        path: of the model.
        read: the model that the command reads.

    Raises:
        InputError: the file is no whole model of ours, and would be lost; it is the one that is
            read (links included); or see `check_folder_of`.
    """
    check_folder_of(path)
    refuse_special(path)
    if path.is_dir():
        raise InputError(f"cannot write {path}: it is a folder; name a file in it")
    if not path.exists():
        return
    refuse_read(path, [read])
    try:
        check_seal(path)
    except InputError as error:
        raise InputError(
            f"cannot write {path}: it exists and is no whole model of this program; name another "
            "file with --out, or move that one away"
        ) from error
    remember_result(path, check_seal)


def _measure(path: Path) -> tuple[str, int, bytes]:
    """Return the digest of the blanked file, where it belongs, and what stands there."""
    if path.stat().st_size < len(OPEN_SEAL):
        raise InputError(f"{path} is no model of lsemvae; make one with `lsemvae lock`")
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        # a safetensors file has its texts in front, an ONNX file behind its weights
        place = max(
            content.find(MARK, 0, _BLOCK), content.rfind(MARK, max(0, len(content) - _TAIL))
        )
        place += len(MARK)
        if place < len(MARK):
            raise InputError(f"{path} is no model of lsemvae; make one with `lsemvae lock`")
        end = place + len(BLANK)
        found = content[place:end]
        digest = hashlib.sha256()
        for start, stop in ((0, place), (end, len(content))):
            if start:
                digest.update(BLANK)
            for first in range(start, stop, _BLOCK):
                digest.update(content[first : min(first + _BLOCK, stop)])
    return digest.hexdigest(), place, found
