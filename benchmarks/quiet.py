"""Find the moments in which nothing else runs on a shared machine."""

import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

STAT = Path("/proc/stat")
TICK = 0.01  # s, of the counters in /proc/stat
OTHERS = 0.05
"""Share of all cores that other programs may take while a step counts as undisturbed."""


class Timed(NamedTuple):
    """Seconds of a call, and the share of all cores that others took meanwhile."""

    seconds: float
    others: float


def busy_seconds() -> tuple[float, int]:
    """Return the CPU seconds of the machine so far, those a hypervisor took included, and cores."""
    lines = [line.split() for line in STAT.read_text().splitlines() if line.startswith("cpu")]
    user, nice, system, _, _, irq, softirq, steal = (int(field) for field in lines[0][1:9])
    return (user + nice + system + irq + softirq + steal) * TICK, len(lines) - 1


def timed(function: Callable[[], Any]) -> Timed:
    """Time a call and what ran beside it; where the system does not tell, others are taken as 0."""
    if not STAT.exists():
        start = time.perf_counter()
        function()
        return Timed(time.perf_counter() - start, 0.0)
    busy, n_cores = busy_seconds()
    own, start = time.process_time(), time.perf_counter()
    function()
    seconds, own = time.perf_counter() - start, time.process_time() - own
    others = busy_seconds()[0] - busy - own - n_cores * TICK  # one tick per core is not known
    return Timed(seconds, max(0.0, others) / (seconds * n_cores))


def undisturbed(steps: Iterable[Sequence[float]]) -> list[Timed]:
    """Return the calls beside which nothing else ran."""
    return [Timed(*step) for step in steps if Timed(*step).others <= OTHERS]


def counted(steps: Iterable[Sequence[float]]) -> tuple[list[float], float]:
    """Return the seconds of the calls that count, and the most that others took beside them.

    Where every call was disturbed, all of them count, and the second number tells.
    """
    every = [Timed(*step) for step in steps]
    chosen = undisturbed(every) or every
    return [step.seconds for step in chosen], max(step.others for step in chosen)


def repeat(function: Callable[[], Any], enough: int, patience_s: float) -> list[Timed]:
    """Call until enough calls were undisturbed, twice as often at most."""
    steps: list[Timed] = []
    while len(steps) < 2 * enough and len(undisturbed(steps)) < enough:
        wait_for_quiet(patience_s)
        steps.append(timed(function))
    return steps


def wait_for_quiet(patience_s: float) -> None:
    """Sleep until others leave the machine alone for half a second, or patience ends."""
    end = time.perf_counter() + patience_s
    while time.perf_counter() < end and timed(lambda: time.sleep(0.5)).others > OTHERS:
        pass
