"""Keep a worklist for each browser session, in memory, for a while."""

import secrets
import threading
import time
from collections.abc import Callable, Sequence

from lsemvae.serving.limits import Limits, Refusal
from lsemvae.serving.recordings import Entry


class Worklist:
    """The recordings of one browser session, in the order in which they came."""

    def __init__(self, now: float) -> None:
        self.entries: list[Entry] = []
        self.used = now


class Worklists:
    """All worklists, by the secret that a session's cookie holds.

    Args:
        limits: on lists, rows and time.
        clock: in seconds.
    """

    def __init__(self, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        self._limits, self._clock = limits, clock
        self._lists: dict[str, Worklist] = {}
        self._lock = threading.RLock()  # recordings are read in a thread beside the requests'

    def find(self, secret: str | None) -> Worklist | None:
        """Return a session's list and prolong its life; None where there is none any more."""
        with self._lock:
            self._end_idle()
            found = self._lists.get(secret or "")
            if found is not None:
                found.used = self._clock()
            return found

    def end(self, secret: str | None) -> None:
        """Forget a list."""
        with self._lock:
            self._lists.pop(secret or "", None)

    def add(self, secret: str | None, entries: Sequence[Entry]) -> str:
        """Add recordings to a session's list, all or none, and return its secret.

        Args:
            secret: of the session; one without a list gets one, with a secret of its own.
            entries: the recordings.

        Raises:
            Refusal: there is no room for them, or for one more list.
        """
        with self._lock:
            self.check_room(secret, len(entries))
            worklist = self.find(secret)
            if worklist is None or secret is None:
                secret, worklist = secrets.token_urlsafe(32), Worklist(self._clock())
                self._lists[secret] = worklist
            worklist.entries.extend(entries)
            worklist.used = self._clock()
            return secret

    def check_room(self, secret: str | None, n: int) -> None:
        """Refuse more recordings, or more lists, than there is room for.

        Raises:
            Refusal: with what to do.
        """
        with self._lock:
            worklist, limits = self.find(secret), self._limits
            n_lists, own = len(self._lists), len(worklist.entries if worklist else [])
            everybody = sum(len(one.entries) for one in self._lists.values())
        if worklist is None and n_lists >= limits.lists:
            raise Refusal(
                503,
                f"{limits.lists} worklists are open, which is the limit. Clear one that is no "
                f"longer needed; each ends {limits.idle_s / 60:g} minutes after its last use.",
            )
        room = max(0, min(limits.list_rows - own, limits.all_rows - everybody))
        if n > room:
            raise Refusal(
                413,
                f"The worklist has room for {room} more recordings, and {n} came; none was added. "
                "Download the CSV, clear the list, then send them again.",
            )

    def _end_idle(self) -> None:
        oldest = self._clock() - self._limits.idle_s
        self._lists = {key: one for key, one in self._lists.items() if one.used >= oldest}
