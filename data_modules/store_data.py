"""What all DataModules share: stores, leads, batches, normalisation on the device."""

from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from lightning import LightningDataModule
from torch.utils.data import DataLoader

from data_modules.dataset import EcgDataset, EcgPool, Indices, batch_loader
from data_modules.normalise import normalise
from lsemvae.errors import InputError
from lsemvae.leads import lead_indices, parse_leads
from lsemvae.types import EcgBatch, EcgInput, Normalisation


class StoreDataModule(LightningDataModule):
    """Recordings of one or several stores in whole batches; subclasses choose which are for what.

    Args:
        store: store file, or several of the same rate, length and band.
        leads: 12, 6 (the limb leads) or lead names.
        normalisation: see `data_modules.normalise.normalise`.
        batch_size: recordings per batch.
        num_workers: loader processes; 0 loads in the main process.
    """

    def __init__(
        self,
        store: str | list[str],
        *,
        leads: int | str | list[str],
        normalisation: Normalisation,
        batch_size: int,
        num_workers: int,
    ) -> None:
        super().__init__()
        self.store = store
        self.leads = parse_leads(leads)
        self.normalisation: Normalisation = normalisation
        self.batch_size, self.num_workers = batch_size, num_workers

    def check_files(self) -> None:
        """Open the stores, so that a missing one is named before a run touches its folder."""
        _ = self.pool

    @cached_property
    def pool(self) -> EcgPool:
        """The stores, opened when first needed."""
        pool = EcgPool([self.store] if isinstance(self.store, str) else self.store)
        if self.normalisation == "millivolt" and not pool.calibrated:
            raise InputError(
                f"normalisation=millivolt needs calibrated recordings, {pool.label} is in "
                "arbitrary units; use normalisation=lead (or record)"
            )
        return pool

    @property
    def ecg_input(self) -> EcgInput:
        """What a network gets from this module."""
        return self.pool.ecg_input._replace(normalisation=self.normalisation)

    def usable_rows(self) -> Indices:
        """Return the rows of the pool that have one of the leads at least."""
        return np.flatnonzero(self.pool.present[:, lead_indices(self.leads)].any(1))

    def training_rows(self) -> Indices:
        """Return the rows of the pool that a training run may see: all of them."""
        return np.arange(len(self.pool))

    def dataset(self, indices: Indices, label: npt.NDArray[np.float32] | None = None) -> EcgDataset:
        """Return the chosen records in this module's leads."""
        return EcgDataset(self.pool, indices, leads=self.leads, label=label)

    def loader(self, dataset: EcgDataset, *, shuffle: bool = False) -> DataLoader[Any]:
        """Return whole batches of a dataset."""
        return batch_loader(dataset, self.batch_size, shuffle=shuffle, num_workers=self.num_workers)

    def on_after_batch_transfer(self, batch: EcgBatch, dataloader_idx: int) -> EcgBatch:
        """Scale and normalise on the device."""
        return normalise(batch, self.normalisation)

    def state_dict(self) -> dict[str, Any]:
        """Describe the input, so that a checkpoint says what its network was trained on."""
        return {
            "ecg_input": tuple(self.ecg_input),
            "synthetic": self.pool.synthetic,
            "calibrated": self.pool.calibrated,
            "label": self.pool.label,
            "sha256": self.pool.sha256,
        }
