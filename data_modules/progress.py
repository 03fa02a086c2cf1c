"""Show how far a long loop is: a bar in a terminal, a line now and then elsewhere."""

import time
from collections.abc import Iterable, Iterator
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


def show_progress(blocks: Iterable[tuple[int, Block]], *, total: int, text: str) -> Iterator[Block]:
    """Pass blocks on and show their progress on stderr.

    Args:
        blocks: pairs of a count of records and the block that holds them.
        total: records in all blocks.
        text: what is being done.

    Yields:
        The blocks.
    """
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    start = told = time.monotonic()
    done = 0
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task(text, total=total, rate="")
        for count, block in blocks:
            yield block
            done += count
            now = time.monotonic()
            rate = done / max(now - start, 1e-9)
            bar.update(task, completed=done, rate=f"{rate:.0f}/s")
            if not console.is_terminal and now - told >= LINE_EVERY_S:
                told = now
                left = (total - done) / max(rate, 1e-9) / 60
                line = f"{text}: {done:,} of {total:,}, {rate:.0f}/s, {left:.0f} min left"
                console.print(line, highlight=False)
