"""Open the journal of a sweep: one writer at a time, and no line that is half written."""

import fcntl
import json
import os
import zlib
from collections.abc import Generator
from pathlib import Path
from typing import IO, Any

from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend, JournalFileSymlinkLock

from lsemvae.core.errors import InputError

SUM = "crc32"


class JournalLock(JournalFileSymlinkLock):
    """Let one process or thread write, until it releases the journal or ends.

    Optuna's own lock outlives a killed process for half a minute, and its journal is lost where a
    full disk or a kill leaves half a line: the next one would be written behind it. Whoever gets
    this lock takes such a half line away; the trial that it was about is run again.

    Args:
        journal: the file.
    """

    def __init__(self, journal: Path) -> None:
        super().__init__(str(journal))
        self._journal = journal
        self._held: IO[bytes] | None = None

    def acquire(self) -> bool:
        """Wait for the lock."""
        self._held = locked(self._journal.with_name(f"{self._journal.name}.lock"))
        drop_half_line(self._journal)
        return True

    def release(self) -> None:
        """Let others write."""
        if self._held is not None:
            self._held.close()
            self._held = None


class SealedJournal(JournalFileBackend):
    """Give every line a CRC-32, so that a value that was changed is no value of a trial.

    Lines of an earlier version have none and are read as they are.
    """

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        """Write lines."""
        super().append_logs([{**log, SUM: _sum_of(log)} for log in logs])

    def read_logs(self, log_number_from: int) -> Generator[dict[str, Any], None, None]:
        """Yield the lines from a number on.

        Raises:
            ValueError: one is not what was written.
        """
        for log in super().read_logs(log_number_from):
            if log.pop(SUM, None) not in (None, _sum_of(log)):
                raise ValueError("a line is not what was written")
            yield log


def _sum_of(log: dict[str, Any]) -> int:
    plain = json.loads(json.dumps(log))
    return zlib.crc32(json.dumps(plain, sort_keys=True).encode())


def open_journal(path: Path) -> JournalStorage:
    """Open the trials of a sweep, making a journal where there is none.

    Raises:
        InputError: the journal is damaged.
    """
    try:
        return JournalStorage(SealedJournal(str(path), JournalLock(path)))
    except OSError:
        raise
    except Exception as error:  # whatever Optuna makes of a line that is not its own
        raise InputError(
            f"{path} is changed or damaged; put it back from a copy, or remove {path.parent} to "
            "try again"
        ) from error


def drop_half_line(path: Path) -> None:
    """Cut a file behind its last whole line."""
    with path.open("rb+") as file:
        if not file.seek(0, os.SEEK_END):
            return
        file.seek(-1, os.SEEK_END)
        if file.read(1) != b"\n":
            file.seek(0)
            file.truncate(file.read().rfind(b"\n") + 1)


def locked(file: Path, *, wait: bool = True) -> IO[bytes]:
    """Return the file, open and locked; the lock ends when it is closed, or with the process.

    Raises:
        BlockingIOError: another holds it, and `wait` is False.
    """
    opened = file.open("ab")
    try:
        fcntl.flock(opened, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BaseException:
        opened.close()
        raise
    return opened
