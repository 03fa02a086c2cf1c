"""Tell of an earlier result of one's own that another one replaces."""

import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from lsemvae.core.printable import say

_earlier: dict[Path, Callable[[Path], str]] = {}
"""Results that a command found at its start, and how each is digested."""


def remember_result(path: Path, digest: Callable[[Path], str]) -> None:
    """Remember a result that this command may replace, so that the replacement is told.

    Files that a run only keeps its state in are not remembered, and change without a word.

    Args:
        path: of a file that is there.
        digest: the SHA-256 by which files of its kind are known, as hex.
    """
    _earlier[path.absolute()] = digest


def replaced_result(temporary: Path, path: Path) -> str:
    """Return the note of a result that is about to be replaced; empty where nothing is lost.

    Tables, pictures and texts of one name are one result, told once.

    Args:
        temporary: the new content.
        path: the name that it gets.
    """
    place = path.absolute()
    digest = _earlier.pop(place, None)
    if digest is None or not place.is_file():
        return ""
    before = digest(place)
    if before == digest(temporary):
        return ""
    for other in [one for one in _earlier if one.with_suffix("") == place.with_suffix("")]:
        del _earlier[other]
    made = datetime.fromtimestamp(place.stat().st_mtime)
    return f"note: {path} replaced another result, of {made:%Y-%m-%d %H:%M}, SHA-256 {before[:8]}…"


def tell(note: str) -> None:
    """Say a note where it disturbs no output that is read by a program."""
    if note:
        say(note, file=sys.stderr)
