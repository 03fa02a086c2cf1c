"""Hold everything that the sections of a report are made from, read from files beforehand."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from lsemvae.core.counted import counted
from lsemvae.core.findings import Finding
from lsemvae.core.study_flow import Flow
from lsemvae.core.targets import Kind
from lsemvae.evaluation.runs import CvRun, data_label
from lsemvae.evaluation.statistics.delong import auroc_interval
from lsemvae.evaluation.statistics.json_values import to_json
from lsemvae.evaluation.statistics.summary_sections import or_reason
from lsemvae.evaluation.tables.table1 import TwoGroups

MOST_CURVES = 6
MOST_DETAILED = 4
POSTERIOR = "mean log variance of the frozen encoder's posterior"
ENTROPY = (
    "entropy of the predicted probability, because the run has no posterior; withholding by it is "
    "withholding what lies near one half"
)


@dataclass(frozen=True)
class RunEvidence:
    """A run with its statistics.

    Attributes:
        run: read from its folder.
        summary: of `summarise_run`.
        uncertainty: where its uncertainty comes from, in words.
        projection: its features' first two components, None where the run kept none.
    """

    run: CvRun
    summary: dict[str, Any]
    uncertainty: str = ENTROPY
    projection: pd.DataFrame | None = None

    @property
    def task(self) -> str:
        """Name of the task."""
        return str(self.run.metrics["task"])

    @property
    def method(self) -> str:
        """Name of the method."""
        return str(self.run.metrics["method"])

    @property
    def key(self) -> str:
        """Task, method and leads: the run's name in report.json."""
        return f"{self.task}/{self.method}/{self.run.leads}"

    @cached_property
    def within_folds(self) -> dict[str, Any]:
        """Mean AUROC over the folds with its interval, or the reason why there is none."""
        return auroc_within_folds(self.run.predictions)

    @property
    def title(self) -> str:
        """Method and leads as people read them."""
        return f"{self.run.method_title}, {self.run.leads}"


@dataclass(frozen=True)
class CohortEvidence:
    """What the store says of a cohort.

    Attributes:
        store: rate, samples, unit, digest and settings, by name.
        table: one row for each recording.
        flow: steps from recordings listed to recordings used, with counts.
        findings: of the data-sanity checks.
        comparisons: groups of Table 1.
        interval_days: days from ECG to catheter, NaN where a date is missing; None without dates.
        dates: first and last date by column.
        most_leads: that a recording of the store has.
        missing_leads: records that lack a lead, by lead.
        groups: records in every haemodynamic group of ESC/ERS 2022; empty without a resistance.
        study: who came into the store and who did not.
        study_note: why the study's flow begins late, empty where it does not.
        machine: record, and the recorder's measurements as far as there are any.
    """

    store: dict[str, Any]
    table: pd.DataFrame
    flow: Sequence[tuple[str, int]]
    findings: Sequence[Finding]
    comparisons: Sequence[TwoGroups]
    interval_days: pd.Series | None
    dates: dict[str, tuple[str, str]]
    most_leads: int
    missing_leads: dict[str, int]
    groups: dict[str, int] = field(default_factory=dict)
    study: Flow = field(default_factory=lambda: Flow(()))
    study_note: str = ""
    machine: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=["record"]))


@dataclass(frozen=True)
class PretrainEvidence:
    """What a pre-training run left.

    Attributes:
        folder: of the run.
        log: its metrics.csv.
        data: label of what it was trained on.
        synthetic: whether any of that is synthetic.
        sampling_rate_hz: of its recordings.
        calibrated: whether they are in mV.
        provenance: its provenance.json, empty where there is none.
    """

    folder: Path
    log: pd.DataFrame
    data: str
    synthetic: bool
    sampling_rate_hz: float
    calibrated: bool
    provenance: dict[str, Any]

    @property
    def label(self) -> str:
        """Name of the data, with a warning where any of it is synthetic."""
        return data_label(self.data, self.synthetic)


@dataclass(frozen=True)
class Evidence:
    """All that a report is made from.

    Attributes:
        title: of the report.
        runs: with labels as they are.
        permuted: runs whose labels were shuffled on purpose.
        cohort: None where no store was given.
        pretrain: None where no pre-training run was given.
        explained: folder of `lsemvae explain`, None where none was given.
        reference: name of the method that the others are compared with.
        n_resamples: of every bootstrap.
        notes: what could not be checked.
        targets: runs that predict something else than a yes or no.
    """

    title: str
    runs: Sequence[RunEvidence]
    permuted: Sequence[CvRun] = ()
    cohort: CohortEvidence | None = None
    pretrain: PretrainEvidence | None = None
    explained: Path | None = None
    reference: str = "ls_emvae"
    n_resamples: int = 2000
    notes: Sequence[str] = field(default_factory=tuple)
    targets: Sequence[RunEvidence] = ()

    @property
    def all_runs(self) -> list[RunEvidence]:
        """Every run with its labels as they are."""
        return [*self.runs, *self.targets]

    @property
    def number_tasks(self) -> list[str]:
        """The numbers that were estimated, in the order of the runs."""
        return self._of_kind("number")

    @property
    def label_tasks(self) -> list[str]:
        """The sets of labels that were predicted at once, in the order of the runs."""
        return self._of_kind("labels")

    def _of_kind(self, kind: Kind) -> list[str]:
        found = (run.task for run in self.targets if run.run.target.kind == kind)
        return list(dict.fromkeys(found))

    @property
    def tasks(self) -> list[str]:
        """The tasks with a yes or no, in the order of the runs."""
        return list(dict.fromkeys(run.task for run in self.runs))

    @property
    def synthetic(self) -> bool:
        """Whether anything in the report is synthetic."""
        return any(run.run.metrics["synthetic"] for run in self.all_runs) or bool(
            self.pretrain and self.pretrain.synthetic
        )

    @property
    def label(self) -> str:
        """Name of the data, with a warning where any of it is synthetic or derived."""
        metrics = self.all_runs[0].run.metrics
        derived = dict.fromkeys(note for run in self.all_runs for note in run.run.derived)
        return data_label(metrics["data"], metrics["synthetic"], derived)

    def of_task(self, task: str) -> list[RunEvidence]:
        """Return the runs of a task, those of the reference first, more leads before fewer."""
        mine = [run for run in self.all_runs if run.task == task]
        return sorted(
            mine,
            key=lambda run: (run.method != self.reference, -len(run.run.metrics["leads"])),
        )

    def counts(self, task: str) -> str:
        """Return how many records and patients a task's figures are of."""
        counts = self.of_task(task)[0].summary["records"]
        return (
            f"{counted(counts['n_records'], 'record')} of "
            f"{counted(counts['n_patients'], 'patient')}, {counted(counts['n_positive'], 'record')}"
            " positive"
        )

    def curves(self, task: str) -> list[RunEvidence]:
        """Return the runs of a task that a figure can hold."""
        return self.of_task(task)[:MOST_CURVES]

    def detailed(self, task: str) -> list[RunEvidence]:
        """Return the runs of a task that get long tables."""
        return self.of_task(task)[:MOST_DETAILED]

    def left_out(self, task: str, n_shown: int) -> str:
        """Say which runs of a task a figure or table leaves out, empty where none."""
        rest = [run.title for run in self.of_task(task)[n_shown:]]
        return f" In report.json only: {'; '.join(rest)}." if rest else ""


def auroc_within_folds(predictions: pd.DataFrame) -> dict[str, Any]:
    """Return the mean AUROC over the folds as an `Estimate`, or the reason why there is none.

    Scores of models that were trained apart are never ranked against one another in it.
    """
    columns = (predictions[name] for name in ("label", "probability", "patient_id"))
    found: dict[str, Any] = to_json(
        or_reason(lambda: auroc_interval(*columns, fold=predictions["fold"]))
    )
    return found
