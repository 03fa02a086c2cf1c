"""Settle how many threads compute and how they wait, before torch is imported.

A library reads these settings once, when it is loaded. By default OpenMP takes every core that it
sees and lets its threads spin while they wait; beside other work, or under a container's quota,
spinning threads take the time that the working ones need (figures: docs/performance.md).
"""

import math
import os
import re
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from lsemvae.core.counted import counted
from lsemvae.core.errors import InputError

# What a user sets to choose for themselves; each library has a name of its own.
COUNT_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
WAIT_VARIABLE = "OMP_WAIT_POLICY"
CHOSEN_VARIABLE = "LSEMVAE_CHOSEN_THREADS"  # tells a number of ours from a user's
SAMPLE_S = 0.1  # ten ticks of the kernel's clock for each core
_COUNT = re.compile(r"\s*0*[1-9][0-9]{0,4}\s*(,\s*[0-9]+\s*)*")
SLURM_VARIABLE = "SLURM_CPUS_PER_TASK"


class Threads(NamedTuple):
    """How many threads compute, of how many cores.

    Attributes:
        n_threads: chosen.
        n_granted: cores that this process may use.
        n_busy: cores' worth of work that others do there, rounded.
    """

    n_threads: int
    n_granted: int
    n_busy: int

    def __str__(self) -> str:
        return (
            f"others keep {counted(self.n_busy, 'core')} busy; "
            f"computing on {counted(self.n_threads, 'thread')} of "
            f"{self.n_granted} (OMP_NUM_THREADS={self.n_granted} takes all)"
        )


def settle_threads() -> Threads | None:
    """Choose the number of threads and how they wait, unless the user has.

    Threads sleep when they wait (`OMP_WAIT_POLICY=PASSIVE`), and there are as many as cores are
    granted and free, at least one.

    Returns:
        What was chosen; None where the user has chosen, or torch is loaded and it is too late.

    Raises:
        InputError: what the user has set is no number of threads.
    """
    if "torch" in sys.modules:
        return None
    os.environ.setdefault(WAIT_VARIABLE, "PASSIVE")
    if _users_choice():
        return None
    cores = usable_cores()
    n_granted = granted_cores(len(cores), os.environ, Path("/sys/fs/cgroup"), own_cgroup())
    n_busy = round(busy_cores(cores))
    chosen = Threads(max(1, min(n_granted, len(cores) - n_busy)), n_granted, n_busy)
    for name in (*COUNT_VARIABLES, CHOSEN_VARIABLE):
        os.environ[name] = str(chosen.n_threads)
    return chosen


def _users_choice() -> bool:
    """Tell whether the user has chosen a number of threads; an empty variable says nothing.

    Raises:
        InputError: one is no number; the libraries would take all cores, or stop.
    """
    for name in COUNT_VARIABLES:
        text = os.environ.get(name, "")
        if not text.strip():
            os.environ.pop(name, None)
        elif not _COUNT.fullmatch(text):
            raise InputError(
                f"{name}={text!r} in the environment is no number of threads; set it to a whole "
                "number from 1, or unset it"
            )
    return any(name in os.environ for name in COUNT_VARIABLES)


def threads_of_environment() -> int:
    """Return the number of threads that OMP_NUM_THREADS states, 0 where it states none.

    OpenMP takes a list, too, such as `4,2`: the first is what this program uses.
    """
    text = os.environ.get(COUNT_VARIABLES[0], "")
    return int(text.split(",")[0]) if _COUNT.fullmatch(text) else 0


def share_threads(n_processes: int) -> int | None:
    """Divide the chosen threads among processes that are started with this environment.

    Returns:
        The threads of each, at least one; None where the user has chosen, which stays.
    """
    chosen = os.environ.pop(CHOSEN_VARIABLE, None)
    if chosen is None or os.environ.get(COUNT_VARIABLES[0]) != chosen:
        return None
    share = max(1, int(chosen) // n_processes)
    for name in COUNT_VARIABLES:
        os.environ[name] = str(share)
    return share


def usable_cores() -> set[int]:
    """Return the cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return set(os.sched_getaffinity(0))
    return set(range(os.cpu_count() or 1))


def granted_cores(n_cores: int, environment: Mapping[str, str], root: Path, group: str) -> int:
    """Return how many cores' worth of time this process is granted, at least one.

    Args:
        n_cores: cores that it may run on.
        environment: may hold SLURM's number for a task.
        root: where control groups are mounted.
        group: of this process, below the root; a quota of any group above it counts too.
    """
    limits = [float(n_cores)]
    task = environment.get(SLURM_VARIABLE, "")
    if task.isdigit():
        limits.append(float(task))
    folder = root / group.strip("/")
    for place in (folder, *folder.parents):
        limits += _quota(place)
        if place == root:
            break
    return max(1, math.floor(min(limits)))


def own_cgroup() -> str:
    """Return the path of this process's control group, the root where there is none."""
    try:
        lines = Path("/proc/self/cgroup").read_text().splitlines()
    except OSError:
        return "/"
    return next((line[3:] for line in lines if line.startswith("0::")), "/")


def _quota(folder: Path) -> list[float]:
    """Return the quota of a control group in cores, of version 2 or 1; nothing where unlimited."""
    try:
        if (folder / "cpu.max").is_file():
            quota, period = (folder / "cpu.max").read_text().split()
        else:
            quota = (folder / "cpu/cpu.cfs_quota_us").read_text()
            period = (folder / "cpu/cpu.cfs_period_us").read_text()
        granted = float(quota) / float(period)
    except (OSError, ValueError):  # none, or "max"
        return []
    return [granted] if granted > 0 else []


def busy_cores(cores: set[int]) -> float:
    """Return how many of these cores' worth of work is being done, looked at for a moment.

    The load of the last minute where the system does not tell more (macOS); zero where it tells
    nothing (Windows).
    """
    before = _busy_seconds(cores)
    if before is None:
        return os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    started = time.monotonic()
    time.sleep(SAMPLE_S)
    after = _busy_seconds(cores)
    return 0.0 if after is None else (after - before) / (time.monotonic() - started)


def _busy_seconds(cores: set[int]) -> float | None:
    """Return the seconds that cores have worked since the machine was started."""
    try:
        lines = Path("/proc/stat").read_text().splitlines()
    except OSError:
        return None
    ticks = 0
    for line in lines:
        name, *times = line.split()
        if name.startswith("cpu") and name[3:].isdigit() and int(name[3:]) in cores:
            numbers = [int(one) for one in times[:8]]  # those after are in user time already
            ticks += sum(numbers) - numbers[3] - numbers[4]  # idle, waiting for a disk
    return ticks / os.sysconf("SC_CLK_TCK")
