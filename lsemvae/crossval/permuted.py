"""Shuffle the labels of a cohort: what a run still learns from it has leaked."""

from typing import Any

import pandas as pd

from data_modules.rhc_cohort import RhcCohort
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
    store: str, task: str, *, permute_labels: int | None, **others: Any
) -> RhcCohort:
    """Return a cohort with its labels, shuffled where a seed is given; arguments as above."""
    if permute_labels is None:
        return RhcCohort(store, task, **others)
    return PermutedCohort(store, task, permute_labels=permute_labels, **others)
