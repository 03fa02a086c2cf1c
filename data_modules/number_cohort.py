"""Load a cohort whose target is a number of the catheter, in folds by patient."""

import pandas as pd

from data_modules.cohort.labels import number_values
from data_modules.rhc_cohort import RhcCohort
from lsemvae.core.counted import counted
from lsemvae.core.errors import InputError
from lsemvae.core.made_for import MadeFor
from lsemvae.core.targets import find_target

N_STRATA = 5
"""Parts of equal size by value that folds are stratified by."""


class NumberCohort(RhcCohort):
    """Recordings with a measured pressure or resistance; arguments as in `RhcCohort`."""

    @property
    def made_for(self) -> MadeFor:
        """What a head that is trained on this module is made for."""
        return super().made_for._replace(label=find_target(self.task).title)

    def labelled(self) -> pd.DataFrame:
        """Return record, patient_id, label, stratum and row of every recording with a value.

        `label` is the value in its unit, `stratum` its fifth of all values.

        Raises:
            InputError: no such column, too few values, or what `RhcCohort.labelled` refuses.
        """
        table = self.checked_table()
        value = number_values(table, self.task, self.thresholds)
        known = int(value.notna().sum())
        if known < N_STRATA * self.n_folds:
            raise InputError(
                f"task {self.task!r} has {counted(known, 'record')} with a value; {self.n_folds} "
                f"folds need {N_STRATA * self.n_folds} at least"
            )
        stratum = (value.rank(method="first") - 1) * N_STRATA // known
        return self.records_with(table, label=value, stratum=stratum)
