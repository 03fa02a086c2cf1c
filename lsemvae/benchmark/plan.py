"""List what a benchmark compares as independent jobs."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from data_modules.dataset import EcgPool
from data_modules.store.read import EcgStore
from lsemvae.benchmark.budget import Budget
from lsemvae.benchmark.pretraining_check import check_pretraining
from lsemvae.core.counted import counted
from lsemvae.core.errors import InputError
from lsemvae.core.leads import parse_leads
from lsemvae.core.made_with import refuse_other_settings
from lsemvae.core.printable import say
from lsemvae.core.sealed_json import read_json, write_json
from lsemvae.core.targets import find_target, task_folder
from lsemvae.core.tasks import Thresholds
from lsemvae.crossval.encoders import (
    PretrainSettings,
    encoder_file,
    is_pretrained,
    pretrain_encoder,
)
from lsemvae.crossval.jobs import Job, run_jobs
from lsemvae.crossval.permuted import labelled_cohort
from lsemvae.crossval.printed import run_and_print
from lsemvae.crossval.settings import CvSettings
from lsemvae.models.methods import encoder_method, find_method, method_name
from lsemvae.references.printed import run_with_references

PLAN = "benchmark.json"


@dataclass(frozen=True)
class Plan:
    """What a benchmark compares, and on what.

    Attributes:
        cohort: store of the labelled recordings, an absolute path.
        pretrain: stores for pre-training, absolute paths.
        tasks: names.
        methods: names, class paths and absolute paths of YAML files, in the order of the tables.
        leads: what `parse_leads` takes: 12, 6 or names joined by commas.
        budget: what training may cost.
        folds: number of folds.
        batch_size: recordings per step of a fold.
        seed: of folds and training.
        allow_leakage: go on although pre-training saw patients or recordings of the cohort.
        references: compare every frozen encoder with its untrained twins and the like.
        distinct_ids: patient ids that differ only as they are written are different people.
        thresholds: that define the tasks.
        fold_column: column of the table with the folds; None draws them.
    """

    cohort: str
    pretrain: tuple[str, ...]
    tasks: tuple[str, ...]
    methods: tuple[str, ...]
    leads: tuple[int | str, ...]
    budget: Budget
    folds: int
    batch_size: int
    seed: int
    allow_leakage: bool = False
    references: bool = False
    distinct_ids: bool = False
    thresholds: Thresholds = Thresholds()
    fold_column: str | None = None

    def settings(self) -> list[CvSettings]:
        """Return the settings of every cross-validation.

        Raises:
            InputError: names every option that is out of range.
        """
        if self.budget.pretrain_epochs is not None and self.budget.pretrain_epochs < 1:
            raise InputError(f"pretrain_epochs must be >= 1, got {self.budget.pretrain_epochs}")
        return [self._settings(*one) for one in self.combinations()]

    def check(self, folder: Path) -> None:
        """Refuse what would fail in every run, before the first one starts.

        Args:
            folder: of the results.

        Raises:
            InputError: methods that are pre-trained without recordings for it, or with recordings
                that do not go with the cohort; a task that the cohort has no labels for, or a
                column of folds that is not there.
        """
        needy = [name for name in self.methods if _is_pretrained_here(name)]
        if needy and not self.pretrain:
            raise InputError(
                f"{', '.join(needy)} are pre-trained: name stores of recordings with --pretrain, "
                "or leave them out with --methods"
            )
        cohorts = [
            labelled_cohort(
                self.cohort, task, thresholds=self.thresholds, distinct_ids=self.distinct_ids,
                splits=str(folder / "cv" / task_folder(task) / "splits.json"),
                fold_column=self.fold_column,
            )
            for task in self.tasks
        ]  # fmt: skip
        asked = pd.concat([cohort.labelled()["row"] for cohort in cohorts]).unique()
        if needy:
            check_pretraining(
                self.pretrain, cohorts[0].pool, asked, allow_leakage=self.allow_leakage
            )

    def check_folder(self, folder: Path) -> None:
        """Refuse a folder that holds a benchmark of other data or another budget.

        Tasks, methods and lead sets may be added to it, and stores may have been moved.

        Raises:
            InputError: names the differences.
        """
        file = folder / PLAN
        if not file.is_file():
            return
        names = ("budget", "folds", "batch_size", "seed", "thresholds", "fold_column")
        asked = self.described()
        earlier = {"thresholds": asdict(Thresholds())}  # of plans before there was a choice
        earlier |= read_json(file, "remove it, and run the same command again")
        if "data" not in earlier:  # an earlier version's: folds and encoders compare the contents
            asked["data"], earlier["data"] = _store_names(asked), _store_names(earlier)
        refuse_other_settings(
            f"{folder} holds a benchmark with other settings", earlier,
            {name: asked[name] for name in ("data", *names)}, "choose another --out",
        )  # fmt: skip

    def described(self) -> dict[str, Any]:
        """Return the plan with what its stores hold, ready for JSON."""
        pool = EcgPool(list(self.pretrain)).sha256 if self.pretrain else None
        data = {"cohort": EcgStore(self.cohort).sha256, "pretrain": pool}
        return {**asdict(self), "data": data}

    def encoder_jobs(self, folder: Path) -> list[Job]:
        """Return the pre-trainings."""
        settings = PretrainSettings(
            stores=self.pretrain,
            size=self.budget.size,
            epochs=self.budget.pretrain_epochs,
            batch_size=self.budget.pretrain_batch_size,
            lr=self.budget.pretrain_lr,
            num_workers=self.budget.num_workers,
            seed=self.seed,
        )
        return [
            Job(
                _encoder_job_name(name),
                _folder_of(folder, name) / "log.txt",
                pretrain_encoder,
                {"method": name, "folder": _folder_of(folder, name), "settings": settings},
            )
            for name in dict.fromkeys(
                _encoder_method(folder, name)
                for _, name, _ in self.combinations()
                if _is_pretrained_here(name)
            )
        ]

    def fold_jobs(self, folder: Path, *, pretrained: bool) -> list[Job]:
        """Return the cross-validations of frozen encoders, or of networks trained end to end."""
        return [
            self._fold_job(folder, task, name, leads)
            for task, name, leads in self.combinations()
            if _is_pretrained_here(name) == pretrained
        ]

    def combinations(self) -> list[tuple[str, str, int | str]]:
        """Return every task, method and lead set that goes together."""
        return [
            (task, name, leads)
            for name in self.methods
            for task in self.tasks
            for leads in self.leads
            if find_method(name).takes(parse_leads(leads))
        ]

    @property
    def n_runs(self) -> int:
        """Number of cross-validations."""
        return len(self.combinations())

    def without_references(self) -> str:
        """Return a sentence on the runs that --references has nothing for; empty where none is.

        Raises:
            InputError: it has nothing for any of them.
        """
        asked = dict.fromkeys((task, name) for task, name, _ in self.combinations())
        left = [one for one in asked if not _can_be_compared(*one)]
        if not self.references or not left:
            return ""
        rule = "--references compares frozen encoders that are pre-trained here, on one yes or no"
        if len(left) == len(asked):
            raise InputError(f"{rule}; none of the methods and tasks is that: leave it out")
        named = ", ".join(f"{task} by {method_name(name)}" for task, name in left)
        return f"note: {rule}; without a comparison: {named}"

    def _settings(self, task: str, method: str, leads: int | str) -> CvSettings:
        return CvSettings(
            task=task,
            leads=leads,
            method=method,
            folds=self.folds,
            epochs=self.budget.epochs,
            batch_size=self.batch_size,
            lr=self.budget.lr,
            size=self.budget.size,
            seed=self.seed,
            distinct_ids=self.distinct_ids,
            thresholds=self.thresholds,
            fold_column=self.fold_column,
        )

    def _fold_job(self, folder: Path, task: str, method: str, leads: int | str) -> Job:
        encoder = str(encoder_file(_encoder_folder(folder, method)))
        arguments = {
            "settings": self._settings(task, method, leads),
            "cohort": self.cohort,
            "out": folder / "cv",
            "encoder": encoder if _is_pretrained_here(method) else None,
            "allow_leakage": self.allow_leakage,
        }
        log = folder / "logs" / f"{task_folder(task)}_{method_name(method)}_{leads}.txt"
        compared = self.references and _can_be_compared(task, method)
        run = run_with_references if compared else run_and_print
        return Job(run_name(task, method, leads), log, run, arguments)


def run_name(task: str, method: str, leads: int | str) -> str:
    """Name a cross-validation in lines for people."""
    return f"{task}, {method_name(method)}, {leads} leads"


def _store_names(plan: dict[str, Any]) -> dict[str, Any]:
    """Return the names of a plan's stores without their folders."""
    return {
        "cohort": Path(plan["cohort"]).name,
        "pretrain": [Path(store).name for store in plan["pretrain"]],
    }


def _is_pretrained_here(name: str) -> bool:
    """Tell whether the benchmark pre-trains the encoder of a method; others bring their own."""
    method = find_method(name)
    return method.pretrained and method.encoder_file is None


def _can_be_compared(task: str, method: str) -> bool:
    """Tell whether `--references` has something for a task and a method."""
    return find_target(task).kind == "binary" and _is_pretrained_here(method)


def _encoder_job_name(method: str) -> str:
    return f"pre-training {method_name(method)}"


def _encoder_method(folder: Path, method: str) -> str:
    """Return the method whose pre-training another one takes: its own, where that is finished."""
    return method if is_pretrained(_folder_of(folder, method)) else encoder_method(method)


def _encoder_folder(folder: Path, method: str) -> Path:
    return _folder_of(folder, _encoder_method(folder, method))


def _folder_of(folder: Path, method: str) -> Path:
    return folder / "encoders" / method_name(method)


def run_plan(plan: Plan, folder: Path, *, jobs: int, dask: str | None) -> dict[str, str]:
    """Do what is missing: encoders beside networks trained end to end, then frozen encoders.

    Args:
        plan: checked.
        folder: of the results, absolute.
        jobs: at the same time on this machine.
        dask: see `run_jobs`.

    Returns:
        What went wrong, by name of the job; the others are done. A method whose encoder is not
        finished is not cross-validated.

    Raises:
        InputError: the folder holds a benchmark of something else.
    """
    plan.check_folder(folder)
    write_json(folder / PLAN, plan.described())
    first = plan.encoder_jobs(folder) + plan.fold_jobs(folder, pretrained=False)
    failed = _run_part(first, jobs, dask)
    ready, waiting = [], {}
    for job in plan.fold_jobs(folder, pretrained=True):
        method = job.arguments["settings"].method
        if _encoder_job_name(_encoder_method(folder, method)) in failed or not is_pretrained(
            _encoder_folder(folder, method)
        ):
            waiting[job.name] = "its encoder is not there"
        else:
            ready.append(job)
    return {**failed, **waiting, **_run_part(ready, jobs, dask)}


def _run_part(part: list[Job], jobs: int, dask: str | None) -> dict[str, str]:
    if not part:
        return {}
    say(f"{counted(len(part), 'job')}", flush=True)
    outcomes = run_jobs(part, jobs, dask)
    return {outcome.name: outcome.error for outcome in outcomes if outcome.error is not None}
