"""Keep the help of a command that takes seconds to make, until something changes that it says."""

import contextlib
import hashlib
import io
import os
import shutil
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

from lsemvae.core.files import write_text

PACKAGES = ("lsemvae", "torch", "lightning", "jsonargparse", "torchmetrics")
SOURCES = tuple(Path(__file__).parents[2] / name for name in ("lsemvae", "data_modules"))


def kept_help(name: str, make: Callable[[], object]) -> str:
    """Return the help of a command, from the user's cache where it was made by the same program.

    Args:
        name: of the command.
        make: prints the help and exits.
    """
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "lsemvae"
    file = folder / f"help-{name}-{fingerprint()}.txt"
    if file.is_file():
        return file.read_text(encoding="utf-8")
    with contextlib.redirect_stdout(io.StringIO()) as said, contextlib.suppress(SystemExit):
        make()
    text = said.getvalue()
    with contextlib.suppress(OSError):  # a home that cannot be written keeps nothing
        folder.mkdir(parents=True, exist_ok=True)
        for older in folder.glob(f"help-{name}-*.txt"):
            older.unlink(missing_ok=True)
        write_text(file, text)
    return text


def fingerprint() -> str:
    """Return a digest of all that a help depends on: versions, sources, width of the terminal."""
    found = hashlib.sha256(repr([
        sys.version, shutil.get_terminal_size().columns, *map(version, PACKAGES)
    ]).encode())  # fmt: skip
    for root in SOURCES:
        for file in sorted(root.rglob("*.py")):
            status = file.stat()
            found.update(f"{file} {status.st_size} {status.st_mtime_ns}\n".encode())
    return found.hexdigest()[:16]
