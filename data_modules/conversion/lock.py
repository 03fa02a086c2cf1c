"""Lock a store for one conversion at a time, by a file that names its owner."""

import json
import os
import socket
import time
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from lsemvae.core.errors import InputError
from lsemvae.core.json_text import parse_json
from lsemvae.core.printable import say

# File systems that several machines share do not always share their locks. Owners touch the file
# after each shard, so one elsewhere that did not for so long is dead.
SILENT_S = 900.0


class OutputLock:
    """Hold a store for this process alone, in a `with` block.

    The operating system's lock ends with its process, however that ends; what a killed run left is
    taken over.

    Args:
        store: the store that is going to be written.

    Raises:
        InputError: another process holds it, or the file system has no locks.
    """

    def __init__(self, store: Path) -> None:
        self.store = store
        self.path = store.with_name(store.name + ".lock")

    def __enter__(self) -> Self:
        self._descriptor = self._lock()
        try:
            owner = _read_owner(self.path)
            self._refuse_other_host(owner)
            if owner:
                say(f"taking over the lock of a run that ended early ({_describe(owner)})")
            self._sign()
        except BaseException:
            os.close(self._descriptor)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.path.unlink(missing_ok=True)
        os.close(self._descriptor)

    def touch(self) -> None:
        """Tell other machines that this run is alive."""
        os.utime(self._descriptor)

    def _lock(self) -> int:
        import fcntl  # not on Windows, where nothing is converted

        while True:
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o644)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if self._is_current(descriptor):
                    return descriptor
            except BlockingIOError as error:
                owner = _describe(_read_owner(self.path))
                os.close(descriptor)
                raise InputError(
                    f"another process is writing {self.store} ({owner}); wait for it or name "
                    "another file"
                ) from error
            except OSError as error:
                os.close(descriptor)
                raise InputError(
                    f"{self.path.parent} has no file locks ({error.strerror}); write the store on "
                    "a local disk and copy it"
                ) from error
            os.close(descriptor)

    def _is_current(self, descriptor: int) -> bool:
        """Tell whether the locked file still has its name; its last owner may have removed it."""
        try:
            return os.path.samestat(os.fstat(descriptor), self.path.stat())
        except FileNotFoundError:
            return False

    def _refuse_other_host(self, owner: dict[str, str]) -> None:
        silent = time.time() - self.path.stat().st_mtime
        if owner and owner.get("host") != socket.gethostname() and silent < SILENT_S:
            raise InputError(
                f"{self.store} is being written on another machine ({_describe(owner)}), which was "
                f"alive {silent / 60:.0f} min ago; wait for it, or remove {self.path} if it is dead"
            )

    def _sign(self) -> None:
        started = datetime.now(UTC).isoformat(timespec="seconds")
        owner = {"host": socket.gethostname(), "process": str(os.getpid()), "started": started}
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, json.dumps(owner).encode(), 0)


def _read_owner(path: Path) -> dict[str, str]:
    """Return who signed the lock; nobody where it is new or half signed."""
    try:
        owner = parse_json(path.read_text())
    except (OSError, ValueError):
        return {}
    return owner if isinstance(owner, dict) else {}


def _describe(owner: dict[str, str]) -> str:
    if not owner:
        return "owner unknown"
    return ", ".join(
        f"{name} {owner[name]}" for name in ("process", "host", "started") if name in owner
    )
