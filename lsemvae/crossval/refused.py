"""Take back the folds of a run that was refused before it began."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from lsemvae.core.errors import InputError


@contextlib.contextmanager
def folds_taken_back_if_refused(splits: Path) -> Iterator[None]:
    """Remove folds that were frozen within the block, where it ends in a refusal.

    Otherwise the mended cohort would be refused, too, as another one than the folds are of.

    Args:
        splits: the file; one that was there before stays.
    """
    there = splits.exists()
    try:
        yield
    except InputError:
        if not there:
            splits.unlink(missing_ok=True)
            with contextlib.suppress(OSError):  # the folder holds what explains the refusal
                splits.parent.rmdir()
        raise
