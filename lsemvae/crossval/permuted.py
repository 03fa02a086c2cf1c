"""Shuffle the labels of a cohort: what a run still learns from it has leaked."""

from typing import Any

import pandas as pd

from data_modules.labels_cohort import LabelsCohort
from data_modules.number_cohort import NumberCohort
from data_modules.rhc_cohort import RhcCohort
from lsemvae.core.targets import find_target
from lsemvae.evaluation.statistics.permutation import shuffled_labels


class PermutedCohort(RhcCohort):
    """An `RhcCohort` with its labels shuffled between patients, the same way each time.

    Args:
        store: see `RhcCohort`.
        task: see `RhcCohort`.
        permute_labels: seed of the shuffle.
        others: see `RhcCohort`.
    """

    def __init__(self, store: str, task: str, *, permute_labels: int, **others: Any) -> None:
        super().__init__(store, task, **others)
        self.permute_labels = permute_labels

    def labelled(self) -> pd.DataFrame:
        """Return record, patient_id, shuffled label and row in the pool of every record."""
        cohort = super().labelled()
        label = shuffled_labels(cohort["label"], cohort["patient_id"], seed=self.permute_labels)
        return cohort.assign(label=label)


def labelled_cohort(
    store: str, task: str, *, permute_labels: int | None = None, **others: Any
) -> RhcCohort:
    """Return the cohort of whatever a task predicts; arguments as above."""
    if permute_labels is not None:
        return PermutedCohort(store, task, permute_labels=permute_labels, **others)
    modules = {"binary": RhcCohort, "number": NumberCohort, "labels": LabelsCohort}
    return modules[find_target(task).kind](store, task, **others)
