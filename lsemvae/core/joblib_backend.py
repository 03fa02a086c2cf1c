"""Choose where joblib's jobs run."""

import contextlib
import multiprocessing
import os
import signal
from collections.abc import Iterator
from functools import cache
from typing import Any

from lsemvae.core.earlier_results import tell
from lsemvae.core.errors import InputError
from lsemvae.core.extras import install_extra

DASK_TIMEOUT = "30s"
JOBS_OF_A_CORE = 4  # some wait for a slow disk
MOST_OF_A_SMALL_MACHINE = 16
DEAD_WORKER = ("BrokenProcessPool", "TerminatedWorkerError", "KilledWorker")


def most_processes() -> int:
    """Return how many processes of one run this machine can bear."""
    return max(MOST_OF_A_SMALL_MACHINE, JOBS_OF_A_CORE * (os.cpu_count() or 1))


def check_jobs(jobs: int) -> None:
    """Check a number of processes before any work; all are started, however little there is to do.

    Raises:
        InputError: it is none, or so large that the processes would fill the memory.
    """
    if jobs < 1 and jobs != -1:
        raise InputError(f"jobs must be 1 or more, or -1 for one for each core; got {jobs}")
    most = most_processes()
    if jobs > most:
        raise InputError(
            f"jobs is {jobs}, and each is a process: they would fill the memory of this machine; "
            f"give {most} or less, or -1 for one for each core"
        )


@cache
def lacks_shared_memory() -> bool:
    """Tell whether processes can share nothing here: no /dev/shm, or one that cannot be written."""
    try:
        multiprocessing.Lock()
    except (ImportError, OSError):
        return True
    return False


def _threads_of_each(n_parallel: int) -> int | None:
    """Share this process's threads among its workers; joblib's own share where none are set."""
    threads = os.environ.get("OMP_NUM_THREADS", "")
    n_workers = n_parallel if n_parallel > 0 else os.cpu_count() or 1  # -1: one for each core
    return max(1, int(threads) // n_workers) if threads.isdigit() else None


def _environment_of_each(n_parallel: int) -> dict[str, str]:
    """Return what a Dask worker's environment must say: it would inherit the threads of all."""
    share = str(_threads_of_each(n_parallel) or 1)
    return dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), share)


@contextlib.contextmanager
def dead_workers_named() -> Iterator[None]:
    """Say in one line that a worker process died; joblib, loky and Dask each have an error for it.

    Raises:
        InputError: one died.
    """
    try:
        yield
    except Exception as error:
        if type(error).__name__ not in DEAD_WORKER:
            raise
        raise InputError(
            "a worker process died, most often killed for want of memory; what was finished is "
            "kept. Run the same command again, with fewer jobs or on a larger machine"
        ) from error


def _start_tracker() -> None:
    """Start joblib's own process for shared memory so that it outlives a terminal that is closed.

    It passes Ctrl-C and SIGTERM over and dies of SIGHUP; another one then prints a traceback for
    each thing that it does not know.
    """
    from joblib.externals.loky.backend import resource_tracker

    if not hasattr(signal, "SIGHUP"):
        return
    try:
        before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    except ValueError:  # not the main thread, which alone may do this
        return
    try:
        resource_tracker.ensure_running()
    finally:
        signal.signal(signal.SIGHUP, before)


@contextlib.contextmanager
def joblib_backend(n_parallel: int, dask: str | None) -> Iterator[None]:
    """Have joblib use processes of this machine, or a Dask cluster where one is named.

    Args:
        n_parallel: processes on this machine; a Dask cluster has its own number.
        dask: address of a Dask scheduler, or `local` for a cluster on this machine.

    Raises:
        InputError: Dask is not installed, the scheduler does not answer, or see `check_jobs`.
    """
    from joblib import parallel_config

    if dask in (None, "local"):
        check_jobs(n_parallel)
    if dask is None and lacks_shared_memory():
        if n_parallel != 1:
            tell("note: this system has no shared memory (/dev/shm), so one job runs at a time")
        with parallel_config(backend="sequential", n_jobs=1):
            yield
        return
    if dask is None:
        _start_tracker()
        with parallel_config(
            backend="loky", n_jobs=n_parallel, inner_max_num_threads=_threads_of_each(n_parallel)
        ):
            yield
        return
    try:
        from dask.distributed import Client, LocalCluster
    except ImportError as error:
        raise InputError(
            f"--dask needs the package distributed: {install_extra('dask')}"
        ) from error
    with contextlib.ExitStack() as stack:
        address: Any = dask
        if dask == "local":
            local: Any = LocalCluster  # the package has no types
            address = stack.enter_context(
                local(n_workers=n_parallel, threads_per_worker=1, dashboard_address="",
                      env=_environment_of_each(n_parallel))
            )  # fmt: skip
        try:
            client: Any = Client
            stack.enter_context(client(address, timeout=DASK_TIMEOUT))
        except (OSError, ValueError) as error:  # a ValueError: it is no address
            raise InputError(f"no Dask scheduler answers at {dask}: {error}") from error
        with parallel_config(backend="dask"):
            yield
