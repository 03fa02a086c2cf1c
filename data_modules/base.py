"""Share between all DataModules stores, leads, batches and normalisation on the device."""

from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from lightning import LightningDataModule

from data_modules.dataset import EcgDataset, EcgPool, Indices
from data_modules.epoch_batches import BatchLoader, batch_loader, run_seed
from data_modules.normalise import normalise
from lsemvae.core.errors import InputError
from lsemvae.core.joblib_backend import lacks_shared_memory, most_processes
from lsemvae.core.leads import lead_indices, parse_leads
from lsemvae.core.made_for import MadeFor
from lsemvae.core.seeds import check_seed
from lsemvae.core.types import EcgBatch, EcgInput, Normalisation


class StoreDataModule(LightningDataModule):
    """Recordings of one or several stores in whole batches; subclasses choose which are for what.

    Args:
        store: store file, or several of the same rate, length and band.
        leads: 12, 6 (the limb leads) or lead names.
        normalisation: see `data_modules.normalise.normalise`.
        batch_size: recordings per batch.
        num_workers: loader processes; 0 loads in the main process.
        seed: of what a subclass draws, such as its split.
    """

    def __init__(
        self,
        store: str | list[str],
        *,
        leads: int | str | list[str],
        normalisation: Normalisation,
        batch_size: int,
        num_workers: int,
        seed: int = 0,
    ) -> None:
        super().__init__()
        if batch_size < 1 or num_workers < 0:
            raise InputError(
                f"batch_size must be >= 1 and num_workers >= 0, got {batch_size} and {num_workers}"
            )
        if num_workers > (most := most_processes()):
            raise InputError(
                f"num_workers must be <= {most} on this machine, got {num_workers}: each a process"
            )
        if num_workers and lacks_shared_memory():
            raise InputError(
                f"num_workers is {num_workers}, and this system has no shared memory (/dev/shm) "
                "for loader processes; give --data.init_args.num_workers 0"
            )
        check_seed(seed)
        self.store = store
        self.leads = parse_leads(leads)
        self.normalisation: Normalisation = normalisation
        self.batch_size, self.num_workers, self.seed = batch_size, num_workers, seed
        self._resumed: dict[str, Any] = {}
        self._earlier: dict[str, Any] = {}

    def check_files(self) -> None:
        """Open the stores, so that a missing one is named before a run touches its folder."""
        _ = self.pool

    @cached_property
    def pool(self) -> EcgPool:
        """The stores, opened when first needed."""
        pool = EcgPool([self.store] if isinstance(self.store, str) else self.store)
        if self.normalisation == "millivolt" and not pool.calibrated:
            raise InputError(
                f"normalisation=millivolt needs calibrated recordings, {pool.named} is in "
                "arbitrary units; use normalisation=lead (or record)"
            )
        return pool

    @property
    def ecg_input(self) -> EcgInput:
        """What a network gets from this module."""
        return self.pool.ecg_input._replace(normalisation=self.normalisation)

    @property
    def made_for(self) -> MadeFor:
        """What a head that is trained on this module is made for."""
        return MadeFor(leads=self.leads, ecg_input=self.ecg_input)

    def usable_rows(self) -> Indices:
        """Return the rows of the pool that have one of the leads at least."""
        return np.flatnonzero(self.pool.present[:, lead_indices(self.leads)].any(1))

    def training_rows(self) -> Indices:
        """Return the rows of the pool that a training run may see: all of them."""
        return np.arange(len(self.pool))

    def dataset(self, indices: Indices, label: npt.NDArray[np.float32] | None = None) -> EcgDataset:
        """Return the chosen records in this module's leads."""
        return EcgDataset(self.pool, indices, leads=self.leads, label=label)

    def loader(self, dataset: EcgDataset, *, shuffle: bool = False) -> BatchLoader:
        """Return this process's whole batches; shuffled ones go on where a resumed run stopped."""
        trainer = self.trainer
        loader = batch_loader(
            dataset,
            self.batch_size,
            shuffle=shuffle,
            num_workers=self.num_workers,
            rank=trainer.global_rank if trainer else 0,
            n_ranks=trainer.world_size if trainer else 1,
        )
        if shuffle and trainer:
            loader.place = self._place
        return loader

    def _place(self) -> tuple[int, int]:
        """Return the epoch that the trainer is in, and how many of its batches are done.

        Raises:
            InputError: the run goes on within an epoch of other batches than it began with.
        """
        trainer = self.trainer
        if trainer is None:
            return 0, 0
        n_done = trainer.fit_loop.epoch_loop.batch_progress.current.ready
        now = self._batches()
        changed = [f"{k} {v}, now {now[k]}" for k, v in self._resumed.items() if v != now[k]]
        if n_done and changed:
            raise InputError(
                f"the checkpoint is from within an epoch of other batches ({'; '.join(changed)}); "
                "resume with the settings that it was made with, or from an epoch's end"
            )
        return trainer.current_epoch, n_done

    def _batches(self) -> dict[str, Any]:
        """Return what decides which records a batch holds, but for the data themselves."""
        processes = self.trainer.world_size if self.trainer else 1
        return {
            "batch_size": self.batch_size,
            "processes": processes,
            "seed": run_seed(),
            "recordings": self.pool.sha256,
        }

    def on_after_batch_transfer(self, batch: EcgBatch, dataloader_idx: int) -> EcgBatch:
        """Scale and normalise on the device."""
        return normalise(batch, self.normalisation)

    @property
    def earlier_sha256(self) -> str:
        """Digests of what the run that is resumed had been trained on, empty without one."""
        return str(self._earlier.get("sha256", ""))

    @property
    def seen_sha256(self) -> str:
        """Digests of every store that the weights have seen once this run is done."""
        return _joined(self.earlier_sha256, self.pool.sha256, "+")

    def state_dict(self) -> dict[str, Any]:
        """Describe the input, so that a checkpoint says what its network was trained on.

        A run that goes on with other recordings has seen those of before, too.
        """
        earlier, pool = self._earlier, self.pool
        return {
            "ecg_input": tuple(self.ecg_input),
            "synthetic": pool.synthetic or bool(earlier.get("synthetic", False)),
            "calibrated": pool.calibrated and bool(earlier.get("calibrated", True)),
            "label": _joined(str(earlier.get("label", "")), pool.label, " + "),
            "sha256": self.seen_sha256,
            "batches": self._batches(),
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Keep what the run that is resumed had seen, and what its batches were made of."""
        self._resumed = state_dict.get("batches", {})
        self._earlier = state_dict


def _joined(earlier: str, own: str, sign: str) -> str:
    """Return the parts of both, each once."""
    parts = [*earlier.split(sign), *own.split(sign)]
    return sign.join(dict.fromkeys(part for part in parts if part))
