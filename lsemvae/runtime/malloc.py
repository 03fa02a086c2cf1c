"""Keep memory that a training step frees for the next one."""

import ctypes
import sys

M_TRIM_THRESHOLD, M_MMAP_MAX, M_ARENA_MAX = -1, -4, -8  # malloc.h of glibc


def keep_freed_memory() -> bool:
    """Let the process keep what a step frees for the next step, instead of returning it.

    By default glibc maps large blocks one by one and unmaps them when they are freed. A step of the
    full network on a CPU frees and asks again for several gigabytes, and the page faults take as
    long as its arithmetic (docs/performance.md). Call it before the first large allocation.

    Returns:
        Whether the C library took the settings; False where it is not glibc.
    """
    if sys.platform != "linux":
        return False
    library = ctypes.CDLL(None)
    if not hasattr(library, "mallopt") or not hasattr(library, "gnu_get_libc_version"):
        return False
    settings = ((M_MMAP_MAX, 0), (M_TRIM_THRESHOLD, -1), (M_ARENA_MAX, 1))
    return all(library.mallopt(option, value) == 1 for option, value in settings)
