"""Write a folder of files that is there whole or not at all."""

import glob
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lsemvae.core.errors import InputError
from lsemvae.core.files import place_taken, sync_folder, sync_tree
from lsemvae.core.machine_limits import step_to_write
from lsemvae.core.one_writer import writing_alone
from lsemvae.core.unfinished import remove_abandoned, unfinished


@contextmanager
def whole_folder(path: Path, *, new: bool = False) -> Iterator[Path]:
    """Let a folder be filled under another name, and give it its own in one step.

    An earlier folder of that name is replaced, by one process at a time; what killed processes left
    of it is removed.

    Args:
        path: of the folder.
        new: refuse to replace one that another process made meanwhile.

    Yields:
        The empty folder to fill, beside it.

    Raises:
        InputError: the disk is full, read-only or broken; what was there before is intact. Or see
            `new`.
    """
    place = path.absolute()
    begun, before = unfinished(place), unfinished(place, ".before")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with writing_alone(place.parent, wait=True):
            _put_back(place)
            remove_abandoned(place.parent, re.escape(place.name))
        begun.mkdir()
        yield begun
        sync_tree(begun)
        with writing_alone(place.parent, wait=True):
            if place.exists():
                if new:
                    raise InputError(f"another process has made {path}; name another folder")
                place.replace(before)
            begun.replace(place)
        sync_folder(place.parent)
    except InputError as error:  # of a file in it, under the name that nobody knows
        raise InputError(str(error).replace(str(begun), str(path))) from error
    except OSError as error:
        raise InputError(
            place_taken(error)
            or f"{path} cannot be written ({error.strerror or error}); what was there before is "
            f"intact. {step_to_write(error)}, or name another folder, and run the same command "
            "again"
        ) from error
    finally:
        if before.exists() and not place.exists():
            before.replace(place)
        shutil.rmtree(begun, ignore_errors=True)
        shutil.rmtree(before, ignore_errors=True)


def _put_back(place: Path) -> None:
    """Give a folder back its name where a process was killed between two steps of replacing it."""
    kept = list(place.parent.glob(f".{glob.escape(place.name)}.*.before"))
    if kept and not place.exists():
        max(kept, key=lambda one: one.stat().st_mtime_ns).replace(place)
