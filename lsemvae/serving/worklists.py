"""Keep a worklist for each browser session, in memory, for a while."""

import secrets
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

    def find(self, secret: str | None) -> Worklist | None:
        """Return a session's list and prolong its life; None where there is none any more."""
        self._end_idle()
        found = self._lists.get(secret or "")
        if found is not None:
            found.used = self._clock()
        return found

    def begin(self) -> tuple[str, Worklist]:
        """Begin a list and return its secret.

        Raises:
            Refusal: there are too many.
        """
        self._end_idle()
        if len(self._lists) >= self._limits.lists:
            raise Refusal(
                503,
                f"{self._limits.lists} worklists are open, which is the limit. Clear one that is "
                f"no longer needed; each ends {self._limits.idle_s / 60:g} minutes after its last "
                "use.",
            )
        secret = secrets.token_urlsafe(32)
        self._lists[secret] = Worklist(self._clock())
        return secret, self._lists[secret]

    def end(self, secret: str | None) -> None:
        """Forget a list."""
        self._lists.pop(secret or "", None)

    def room(self, worklist: Worklist) -> int:
        """Return how many recordings a list may still take."""
        everybody = sum(len(one.entries) for one in self._lists.values())
        own = self._limits.list_rows - len(worklist.entries)
        return max(0, min(own, self._limits.all_rows - everybody))

    def add(self, worklist: Worklist, entries: Sequence[Entry]) -> None:
        """Add recordings to a list, all or none.

        Raises:
            Refusal: they are more than there is room for.
        """
        self.check_room(worklist, len(entries))
        worklist.entries.extend(entries)
        worklist.used = self._clock()

    def check_room(self, worklist: Worklist, n: int) -> None:
        """Refuse more recordings than there is room for.

        Raises:
            Refusal: with what to do.
        """
        room = self.room(worklist)
        if n > room:
            raise Refusal(
                413,
                f"The worklist has room for {room} more recordings, and {n} came; none was added. "
                "Download the CSV, clear the list, then send them again.",
            )

    def _end_idle(self) -> None:
        oldest = self._clock() - self._limits.idle_s
        self._lists = {key: one for key, one in self._lists.items() if one.used >= oldest}
