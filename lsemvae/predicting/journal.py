"""Keep the rows that are done on the disk, so that a stopped run goes on."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from lsemvae.core.errors import InputError
from lsemvae.core.journal import LineJournal, content_of
from lsemvae.predicting.outcome import Row

FORMAT, VERSION = "lsemvae-predictions", 2


class RowJournal(LineJournal):
    """Rows on the disk, one line each; use it in a `with` block.

    The recording of a torn line is read again.

    Args:
        path: the journal.
        key: of model and options, so that nothing else is continued.
        identities: of the recordings that are asked for, by name.

    Raises:
        InputError: the file is the journal of something else, or holds recordings that are not
            asked for or have changed since.
    """

    def __init__(self, path: Path, key: str, identities: Mapping[str, str]) -> None:
        super().__init__(
            path, {"format": FORMAT, "version": VERSION, "key": key},
            f"{path} is of another model or of other options; finish that run, or remove the file "
            "to start again",
        )  # fmt: skip
        self._identities = identities
        self.done: set[str] = set()

    def add(self, rows: Sequence[Row]) -> None:
        """Bring some rows to the disk.

        Raises:
            OSError: the disk is full or cannot be written; what was there before is intact.
        """
        self._append([self._identities[row.recording], *row] for row in rows)
        self.done.update(row.recording for row in rows)

    def rows(self) -> Iterator[Row]:
        """Read the rows in the order in which they were added, one at a time."""
        self._file.seek(0)
        self._file.readline()
        for line in self._file:
            yield Row(*content_of(line)[1:])

    def _note(self, content: Any, start: int) -> None:
        identity, name = content[:2]
        if self._identities.get(name) != identity:
            what = "has changed since" if name in self._identities else "is not asked for now"
            raise InputError(
                f"{self.path} holds the prediction of {name}, which {what}; name the same "
                "recordings to go on, or remove the file to start again"
            )
        self.done.add(name)
