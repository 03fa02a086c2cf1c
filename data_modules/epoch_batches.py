"""Draw the records of an epoch's batches, for one process or one of several."""

import os
import signal
from collections.abc import Callable, Iterator
from threading import Thread
from typing import Any

import numpy as np
import torch
from lightning.fabric.utilities.seed import pl_worker_init_function
from torch.utils.data import DataLoader, Dataset, DistributedSampler

from lsemvae.core.counted import counted
from lsemvae.core.errors import InputError

WORKER_TIMEOUT_S = 600  # a worker that yields nothing for so long hangs


class EpochBatches(DistributedSampler[Any]):
    """Whole batches in an order that seed and epoch alone decide, so that a run can be resumed.

    The records of an epoch are cut into steps of `n_ranks` x `batch_size`, each step into the
    ranks' batches. Every record is in exactly one batch of one rank; nothing is padded. The last
    step holds what is left. Where that is too little, it joins the step before: every rank gets a
    record, two where batches are shuffled, as batch normalisation has no variance of one.

    It is a DistributedSampler only so that Lightning does not put another one on top of it.

    Args:
        dataset: with N records.
        batch_size: records of each rank's batch.
        shuffle: whether every epoch has an order of its own.
        rank: of this process.
        n_ranks: number of processes.

    Raises:
        InputError: fewer records than processes.
    """

    def __init__(
        self,
        dataset: Dataset[Any],
        batch_size: int,
        *,
        shuffle: bool = False,
        rank: int = 0,
        n_ranks: int = 1,
    ) -> None:
        super().__init__(dataset, n_ranks, rank, shuffle=shuffle, seed=run_seed())
        self.batch_size, self.n_records = batch_size, len(dataset)  # type: ignore[arg-type]
        if 0 < self.n_records < n_ranks:
            raise InputError(
                f"{counted(self.n_records, 'record')} cannot be shared by {n_ranks} processes; use "
                f"--trainer.devices={self.n_records} at most"
            )
        self.n_done = 0

    def __len__(self) -> int:
        """Return the number of batches in an epoch, the same on every rank."""
        step = self.num_replicas * self.batch_size
        smallest = self.num_replicas * (2 if self.shuffle and self.batch_size > 1 else 1)
        n_steps, left = divmod(self.n_records, step)
        return n_steps + (left > 0 and (left >= smallest or n_steps == 0))

    def __iter__(self) -> Iterator[list[int]]:
        """Yield the positions in each batch of `epoch`, without the first `n_done` batches."""
        step = self.num_replicas * self.batch_size
        steps = np.split(self._order(), range(step, len(self) * step, step)) if len(self) else []
        for rows in steps[self.n_done :]:
            yield np.array_split(rows, self.num_replicas)[self.rank].tolist()

    def _order(self) -> np.ndarray[Any, np.dtype[np.int64]]:
        if not self.shuffle:
            return np.arange(self.n_records)
        return np.random.default_rng([self.seed, self.epoch]).permutation(self.n_records)


def run_seed() -> int:
    """Return the seed of Lightning's seed_everything; every process of a run has the same."""
    return int(os.environ.get("PL_GLOBAL_SEED", "0"))


class _WholeBatches(Dataset[Any]):
    """A dataset that is asked for whole batches."""

    def __init__(self, records: Any) -> None:
        self.records = records

    def __len__(self) -> int:
        return len(self.records)

    def __getitem__(self, positions: int | list[int]) -> Any:
        return self.records.__getitems__([positions] if isinstance(positions, int) else positions)


class BatchLoader(DataLoader[Any]):
    """A loader of `EpochBatches` that can begin within an epoch.

    Attributes:
        place: returns the epoch and how many of its batches are done. It is asked when the first
            batch is: a trainer that resumes asks for an iterator before it knows its own place.
    """

    place: Callable[[], tuple[int, int]] | None = None

    def __iter__(self) -> Iterator[Any]:  # type: ignore[override]
        """Yield the batches that are left of the epoch."""
        if self.place is not None and isinstance(self.sampler, EpochBatches):
            self.sampler.epoch, self.sampler.n_done = self.place()
        yield from super().__iter__()

    def state_dict(self) -> dict[str, Any]:
        """Return nothing: the place is the trainer's. That the method is there tells Lightning."""
        return {}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take nothing."""


def batch_loader(
    dataset: Dataset[Any],
    batch_size: int,
    *,
    shuffle: bool = False,
    num_workers: int = 0,
    rank: int = 0,
    n_ranks: int = 1,
) -> BatchLoader:
    """Return a loader over a dataset that yields whole batches, see `EpochBatches`."""
    order = EpochBatches(dataset, batch_size, shuffle=shuffle, rank=rank, n_ranks=n_ranks)
    return BatchLoader(
        _WholeBatches(dataset),
        batch_size=None,
        sampler=order,
        num_workers=num_workers,
        collate_fn=_as_it_is,
        worker_init_fn=_begin_worker,
        persistent_workers=num_workers > 0,
        timeout=WORKER_TIMEOUT_S if num_workers else 0,
        pin_memory=torch.cuda.is_available(),
        generator=torch.Generator(),  # a loader draws a number, which shall not move the noise's
    )


def _begin_worker(number: int) -> None:
    """Leave signals to the process that trains, which saves, stops and ends its workers.

    SLURM and a terminal that is closed tell every process of a job; a worker that dies of it would
    end the training before it has saved.
    """
    if int(os.environ.get("PL_SEED_WORKERS", "0")):
        pl_worker_init_function(number)  # which Lightning calls only where nothing else is
    for name in ("SIGHUP", "SIGUSR1"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    if hasattr(signal, "sigwaitinfo"):  # which macOS lacks
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        Thread(target=_end_when_the_parent_says_so, daemon=True).start()


def _end_when_the_parent_says_so() -> None:
    while signal.sigwaitinfo({signal.SIGTERM}).si_pid != os.getppid():
        pass  # somebody else's
    os._exit(0)


def _as_it_is(batch: Any) -> Any:
    return batch
