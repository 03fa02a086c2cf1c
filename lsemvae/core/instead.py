"""Say what lies where somebody looked for a file or folder that is not there."""

import errno
import os
import re
from collections.abc import Iterator
from difflib import get_close_matches
from itertools import islice
from pathlib import Path

from lsemvae.core.errors import InputError

PACKED = (".zip", ".tar", ".gz", ".tgz", ".7z", ".rar", ".bz2", ".xz")
"""Endings of files that hold others, or another one, packed."""

_VARIABLE = re.compile(r"\$\{[^}]*\}|\$\w+|%\w+%")
_DEPTH = 6  # as of runs/benchmark/pretrain/METHOD/checkpoints/last.ckpt
_MOST_LOOKED_AT = 2000  # a folder may hold a million recordings, on a network drive


def found_instead(path: str | Path, *endings: str, folder: bool = False) -> str:
    """Return in brackets why a path leads nowhere and what may have been meant, or nothing.

    Args:
        path: as it was given.
        endings: of the names of files that would have done, such as `.h5`.
        folder: a folder is wanted, not a file.
    """
    try:
        said = _why(Path(path), endings, folder)
    except OSError:  # such as no permission: then nothing more is known
        said = ""
    return f" ({said})" if said else ""


def source_folder(source: str, what: str) -> Path:
    """Return the folder of what is to be read.

    Args:
        source: as it was typed.
        what: lies in it, such as "the exports".

    Raises:
        InputError: there is no such folder, or it cannot be listed.
    """
    folder = Path(source)
    if not folder.is_dir():
        instead = found_instead(source, folder=True)
        raise InputError(f"there is no folder {source}{instead}; source is where {what} lie")
    if not os.access(folder, os.R_OK | os.X_OK):
        refuse_unreadable(PermissionError(errno.EACCES, os.strerror(errno.EACCES), source))
    return folder


def refuse_unreadable(error: OSError) -> None:
    """Refuse a folder that cannot be listed; left out, its files would be missing without a word.

    Raises:
        InputError: names it.
    """
    raise InputError(
        f"the folder {error.filename} cannot be read ({error.strerror}); get the rights to it, or "
        "move it away"
    ) from error


def packed_inside(folder: Path) -> str:
    """Return with `; ` in front which packed file lies in a folder, or nothing."""
    packed = next(_inside(folder, PACKED, deepest=1), None)
    return f"; {packed.name} in it is packed: unpack it" if packed else ""


def finished_run(folder: Path) -> Path | None:
    """Return a folder, or one below it, that holds a finished run."""
    found = next(_inside(folder, ("predictions.csv",)), None)
    return found and found.parent


def run_below(folder: Path) -> str:
    """Return a finished run below a folder that is none, or what such a folder is called."""
    return str(finished_run(folder) or "runs/cv/detection/ls_emvae/12L")


def _why(path: Path, endings: tuple[str, ...], folder: bool) -> str:
    if path.is_dir():
        return "" if folder else _why_no_file(path, endings)
    if path.is_file():
        return _why_no_folder(path) if folder else ""
    if path.exists():
        return "it is a device or a pipe, not a file"
    if said := _of_another_shell(path):
        return said
    if alike := _alike(path, folder):
        return f"did you mean {alike}?"
    return "" if path.is_absolute() else f"looked for in {Path.cwd()}"


def _why_no_file(path: Path, endings: tuple[str, ...]) -> str:
    """Say that a path is a folder, and which file is named like it or lies in it."""
    beside = (Path(f"{path}{ending}") for ending in endings)
    named = next((one for one in beside if one.is_file()), None)
    if named is not None:
        return f"it is a folder; did you mean {named}?"
    found = next(_inside(path, endings), None) if endings else None
    return "it is a folder" + (f"; in it is {found}" if found else "")


def _why_no_folder(path: Path) -> str:
    if path.name.lower().endswith(PACKED):
        return "it is packed; unpack it first"
    return f"it is a file; the folder that holds it is {path.parent}"


def _of_another_shell(path: Path) -> str:
    """Say what a path holds that a shell, or another system, reads otherwise."""
    if "~" in path.parts:
        place = path.parts.index("~") + 1
        return f"~ is not replaced here; write {Path.home().joinpath(*path.parts[place:])}"
    if "\\" in str(path):
        plain = Path(str(path).replace("\\", "/"))
        as_here = plain if plain.exists() else "the path as this machine has it"
        return f"folders are separated by / here; write {as_here}"
    variable = _VARIABLE.search(str(path))
    return f"{variable[0]} is not replaced here; write the path in full" if variable else ""


def _alike(path: Path, folder: bool) -> Path | None:
    """Return what is named nearly so: in the same folder, or in this one where that is gone."""
    place = path.parent
    if not place.is_dir():
        return None
    with os.scandir(place) as entries:
        names = [one.name for one in islice(entries, _MOST_LOOKED_AT) if one.is_dir() == folder]
    wanted = path.name.casefold()
    named = {name: (name.casefold(), Path(name).stem.casefold()) for name in sorted(names)}
    same = [name for name, forms in named.items() if wanted in forms]
    near = same or get_close_matches(path.name, names, n=1, cutoff=0.75)
    return place / near[0] if near else None


def _inside(folder: Path, endings: tuple[str, ...], deepest: int = _DEPTH) -> Iterator[Path]:
    """Yield the files below a folder, the upper ones first, that have one of the endings."""
    for depth in range(1, deepest + 1):
        some = sorted(islice(folder.glob("/".join("*" * depth)), _MOST_LOOKED_AT))
        yield from (one for one in some if one.name.lower().endswith(endings) and one.is_file())
