"""Run independent jobs through joblib: processes of this machine, or a Dask cluster."""

import contextlib
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from time import monotonic
from typing import Any, NamedTuple

from joblib import Parallel, delayed

from lsemvae.core.errors import InputError
from lsemvae.core.joblib_backend import dead_workers_named, joblib_backend
from lsemvae.core.printable import one_line, say
from lsemvae.runtime.faults import (
    TOLD_TO_STOP,
    refused_by_machine,
    was_interrupted,
    was_told_to_stop,
)
from lsemvae.runtime.told_to_stop import StoppedBySignal


class Job(NamedTuple):
    """Something to do whose output goes to a file.

    Attributes:
        name: for the line that says it is done.
        log: file that gets what it prints.
        run: a function at the top level of a module.
        arguments: of the function, by name.
    """

    name: str
    log: Path
    run: Callable[..., Any]
    arguments: dict[str, Any]


class Outcome(NamedTuple):
    """How a job ended: `error` is None, or says in one line what went wrong."""

    name: str
    error: str | None


def run_jobs(jobs: Sequence[Job], n_parallel: int, dask: str | None = None) -> list[Outcome]:
    """Run all jobs; one that fails does not stop the others.

    Args:
        jobs: in any order; nothing is handed from one to another.
        n_parallel: jobs at the same time on this machine; a Dask cluster has its own number.
        dask: address of a Dask scheduler, or `local` for a cluster on this machine. Its workers
            must see the same files under the same names.
    """
    start, outcomes = monotonic(), []
    with dead_workers_named(), joblib_backend(n_parallel, dask):
        tasks = (delayed(_run)(job) for job in jobs)
        for outcome in Parallel(return_as="generator_unordered")(tasks):
            outcomes.append(outcome)
            failed = outcome.error is not None
            n_worked = sum(one.error is None for one in outcomes)
            left = _time_left(monotonic() - start, n_worked, len(jobs) - len(outcomes))
            why = f": {one_line(str(outcome.error))}" if failed else ""
            done = f"{'FAILED' if failed else 'done  '} {outcome.name}"
            say(f"{done} ({len(outcomes)} of {len(jobs)}{left}){why}", flush=True)
    return outcomes


def _time_left(seconds: float, n_worked: int, n_open: int) -> str:
    """Say how long the rest takes if it takes as long as what worked, empty where nothing says."""
    if not n_open or not n_worked:
        return ""
    minutes = seconds / n_worked * n_open / 60
    return f", about {minutes:.0f} min left" if minutes >= 1 else ", less than a minute left"


def _run(job: Job) -> Outcome:
    say(f"begun  {job.name}; it writes to {job.log}", flush=True)
    job.log.parent.mkdir(parents=True, exist_ok=True)
    with job.log.open("a") as log:
        try:
            with contextlib.redirect_stdout(log), contextlib.redirect_stderr(log):
                job.run(**job.arguments)
        except InputError as error:
            outcome = Outcome(job.name, str(error))
        except (Exception, SystemExit) as error:
            if isinstance(error, SystemExit) and (error.code == 130 or was_interrupted(error)):
                raise KeyboardInterrupt from error
            if isinstance(error, StoppedBySignal):
                raise
            if was_told_to_stop(error):
                raise SystemExit(TOLD_TO_STOP) from error
            told = refused_by_machine(error) if isinstance(error, OSError) else None
            if told is None:
                traceback.print_exc(file=log)
                told = f"{type(error).__name__}: {error}; see {job.log}"
            outcome = Outcome(job.name, told)
        else:
            outcome = Outcome(job.name, None)
    return outcome
