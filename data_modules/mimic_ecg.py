"""Load unlabelled recordings for pre-training: MIMIC-IV-ECG, or any other store."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.model_selection import GroupShuffleSplit
from torch.utils.data import DataLoader

from data_modules.base import StoreDataModule
from data_modules.cohort.identity import cut_ids
from data_modules.cohort.plain_id import plain_id
from data_modules.dataset import Indices
from lsemvae.core.counted import counted
from lsemvae.core.errors import InputError
from lsemvae.core.printable import say
from lsemvae.core.types import Normalisation


class MimicEcg(StoreDataModule):
    """Pre-training recordings, split 90:10 by patient (paper section 3), or all of them.

    Args:
        store: made by `lsemvae prepare`; several stores are pooled.
        leads: 12, 6 or names.
        normalisation: `millivolt`, `record` or `lead`.
        batch_size: paper section 3: 128.
        val_fraction: share of the patients kept for validation; 0 trains on every recording, as
            the paper does once its hyper-parameters are chosen.
        exclude_patients: text file with one patient id per line, such as the one that
            `lsemvae prepare mimic-rhc` writes: whoever is evaluated must not be pre-trained on.
        seed: of the split.
        num_workers: loader processes.
    """

    def __init__(
        self,
        store: str | list[str] = "data/mimic_iv_ecg.h5",
        *,
        leads: int | str | list[str] = 12,
        normalisation: Normalisation = "record",
        batch_size: int = 128,
        val_fraction: float = 0.1,
        exclude_patients: str | None = None,
        seed: int = 0,
        num_workers: int = 0,
    ) -> None:
        super().__init__(
            store,
            leads=leads,
            normalisation=normalisation,
            batch_size=batch_size,
            num_workers=num_workers,
            seed=seed,
        )
        if not 0.0 <= val_fraction < 1.0:
            raise InputError(f"val_fraction must be in [0, 1), got {val_fraction}")
        self.val_fraction = val_fraction
        self.exclude_patients = exclude_patients

    def setup(self, stage: str) -> None:
        """Split the recordings by patient."""
        train, val = self._split()
        self.train_set, self.val_set = self.dataset(train), self.dataset(val)

    def check_files(self) -> None:
        """Open the stores and the list of patients, so that what is wrong is named at once."""
        super().check_files()
        self.training_rows()

    def training_rows(self) -> Indices:
        """Return the rows of the pool whose patients are not excluded."""
        if self.exclude_patients is None:
            return super().training_rows()
        listed = read_patient_list(self.exclude_patients)
        # the pool marks the patients of several stores; the list names them as each store does
        ids = np.concatenate([store.column("patient_id") for store in self.pool.stores])
        known, position = np.unique(ids, return_inverse=True)
        excluded = [plain_id(name.decode()) in listed for name in known]
        rows = np.flatnonzero(~np.array(excluded)[position])
        if len(rows) == len(ids):
            raise InputError(
                f"none of the {counted(len(listed), 'patient')} in {self.exclude_patients} is in "
                f"{self.pool.named}, so the list may belong to other data; expected ids such as "
                f"{ids[0].decode()}"
            )
        if not len(rows):
            raise InputError(f"{self.exclude_patients} excludes every patient of {self.pool.named}")
        return rows

    def _split(self) -> tuple[Any, Any]:
        rows = self.usable_rows()
        if len(rows) < len(self.pool):
            say(
                f"left out: {counted(len(self.pool) - len(rows), 'recording')} without any of the "
                "leads"
            )
        if self.exclude_patients is not None:
            n_usable = len(rows)
            rows = np.intersect1d(rows, self.training_rows())
            say(f"left out: {counted(n_usable - len(rows), 'recording')} of excluded patients")
        if self.val_fraction == 0.0:
            say("val_fraction is 0: no validation, hence no diagnostics and no reconstructions")
            return rows, rows[:0]
        patients = self.pool.patients(rows)
        if patients.max(initial=0) < 1:
            raise InputError(
                f"{self.pool.named} holds one patient; a validation part needs two, or set "
                "val_fraction=0"
            )
        splitter = GroupShuffleSplit(1, test_size=self.val_fraction, random_state=self.seed)
        train, val = next(splitter.split(rows, groups=patients))
        return rows[train], rows[val]

    def train_dataloader(self) -> DataLoader[Any]:
        """Return shuffled training batches."""
        return self.loader(self.train_set, shuffle=True)

    def val_dataloader(self) -> DataLoader[Any] | list[Any]:
        """Return the held-out patients' recordings; nothing with `val_fraction` 0."""
        return self.loader(self.val_set) if len(self.val_set) else []


def read_patient_list(path: str) -> set[str]:
    """Return the ids of a text file with one patient id per line, as `plain_id` writes them.

    Raises:
        InputError: no such file, no UTF-8 text, or no id.
    """
    try:
        text = Path(path).read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"exclude_patients: {path} cannot be read: {error}") from error
    listed = pd.Series([line.strip() for line in text.splitlines() if line.strip()], dtype=str)
    if not len(listed):
        raise InputError(f"exclude_patients: {path} is empty; expected one patient id per line")
    cut = cut_ids(listed)
    if cut:
        raise InputError(f"exclude_patients: {path}: {'; '.join(cut)}")
    return set(map(plain_id, listed))
