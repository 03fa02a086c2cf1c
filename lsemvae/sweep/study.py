"""Keep the state of a sweep: an Optuna study in a journal that several processes share."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import IO, NamedTuple

import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler
from optuna.trial import FrozenTrial, Trial, TrialState, create_trial

from lsemvae.core.errors import InputError
from lsemvae.sweep.file import SweepFile
from lsemvae.sweep.journal import locked, open_journal
from lsemvae.sweep.space import grid_size, pruner, sampler, search_space

JOURNAL, LOCK = "journal.log", "lock"
RETRY_OF, NOTE = "retry_of", "note"
EXIT_CODE = "exit code"  # begins the note of a trial whose process ended badly
GRID_MARKS = ("grid_id", "search_space")  # GridSampler's marks of a point


class Claim(NamedTuple):
    """A trial to run, and the lock that tells others that it runs."""

    trial: Trial
    lock: IO[bytes]


@dataclass(frozen=True)
class SweepState:
    """A sweep with its folder; every process and thread opens the study for itself.

    Attributes:
        sweep: what is tried.
        folder: of the sweep.
        n_trials: trials that finish the sweep, None where the file's own number counts.
        seed: of the engine.
        data: names the recordings, for readers.
    """

    sweep: SweepFile
    folder: Path
    n_trials: int | None = None
    seed: int = 0
    data: str = ""

    @property
    def space(self) -> dict[str, BaseDistribution]:
        """Return the distribution of every parameter."""
        return search_space(self.sweep)

    @property
    def cap(self) -> int:
        """Return the number of trials after which the sweep is done.

        Raises:
            InputError: random and bayes have no end of their own.
        """
        limits = [self.n_trials or self.sweep.run_cap or math.inf]
        if self.sweep.method == "grid":
            limits.append(grid_size(self.space))
        if math.isinf(min(limits)):
            raise InputError(
                f"a {self.sweep.method} sweep has no end: give run_cap in the file, or --trials"
            )
        return int(min(limits))

    def trial_folder(self, number: int) -> Path:
        """Return the folder of a trial."""
        return self.folder / f"trial_{number}"

    def study(self, engine: BaseSampler | None = None) -> optuna.Study:
        """Open the study, making it where there is none."""
        return optuna.create_study(
            storage=open_journal(self.folder / JOURNAL),
            study_name=self.sweep.name,
            direction=self.sweep.goal,
            sampler=engine,
            pruner=pruner(self.sweep.early_terminate),
            load_if_exists=True,
        )

    def claim(self) -> Claim | None:
        """Return the next trial to run, None where nothing is left.

        One process at a time is in here. A trial whose process is gone is put back first. The seed
        of the engine moves with the number of trials: two processes never draw alike, and one
        process draws the same after a restart.
        """
        with locked(self.folder / LOCK):
            plain = self.study()
            self._put_back(plain)
            known = plain.get_trials(deepcopy=False)
            waiting = any(trial.state == TrialState.WAITING for trial in known)
            if not waiting and len(told_once(known)) >= self.cap:
                return None
            engine = sampler(self.sweep.method, self.space, self.seed + len(known))
            trial = self.study(engine).ask(self.space)
            return Claim(trial, self._lock(trial.number))

    def retry_failed(self) -> None:
        """Queue the points again whose process ended badly: on a full disk, or out of memory.

        A trial whose metric was no number is not run again: it would end alike.
        """
        with locked(self.folder / LOCK):
            study = self.study()
            for trial in told_once(study.get_trials(deepcopy=False)):
                badly = str(trial.user_attrs.get(NOTE, "")).startswith(EXIT_CODE)
                if trial.state == TrialState.FAIL and badly:
                    self._queue_again(study, trial)

    def _lock(self, number: int, *, wait: bool = True) -> IO[bytes]:
        """Return the lock of a trial, whose folder is missing where a kill came before it."""
        self.trial_folder(number).mkdir(exist_ok=True)
        return locked(self.trial_folder(number) / LOCK, wait=wait)

    def _put_back(self, study: optuna.Study) -> None:
        """Queue the point of every running trial that nobody runs any more.

        A trial may end between the list and its lock, so its state is read again under the lock.
        """
        for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            try:
                with self._lock(trial.number, wait=False):
                    now = study.get_trials(deepcopy=False)[trial.number]
                    if now.state == TrialState.RUNNING:
                        self._retry(study, trial)
            except BlockingIOError:
                continue

    def _retry(self, study: optuna.Study, trial: FrozenTrial) -> None:
        """Queue the point again first: whoever is killed in between loses none."""
        if trial.number not in _retried(study.get_trials(deepcopy=False)):
            self._queue_again(study, trial)
        study.tell(trial.number, state=TrialState.FAIL)

    @staticmethod
    def _queue_again(study: optuna.Study, trial: FrozenTrial) -> None:
        """Queue the point, or a trial that chooses its own where none was chosen before a kill."""
        marks = {
            name: trial.system_attrs[name] for name in GRID_MARKS if name in trial.system_attrs
        }
        chosen = {"fixed_params": trial.params} if trial.params else {}
        study.add_trial(
            create_trial(
                state=TrialState.WAITING,
                params=trial.params,
                distributions=trial.distributions,
                system_attrs={**marks, **chosen},
                user_attrs={RETRY_OF: trial.number},
            )
        )


def told_once(trials: list[FrozenTrial]) -> list[FrozenTrial]:
    """Return the trials without those that stand again elsewhere: cut off, or ended badly."""
    again = _retried(trials)
    return [trial for trial in trials if trial.number not in again]


def _retried(trials: list[FrozenTrial]) -> set[int]:
    return {trial.user_attrs[RETRY_OF] for trial in trials if RETRY_OF in trial.user_attrs}
