"""Offer a cohort with several labels of a yes or no at once, in folds by patient."""

import numpy as np
import pandas as pd

from data_modules.cohort.labels import task_labels
from data_modules.cohort.splits import label_columns
from data_modules.dataset import EcgDataset
from data_modules.rhc_cohort import RhcCohort
from lsemvae.core.made_for import MadeFor
from lsemvae.core.targets import LABEL, find_target
from lsemvae.core.tasks import find_task


class LabelsCohort(RhcCohort):
    """Recordings with several labels, of which each may lack some; arguments as in `RhcCohort`.

    `task` is the names of tasks or of columns of 0 and 1, joined by commas.
    """

    @property
    def made_for(self) -> MadeFor:
        """What a head that is trained on this module is made for."""
        names = find_target(self.task).names
        defined = [find_task(name).defined_by(self.thresholds) for name in names]
        return super().made_for._replace(label="; ".join(defined))

    def labelled(self) -> pd.DataFrame:
        """Return record, patient_id, labels, stratum and row of every recording with a label.

        The labels stand in columns `label:NAME`, NaN where one is not known; `label` counts the
        positive ones. `stratum` is the rarest positive label of a record, so that folds share out
        what is rare.

        Raises:
            InputError: what `RhcCohort.labelled` refuses of any of the labels.
        """
        table = self.checked_table()
        names = find_target(self.task).names
        labels = pd.DataFrame(
            {f"{LABEL}{name}": task_labels(table, name, self.thresholds) for name in names}
        )
        count = labels.sum(axis=1).where(labels.notna().any(axis=1))
        columns = {str(name): column for name, column in labels.items()}
        return self.records_with(table, label=count, stratum=_rarest(labels), **columns)

    def _part(self, cohort: pd.DataFrame) -> EcgDataset:
        labels = cohort[label_columns(cohort)].to_numpy(np.float32)
        return self.dataset(cohort["row"].to_numpy(), labels)


def _rarest(labels: pd.DataFrame) -> pd.Series:
    """Return the place of each record's rarest positive label from 1, 0 where none is positive."""
    order = labels.sum().sort_values(kind="stable").index
    positive = labels[order].eq(1).to_numpy()
    place = np.where(positive.any(axis=1), positive.argmax(axis=1) + 1, 0)
    return pd.Series(place, index=labels.index)
