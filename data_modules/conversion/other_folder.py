"""Find the folder that was meant where no recording of a list lies below the one that was named."""

import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from lsemvae.core.instead import packed_inside

_MOST_LOOKED_AT = 2000  # folders


def meant_source(source: Path, record: str) -> str:
    """Return with `; ` in front where a record lies, or what is packed there; nothing if neither.

    Args:
        source: the folder that was named.
        record: as the table names it.
    """
    for folder in _near(source):
        if any(os.path.lexists(folder / f"{record}{ending}") for ending in ("", ".hea")):
            return f"; it lies below {folder}: --source {folder}"
    return packed_inside(source)


def _near(source: Path) -> Iterator[Path]:
    """Yield the folder above and those directly below, in order of their names."""
    yield source.parent if source.name else source / ".."
    try:
        with os.scandir(source) as entries:
            names = [one.name for one in islice(entries, _MOST_LOOKED_AT) if one.is_dir()]
    except OSError:
        return
    yield from (source / name for name in sorted(names))
