"""Keep the rows that are done on the disk, so that a stopped run goes on."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from lsemvae.core.journal import LineJournal
from lsemvae.core.json_text import parse_json
from lsemvae.predicting.outcome import Row

FORMAT, VERSION = "lsemvae-predictions", 1


class RowJournal(LineJournal):
    """Rows on the disk, one line each; use it in a `with` block.

    The recording of a torn line is read again.

    Args:
        path: the journal.
        key: of model and options, so that nothing else is continued.

    Raises:
        InputError: the file is the journal of something else.
    """

    def __init__(self, path: Path, key: str) -> None:
        super().__init__(
            path, {"format": FORMAT, "version": VERSION, "key": key},
            f"{path} is of another model or of other options; finish that run, or remove the file "
            "to start again",
        )  # fmt: skip
        self.done: set[str] = set()

    def add(self, rows: Sequence[Row]) -> None:
        """Bring some rows to the disk.

        Raises:
            OSError: the disk is full or cannot be written; what was there before is intact.
        """
        self._append(list(row) for row in rows)
        self.done.update(row.recording for row in rows)

    def rows(self) -> Iterator[Row]:
        """Read the rows in the order in which they were added, one at a time."""
        self._file.seek(0)
        self._file.readline()
        for line in self._file:
            yield Row(*parse_json(line))

    def _note(self, content: Any, start: int) -> None:
        self.done.add(content[0])
