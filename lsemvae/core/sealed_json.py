"""Write and read JSON files that hold the SHA-256 of their own content and of files beside them."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from lsemvae.core.errors import InputError
from lsemvae.core.files import file_sha256, write_text
from lsemvae.core.json_text import parse_json
from lsemvae.core.printable import say

SEAL = "content_sha256"
"""Under this name a file keeps the digest of everything else in it."""
FILES = "files_sha256"
"""Under this name a file keeps the digests of files beside it; older ones keep none."""


def write_json(path: Path, content: Mapping[str, Any], files: Iterable[str] = ()) -> None:
    """Write one JSON object and its digest in one step.

    Args:
        path: of the file.
        content: of whatever JSON can hold.
        files: names of files beside it, written before, that belong to it.
    """
    digests = {FILES: {name: file_sha256(path.with_name(name)) for name in files}}
    kept = {**content, **(digests if digests[FILES] else {})}
    kept.pop(SEAL, None)
    kept[SEAL] = content_sha256(kept)
    write_text(path, json.dumps(kept, indent=1) + "\n")


def content_sha256(content: Mapping[str, Any]) -> str:
    """Return the digest of what a JSON object says, whatever its spaces and the order of names."""
    plain = json.loads(json.dumps(content))  # names of numbers are text in a file
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()


def read_json(path: Path, next_step: str, needs: Iterable[str] = ()) -> dict[str, Any]:
    """Read a file that holds one JSON object, as it was written; older ones keep no digest.

    Args:
        path: of the file.
        next_step: what to do where it is empty or cut, as after a crash, or was changed.
        needs: keys without which it is none of ours.

    Returns:
        What it holds, without its own digest; those of the files beside it are under `FILES`.

    Raises:
        InputError: it is no JSON object, lacks a key, or is not as it was written.
    """
    found, whole = read_unverified(path, next_step, needs)
    if not whole:
        raise InputError(f"{path} is not as it was written: its digest is another; {next_step}")
    return found


def read_unverified(
    path: Path, next_step: str, needs: Iterable[str] = ()
) -> tuple[dict[str, Any], bool]:
    """Read a file as `read_json` does, but let the caller say what is wrong with a changed one.

    Returns:
        What it holds, and whether that is what was written.

    Raises:
        InputError: it is no JSON object, or lacks a key.
    """
    found = _parsed(path, next_step)
    for key in needs:
        if key not in found:
            raise InputError(f"{path} is changed or damaged (it lacks {key!r}); {next_step}")
    whole = _is_of(found.pop(SEAL), found) if SEAL in found else not _has_lost_its_seal(found)
    return found, whole and isinstance(found.get(FILES, {}), dict)


def read_sealed(
    path: Path, next_step: str, needs: Iterable[str] = (), *, files: Iterable[str]
) -> dict[str, Any]:
    """Read a file and make sure that those beside it are as they were, too.

    Args:
        path: of the file.
        next_step: what writes all of them again.
        needs: see `read_json`.
        files: those of which it keeps a digest where they are there; told where it does not, as
            one of an earlier version or of a run that did not come to its end.

    Returns:
        What it holds, without digests.

    Raises:
        InputError: see `read_json`; or a file beside it is missing or was changed.
    """
    found = read_json(path, next_step, needs)
    digests = found.pop(FILES, {})
    spoilt = changed_files(path.parent, digests)
    if spoilt:
        file = path.with_name(spoilt[0])
        raise InputError(f"{file} is missing or not as it was written; {next_step}")
    unknown = [one for one in files if one not in digests and path.with_name(one).is_file()]
    if unknown:
        say(f"note: {path} keeps no digest of {', '.join(unknown)}: whether somebody changed them "
            f"cannot be seen; to be sure, {next_step}")  # fmt: skip
    return found


def changed_files(folder: Path, digests: Mapping[str, str]) -> list[str]:
    """Name the files of a folder that are missing or are not, to the bit, those of their digests.

    Args:
        folder: where they lie.
        digests: SHA-256 by name, as kept under `FILES`.
    """
    return [
        name
        for name, digest in digests.items()
        if not (folder / name).is_file() or file_sha256(folder / name) != digest
    ]


def _has_lost_its_seal(content: Mapping[str, Any]) -> bool:
    """Tell whether a name is that of the digest but for a letter or two, as after a flipped bit."""
    return any(len(name) == len(SEAL) and sum(map(str.__ne__, name, SEAL)) <= 2 for name in content)


def _is_of(seal: object, content: Mapping[str, Any]) -> bool:
    try:
        return seal == content_sha256(content)
    except RecursionError:  # a text may nest a little deeper than it can be written again
        return False


def _parsed(path: Path, next_step: str) -> dict[str, Any]:
    try:
        found = parse_json(path.read_text(encoding="utf-8"))
    except ValueError as error:  # UnicodeDecodeError and JSONDecodeError
        size = path.stat().st_size
        state = "is empty" if size == 0 else f"is cut or damaged ({size} bytes)"
        raise InputError(f"{path} {state}; {next_step}") from error
    if not isinstance(found, dict):
        raise InputError(f"{path} is changed or damaged (it is no JSON object); {next_step}")
    return found
