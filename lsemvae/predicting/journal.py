"""Keep the rows that are done on the disk, so that a stopped run goes on."""

import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from lsemvae.core.errors import InputError
from lsemvae.core.files import sync_file
from lsemvae.predicting.outcome import Row

FORMAT, VERSION = "lsemvae-predictions", 1


class RowJournal:
    """Rows on the disk, one line each; use it in a `with` block.

    The last line of a killed run may be torn: it is cut off, and its recording read again.

    Args:
        path: the journal.
        key: of model and options, so that nothing else is continued.

    Raises:
        InputError: the file is the journal of something else.
    """

    def __init__(self, path: Path, key: str) -> None:
        self.path, self._head = path, {"format": FORMAT, "version": VERSION, "key": key}
        self.done: set[str] = set()

    def __enter__(self) -> Self:
        self._file = self.path.open("a+b")
        try:
            self._read()
        except BaseException:
            self._file.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._file.close()

    def add(self, rows: Sequence[Row]) -> None:
        """Bring some rows to the disk.

        Raises:
            OSError: the disk is full or cannot be written; what was there before is intact.
        """
        self._write([list(row) for row in rows])
        self.done.update(row.recording for row in rows)

    def rows(self) -> Iterator[Row]:
        """Read the rows in the order in which they were added, one at a time."""
        self._file.seek(0)
        self._file.readline()
        for line in self._file:
            yield Row(*json.loads(line))

    def _read(self) -> None:
        self._file.seek(0)
        whole = 0
        for line in self._file:
            content = _parse(line)
            if content is None:
                break
            if whole == 0:
                self._check(content)
            else:
                self.done.add(content[0])
            whole += len(line)
        self._file.truncate(whole)
        if whole == 0:
            self._write([self._head])

    def _check(self, head: Any) -> None:
        if head != self._head:
            raise InputError(
                f"{self.path} is of another model or of other options; finish that run, or remove "
                "the file to start again"
            )

    def _write(self, lines: Sequence[Any]) -> None:
        start = self._file.seek(0, os.SEEK_END)
        try:
            self._file.write(b"".join(json.dumps(line).encode() + b"\n" for line in lines))
            sync_file(self._file)
        except OSError:
            os.ftruncate(self._file.fileno(), start)
            raise


def _parse(line: bytes) -> Any:
    """Return the content of a whole line, None for a torn one."""
    if not line.endswith(b"\n"):
        return None
    try:
        return json.loads(line)
    except ValueError:
        return None
