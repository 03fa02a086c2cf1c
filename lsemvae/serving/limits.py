"""Bound what a browser may ask of the page, and say no in one line."""

from dataclasses import dataclass

MEBIBYTE = 1 << 20


class Refusal(Exception):  # noqa: N818 (an answer, not a fault)
    """Refuse a request in one line.

    Args:
        status: of HTTP.
        line: what, got, expected, next step.
    """

    def __init__(self, status: int, line: str) -> None:
        super().__init__(line)
        self.status, self.line = status, line


@dataclass(frozen=True)
class Limits:
    """What is kept in memory at most.

    Attributes:
        request_bytes: of one upload, all files together; four uploads are taken in at once.
        request_files: of one upload.
        request_s: an upload that takes longer to arrive is given up.
        list_rows: recordings of one worklist.
        all_rows: recordings of all worklists; each takes about 0.1 MB.
        lists: worklists at once, one for each browser session.
        idle_s: a worklist ends so long after its last use.
    """

    request_bytes: int = 64 * MEBIBYTE
    request_files: int = 500
    request_s: float = 120.0
    list_rows: int = 500
    all_rows: int = 4000
    lists: int = 16
    idle_s: float = 3600.0

    def check_length(self, n_bytes: int) -> None:
        """Refuse an upload by its length, stated or counted.

        Raises:
            Refusal: it is larger than `request_bytes`.
        """
        if n_bytes > self.request_bytes:
            raise Refusal(
                413,
                f"The upload is larger than {self.request_bytes / MEBIBYTE:g} MB, so nothing of it "
                "was read. Send fewer files at a time; one ECG takes less than 2 MB.",
            )
