"""Keep whole lines of JSON on the disk, so that a run that was killed goes on."""

import json
import os
import zlib
from abc import ABC, abstractmethod
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from lsemvae.core.errors import InputError
from lsemvae.core.files import sync_file
from lsemvae.core.json_text import parse_json
from lsemvae.core.one_writer import hold


class LineJournal(ABC):
    """Lines on the disk below a head that says whose they are; use it in a `with` block.

    A line is on the disk before the next one is added. The last line of a killed run may be torn:
    it is cut off. So is whatever follows a line that is not what was written (each ends with its
    checksum). Where an error comes before the first line, no journal is left. One process at a
    time goes on with a journal.

    Args:
        path: the journal.
        head: its first line; a journal with another one is refused.
        refusal: what to say then.

    Raises:
        InputError: the file is the journal of something else, or another process writes it.
    """

    def __init__(self, path: Path, head: dict[str, Any], refusal: str) -> None:
        self.path, self._head, self._refusal = path, head, refusal

    def __enter__(self) -> Self:
        self._file = self.path.open("a+b")
        try:
            hold(self._file.fileno(), self.path)
            self._find_lines()
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
        empty = self._file.seek(0, os.SEEK_END) <= len(_line(self._head))
        self._file.close()
        if error is not None and empty:
            self.path.unlink(missing_ok=True)

    @abstractmethod
    def _note(self, content: Any, start: int) -> None:
        """Note a whole line below the head, which begins at a byte."""

    def _find_lines(self) -> None:
        """Note the whole lines and cut off a torn one."""
        self._file.seek(0)
        whole = 0
        for line in self._file:
            content = content_of(line)
            if not whole and line.endswith(b"\n") and content != self._head:
                raise InputError(self._refusal)
            if content is None:
                break
            if whole:
                self._note(content, whole)
            whole += len(line)
        self._file.truncate(whole)
        if whole == 0:
            self._append([self._head])

    def _append(self, lines: Iterable[Any]) -> int:
        """Bring lines to the disk; return the byte at which they begin.

        Raises:
            OSError: the disk is full or cannot be written; what was there before is intact.
        """
        start = self._file.seek(0, os.SEEK_END)
        try:
            self._file.write(b"".join(map(_line, lines)))
            sync_file(self._file)
        except OSError:
            os.ftruncate(self._file.fileno(), start)
            raise
        return start


def _line(content: Any) -> bytes:
    text = json.dumps(content).encode()
    return text + _sum_of(text)


def _sum_of(text: bytes) -> bytes:
    return b" %08x\n" % zlib.crc32(text)


def content_of(line: bytes) -> Any:
    """Return the content of a line, None where it is torn or not what was written."""
    text, space, _ = line.rpartition(b" ")
    if line != text + _sum_of(text) or not space:
        return None
    try:
        return parse_json(text)
    except ValueError:
        return None
