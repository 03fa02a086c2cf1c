"""Load a labelled cohort: right-heart-catheter tasks or any binary column, in folds by patient."""

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from torch.utils.data import DataLoader

from data_modules.base import StoreDataModule
from data_modules.cohort.identity import refuse_alike_ids
from data_modules.cohort.labels import task_labels
from data_modules.cohort.splits import GIVEN, Splits, inner_validation, load_or_make_splits
from data_modules.cohort.twins import signal_twins
from data_modules.dataset import EcgDataset
from lsemvae.core.errors import InputError
from lsemvae.core.files import write_text
from lsemvae.core.made_for import HeldOut, MadeFor
from lsemvae.core.targets import task_folder
from lsemvae.core.tasks import Thresholds, find_task
from lsemvae.core.types import Normalisation

TWINS = "twins.csv"
N_NAMED = 3


class RhcCohort(StoreDataModule):
    """Recordings with labels; the fold is an argument of ordinary training.

    Fit trains on the other folds; validate, test and predict use the held-out one. Without a fold
    (None) fit trains on every labelled recording and predict takes every recording of the store.

    Args:
        store: made by `lsemvae prepare cohort`.
        task: `detection`, `phenotype` or the name of a column of 0 and 1.
        fold: the held-out fold, from 0; None for a final model.
        n_folds: paper section 3: 5.
        splits: file of the frozen folds; drawn and written when it does not exist.
        thresholds: pressures that define detection and phenotype.
        leads: 12, 6 (the limb leads) or names.
        normalisation: `millivolt`, `record` or `lead`; as in pre-training.
        batch_size: paper section 3: 32.
        seed: of the folds.
        num_workers: loader processes.
        distinct_ids: patient ids that differ only as they are written (1 and 1.0) are different
            people; without it they are refused.
        fold_column: column of the table with the folds of the data set's authors; None draws them.
    """

    def __init__(
        self,
        store: str = "data/rhc_cohort.h5",
        task: str = "detection",
        *,
        fold: int | None = 0,
        n_folds: int = 5,
        splits: str | None = None,
        thresholds: Thresholds = Thresholds(),
        leads: int | str | list[str] = 12,
        normalisation: Normalisation = "record",
        batch_size: int = 32,
        seed: int = 0,
        num_workers: int = 0,
        distinct_ids: bool = False,
        fold_column: str | None = None,
    ) -> None:
        super().__init__(
            store,
            leads=leads,
            normalisation=normalisation,
            batch_size=batch_size,
            num_workers=num_workers,
            seed=seed,
        )
        if fold is not None and not 0 <= fold < n_folds:
            raise InputError(f"fold must be in 0..{n_folds - 1}, got {fold}; n_folds is {n_folds}")
        self.task, self.fold, self.n_folds = task, fold, n_folds
        self.splits_file = splits or f"runs/cv/{task_folder(task)}/splits.json"
        self.thresholds, self.distinct_ids = thresholds, distinct_ids
        self.fold_column = fold_column
        self._inner = False
        self._splits: Splits | None = None

    def for_fold(self, fold: int, *, inner: bool = False) -> "RhcCohort":
        """Return a module like this one, on the same open store, that holds out another fold.

        Args:
            fold: the fold that is held out.
            inner: hold out a fifth of this fold's training part instead, and train on the rest of
                it: what settings and thresholds may be chosen on.
        """
        other = copy.copy(self)
        other.fold, other._inner = fold, inner
        return other

    @property
    def made_for(self) -> MadeFor:
        """What a head that is trained on this module is made for."""
        label = find_task(self.task).defined_by(self.thresholds)
        return super().made_for._replace(task=self.task, label=label)

    @property
    def made_for_fold(self) -> MadeFor:
        """Return the same with whom it is not trained on, for which the folds are read."""
        if self._inner:
            return self.made_for
        splits = "" if self.fold is None else self.load_splits().digest()
        return self.made_for._replace(held_out=HeldOut(self.pool.sha256, splits, self.fold))

    def labelled(self) -> pd.DataFrame:
        """Return record, patient_id, label and row in the pool of every labelled recording.

        Raises:
            InputError: no labels; or one patient under two ids, or one signal under two patients,
                which would be leaks.
        """
        table = self.checked_table()
        label = task_labels(table, self.task, self.thresholds)
        return self.records_with(table, label=label)

    def checked_table(self) -> pd.DataFrame:
        """Return the store's table.

        Raises:
            InputError: one patient under two ids.
        """
        table = self.pool.table
        if not self.distinct_ids:
            refuse_alike_ids(table["patient_id"], self.pool.named)
        return table

    def records_with(
        self, table: pd.DataFrame, *, label: pd.Series, **more: pd.Series
    ) -> pd.DataFrame:
        """Return record, patient_id, label, row and further columns where the label is known.

        Raises:
            InputError: one signal under two patients.
        """
        known = label.notna()
        if self.fold_column is not None:
            more[GIVEN] = _fold_column(table, self.fold_column)
        _refuse_twins(table[known], Path(self.splits_file).with_name(TWINS))
        cohort = table[["record", "patient_id"]].assign(
            label=label, row=np.arange(len(table)), **more
        )
        return cohort[known].reset_index(drop=True)

    def load_splits(self) -> Splits:
        """Read the frozen folds, or draw and freeze them; once for this module and its copies."""
        if self._splits is None:
            self._splits = load_or_make_splits(
                self.splits_file, self.labelled(), task=self.task, n_folds=self.n_folds,
                seed=self.seed,
            )  # fmt: skip
        return self._splits

    def setup(self, stage: str) -> None:
        """Choose the recordings of the fold."""
        if stage == "predict" and self.fold is None:
            self.held_out = self.dataset(np.arange(len(self.pool)))
            return
        cohort = self.labelled()
        if self.fold is None:
            self.train_set, self.held_out = self._part(cohort), self._part(cohort[:0])
            return
        held_out = (cohort["record"].map(self.load_splits().fold) == self.fold).to_numpy()
        if self._inner:
            cohort = cohort[~held_out]
            held_out = inner_validation(cohort, self.seed)
        self.train_set, self.held_out = self._part(cohort[~held_out]), self._part(cohort[held_out])

    def _part(self, cohort: pd.DataFrame) -> EcgDataset:
        return self.dataset(cohort["row"].to_numpy(), cohort["label"].to_numpy(np.float32))

    def train_dataloader(self) -> DataLoader[Any]:
        """Return shuffled batches of the other folds."""
        return self.loader(self.train_set, shuffle=True)

    def val_dataloader(self) -> DataLoader[Any] | list[Any]:
        """Return the held-out fold; its metrics are logged and never used to choose an epoch."""
        return self.loader(self.held_out) if len(self.held_out) else []

    def test_dataloader(self) -> DataLoader[Any]:
        """Return the held-out fold."""
        return self.loader(self.held_out)

    def predict_dataloader(self) -> DataLoader[Any]:
        """Return the held-out fold, or every recording where no fold is held out."""
        return self.loader(self.held_out)


def _fold_column(table: pd.DataFrame, name: str) -> pd.Series:
    if name not in table:
        raise InputError(f"the store has no column {name!r} for the folds; leave --fold_column out")
    return table[name]


def _refuse_twins(table: pd.DataFrame, file: Path) -> None:
    """Name the signals that stand under several patients, all of them in a file.

    Raises:
        InputError: there are some.
    """
    twins = signal_twins(table)
    if not len(twins):
        return
    groups = [" = ".join(own["record"]) for _, own in twins.groupby("signal_sha256", sort=False)]
    more = f" and {len(groups) - N_NAMED} more" if len(groups) > N_NAMED else ""
    write_text(file, twins.to_csv(index=False))
    raise InputError(
        f"records {', '.join(groups[:N_NAMED])}{more} hold the same signal under different "
        f"patient_id, and may land on both sides of a fold; {file} lists all. Prepare again with "
        "--exclude FILE (the records to leave out) or --same_patient FILE (whose they are)"
    )
