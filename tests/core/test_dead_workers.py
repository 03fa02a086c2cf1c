"""A worker process that is killed is one line, whoever ran it."""

import os
import signal
import time

import pytest
from joblib import Parallel, delayed
from joblib.externals.loky.backend import resource_tracker

from lsemvae.core.errors import InputError
from lsemvae.core.joblib_backend import dead_workers_named, joblib_backend


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def run_killed_workers() -> None:
    with dead_workers_named():
        Parallel(n_jobs=2)(delayed(die)() for _ in range(2))


def raise_killed_worker() -> None:
    killed = type("KilledWorker", (Exception,), {})
    with dead_workers_named():
        raise killed("task died")


def fail() -> None:
    with dead_workers_named():
        raise ZeroDivisionError


def test_killed_workers_are_named() -> None:
    for run in (run_killed_workers, raise_killed_worker):
        with pytest.raises(InputError, match="a worker process died"):
            run()


def test_other_errors_pass() -> None:
    with pytest.raises(ZeroDivisionError):
        fail()


def test_the_process_for_shared_memory_outlives_a_closed_terminal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Another one would print a traceback for each thing that it does not know."""
    tracker = resource_tracker.ResourceTracker()
    monkeypatch.setattr(resource_tracker, "ensure_running", tracker.ensure_running)
    with joblib_backend(2, None):
        os.kill(tracker._pid, signal.SIGHUP)
        time.sleep(0.05)
        assert os.waitpid(tracker._pid, os.WNOHANG) == (0, 0)
    tracker._stop()
