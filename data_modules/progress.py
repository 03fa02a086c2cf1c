"""Show how far a long loop is: a bar in a terminal, a line now and then elsewhere."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

LINE_EVERY_S = 30.0

Block = TypeVar("Block")
Report = Callable[[int, int], None]


@contextmanager
def counted_progress(text: str, *, already: int = 0) -> Iterator[Report]:
    """Give a function that shows on stderr how many of how many records are done.

    Args:
        text: what is being done.
        already: records that were done before, which tell nothing about the rate.

    Yields:
        A function of the records done and all records.
    """
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(),
        TextColumn("passed,"),
        TimeRemainingColumn(),
        TextColumn("left"),
    )
    start = told = time.monotonic()
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task(text, total=None, completed=already, rate="")

        def report(done: int, total: int) -> None:
            nonlocal told
            now = time.monotonic()
            rate = (done - already) / max(now - start, 1e-9)
            bar.update(task, completed=done, total=total, rate=_shown(rate))
            if not console.is_terminal and now - told >= LINE_EVERY_S:
                told = now
                left = _minutes((total - done) / max(rate, 1e-9))
                line = f"{text}: {done:,} of {total:,}, {_shown(rate)}, {left} left"
                console.print(line, highlight=False)

        yield report


def _shown(rate: float) -> str:
    """Return a rate as people read it: 0.4/s is not 0/s."""
    return f"{rate:.0f}/s" if rate >= 10 else f"{rate:.1f}/s"


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds >= 60 else "less than a minute"


def show_each(items: Sequence[Block], *, text: str) -> Iterator[Block]:
    """Pass items on one by one and show on stderr how many are done."""
    return show_progress(((1, item) for item in items), total=len(items), text=text)


def show_progress(blocks: Iterable[tuple[int, Block]], *, total: int, text: str) -> Iterator[Block]:
    """Pass blocks on and show their progress on stderr.

    Args:
        blocks: pairs of a count of records and the block that holds them.
        total: records in all blocks.
        text: what is being done.

    Yields:
        The blocks.
    """
    done = 0
    with counted_progress(text) as report:
        for count, block in blocks:
            yield block
            done = min(done + count, total)  # the last block may be smaller
            report(done, total)
