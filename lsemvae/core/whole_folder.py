"""Write a folder of files that is there whole or not at all."""

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lsemvae.core.errors import InputError
from lsemvae.core.files import place_taken, remove_abandoned


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """Let a folder be filled under another name, and give it its own in one step.

    An earlier folder of that name is replaced; what killed processes left of it is removed.

    Args:
        path: of the folder.

    Yields:
        The empty folder to fill, beside it.

    Raises:
        InputError: the disk is full, read-only or broken; what was there before is intact.
    """
    place = path.absolute()
    begun, before = (
        place.with_name(f".{place.name}.{os.getpid()}{end}") for end in ("", ".before")
    )
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        remove_abandoned(place.parent, re.escape(place.name))
        shutil.rmtree(begun, ignore_errors=True)
        begun.mkdir()
        yield begun
        if place.exists():
            place.replace(before)
        begun.replace(place)
    except OSError as error:
        raise InputError(
            place_taken(error)
            or f"{path} cannot be written ({error.strerror or error}); what was there before is "
            "intact. Make room, or name another folder, and run the same command again"
        ) from error
    finally:
        if before.exists() and not place.exists():
            before.replace(place)
        shutil.rmtree(begun, ignore_errors=True)
        shutil.rmtree(before, ignore_errors=True)
