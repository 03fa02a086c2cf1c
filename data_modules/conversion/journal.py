"""Keep the journal of a conversion: one line for each finished shard, so that a restart goes on."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from data_modules.conversion.quarantine import RecordFate
from lsemvae.core.errors import InputError
from lsemvae.core.files import sync_file

FORMAT = "lsemvae-journal"
VERSION = 1


class FinishedShard(NamedTuple):
    """What became of the recordings of one shard.

    Attributes:
        number: of the shard.
        present: which leads hold a signal, shape (n, 12).
        outcomes: of the n recordings.
    """

    number: int
    present: npt.NDArray[np.bool_]
    outcomes: list[RecordFate]


class Journal:
    """Finished shards on the disk; use it in a `with` block.

    A line is added when its shard has its final name, and is on the disk before the next one. The
    last line of a killed run may be torn: it is cut off, and its shard converted again.

    Args:
        path: the journal.
        key: of the conversion, so that nothing else is continued.

    Raises:
        InputError: the file is the journal of something else.
    """

    def __init__(self, path: Path, *, key: str) -> None:
        self.path, self._key = path, key
        self.finished: dict[int, int] = {}
        """The byte at which the line of each finished shard begins."""

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

    def add(self, shard: FinishedShard) -> None:
        """Write down a finished shard.

        Raises:
            OSError: the disk is full or cannot be written.
        """
        end = self._file.seek(0, os.SEEK_END)
        self._write(_pack(shard))
        self.finished[shard.number] = end

    def forget(self, number: int) -> None:
        """Have a shard converted again, because its file is not there any more."""
        del self.finished[number]

    def read(self) -> Iterator[FinishedShard]:
        """Read the finished shards in order of their numbers, one at a time."""
        for number in sorted(self.finished):
            self._file.seek(self.finished[number])
            yield _unpack(json.loads(self._file.readline()))

    def _read(self) -> None:
        """Find the whole lines and cut off a torn one."""
        self._file.seek(0)
        whole = 0
        for line in self._file:
            content = _parse(line)
            if content is None:
                break
            if whole == 0:
                self._check(content)
            else:
                self.finished[int(content["shard"])] = whole
            whole += len(line)
        self._file.truncate(whole)
        if whole == 0:
            self._write({"format": FORMAT, "version": VERSION, "key": self._key})

    def _check(self, head: dict[str, Any]) -> None:
        if head != {"format": FORMAT, "version": VERSION, "key": self._key}:
            raise InputError(
                f"{self.path} is not the journal of this conversion; remove {self.path.parent} to "
                "start again"
            )

    def _write(self, content: dict[str, Any]) -> None:
        start = self._file.seek(0, os.SEEK_END)
        try:
            self._file.write(json.dumps(content).encode() + b"\n")
            sync_file(self._file)
        except OSError:
            os.ftruncate(self._file.fileno(), start)
            raise


def _parse(line: bytes) -> dict[str, Any] | None:
    """Return the content of a whole line, None for a torn one."""
    if not line.endswith(b"\n"):
        return None
    try:
        content = json.loads(line)
    except ValueError:
        return None
    return content if isinstance(content, dict) else None


def _pack(shard: FinishedShard) -> dict[str, Any]:
    """Write leads as the bits of a number and outcomes as lists."""
    bits = shard.present @ (1 << np.arange(shard.present.shape[1]))
    return {"shard": shard.number, "present": bits.tolist(), "outcomes": shard.outcomes}


def _unpack(content: dict[str, Any]) -> FinishedShard:
    from lsemvae.core.leads import LEADS

    bits = np.array(content["present"], dtype=np.int64)
    present = (bits[:, None] >> np.arange(len(LEADS))) & 1 == 1
    outcomes = [
        RecordFate(record, accepted, tuple((code, text) for code, text in reasons), *rest)
        for record, accepted, reasons, *rest in content["outcomes"]
    ]
    return FinishedShard(int(content["shard"]), present, outcomes)
