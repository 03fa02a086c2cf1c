"""Run trials: each is a `lsemvae fit` in a process of its own, watched through its log."""

import csv
import math
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from optuna.trial import Trial, TrialState

from lsemvae.core.printable import say
from lsemvae.sweep.command import folder_flags, option_flags
from lsemvae.sweep.space import short_name
from lsemvae.sweep.study import EXIT_CODE, NOTE, SweepState

LOG, METRICS_FILE = "log.txt", "metrics.csv"
SECONDS_BETWEEN_LOOKS = 0.5
SECONDS_TO_STOP = 60.0  # for a checkpoint of 3 GB on a slow disk, after which the process is killed
# Linux ends the training when the sweep is killed (prctl 1 is PR_SET_PDEATHSIG).
LAUNCH = (
    "import ctypes, os, signal, sys\n"
    "if sys.platform == 'linux': ctypes.CDLL(None).prctl(1, signal.SIGTERM)\n"
    "os.execv(sys.executable, [sys.executable, '-m', 'lsemvae', *sys.argv[1:]])"
)
QUIET = ["--trainer.enable_progress_bar=false", "--trainer.enable_model_summary=false"]
ANEW = "--overwrite=true"  # an interrupted trial begins again in its own folder


class InterruptedTrialError(Exception):
    """The sweep was asked to stop while a trial ran."""


class Ending(NamedTuple):
    """How a trial ended.

    Attributes:
        state: COMPLETE, PRUNED or FAIL.
        value: the metric of the last epoch, None where the trial failed.
        note: why it failed, or nothing.
    """

    state: TrialState
    value: float | None = None
    note: str = ""


def run_trials(state: SweepState, jobs: int) -> None:
    """Run trials until the sweep is done, several at the same time.

    Those of an earlier start whose process ended badly are run again.
    """
    state.retry_failed()
    stop = threading.Event()
    with ThreadPoolExecutor(jobs) as pool:
        workers = [pool.submit(_work, state, stop) for _ in range(jobs)]
        try:
            for worker in workers:
                worker.result()
        finally:
            stop.set()


def _work(state: SweepState, stop: threading.Event) -> None:
    while not stop.is_set() and (claim := state.claim()) is not None:
        trial = claim.trial
        point = ", ".join(f"{short_name(name)} {value}" for name, value in trial.params.items())
        epochs = state.trial_folder(trial.number) / METRICS_FILE
        say(f"trial {trial.number} begun, {point}; epochs: {epochs}", flush=True)
        with claim.lock:
            try:
                ending = _run(state, trial, stop)
            except InterruptedTrialError:
                return  # it stays marked as running: the next start finds it and puts it back
            trial.set_user_attr(NOTE, ending.note)
            told = ending.value if ending.state == TrialState.COMPLETE else None
            state.study().tell(trial.number, told, state=ending.state)
        value = "" if ending.value is None else f" {state.sweep.metric} {ending.value:.4g}"
        say(f"trial {trial.number} {ending.state.name}{value} {ending.note}".rstrip(), flush=True)


def _run(state: SweepState, trial: Trial, stop: threading.Event) -> Ending:
    folder = state.trial_folder(trial.number)
    command = [sys.executable, "-c", LAUNCH, "fit", *state.sweep.arguments,
               *option_flags(trial.params), *folder_flags(folder), *QUIET,
               ANEW]  # fmt: skip
    with (folder / LOG).open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
        try:
            return _watch(state, trial, process, stop)
        finally:
            _end(process)


def _watch(
    state: SweepState, trial: Trial, process: subprocess.Popen[bytes], stop: threading.Event
) -> Ending:
    """Report every epoch to the early stopping, until the training ends or is stopped."""
    metrics = state.trial_folder(trial.number) / METRICS_FILE
    reported: dict[int, float] = {}
    ended = False
    while not ended:
        ended = process.poll() is not None
        for epoch, value in read_epochs(metrics, state.sweep.metric).items():
            if epoch in reported:
                continue
            reported[epoch] = value
            trial.report(value, epoch)
            if not ended and trial.should_prune():
                return Ending(TrialState.PRUNED, value, f"stopped after epoch {epoch}")
        if stop.is_set() and not ended:
            raise InterruptedTrialError
        stop.wait(0.0 if ended else SECONDS_BETWEEN_LOOKS)
    return _ending(process.returncode, reported, state, trial)


def _ending(code: int, reported: dict[int, float], state: SweepState, trial: Trial) -> Ending:
    if code != 0:
        log = state.trial_folder(trial.number) / LOG
        lines = [line.strip() for line in log.read_text(errors="replace").splitlines()]
        said = [line for line in lines if line.startswith("error: ")] or lines[-1:]
        return Ending(TrialState.FAIL, note=f"{EXIT_CODE} {code}: {' '.join(said[-1:])}")
    if not reported:
        return Ending(TrialState.FAIL, note=f"{state.sweep.metric} was never logged")
    last = reported[max(reported)]
    if not math.isfinite(last):
        return Ending(TrialState.FAIL, note=f"{state.sweep.metric} is {last}")
    return Ending(TrialState.COMPLETE, last)


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(SECONDS_TO_STOP)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def read_epochs(file: Path, metric: str) -> dict[int, float]:
    """Return a metric by epoch, counted from 1, from a CSV log that may be in mid-writing."""
    if not file.is_file():
        return {}
    lines = file.read_text().splitlines(keepends=True)
    found = {}
    for row in csv.DictReader(line for line in lines if line.endswith("\n")):
        if row.get(metric) and row.get("epoch"):
            found[int(row["epoch"]) + 1] = float(str(row[metric]))
    return found
