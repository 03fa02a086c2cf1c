"""Keep the journal of a conversion: one line for each finished shard, so that a restart goes on."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from data_modules.conversion.quarantine import RecordFate
from lsemvae.core.journal import LineJournal, content_of

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


class Journal(LineJournal):
    """Finished shards on the disk; use it in a `with` block.

    A line is added when its shard has its final name. The shard of a torn line is converted again.

    Args:
        path: the journal.
        key: of the conversion, so that nothing else is continued.

    Raises:
        InputError: the file is the journal of something else.
    """

    def __init__(self, path: Path, *, key: str) -> None:
        super().__init__(
            path, {"format": FORMAT, "version": VERSION, "key": key},
            f"{path} is not the journal of this conversion; remove {path.parent} to start again",
        )  # fmt: skip
        self.finished: dict[int, int] = {}
        """The byte at which the line of each finished shard begins."""

    def add(self, shard: FinishedShard) -> None:
        """Write down a finished shard.

        Raises:
            OSError: the disk is full or cannot be written.
        """
        self.finished[shard.number] = self._append([_pack(shard)])

    def forget(self, number: int) -> None:
        """Have a shard converted again, because its file is not there any more."""
        del self.finished[number]

    def read(self) -> Iterator[FinishedShard]:
        """Read the finished shards in order of their numbers, one at a time."""
        for number in sorted(self.finished):
            self._file.seek(self.finished[number])
            yield _unpack(content_of(self._file.readline()))

    def _note(self, content: Any, start: int) -> None:
        self.finished[int(content["shard"])] = start


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
