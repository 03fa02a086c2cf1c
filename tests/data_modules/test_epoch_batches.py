import os
import signal
import time
from itertools import chain
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.data import Dataset

from data_modules import epoch_batches
from data_modules.epoch_batches import EpochBatches, batch_loader
from lsemvae.core.errors import InputError


class Positions(Dataset[Any]):
    """N records; a batch is the list of its positions."""

    def __init__(self, n_records: int) -> None:
        self.n_records = n_records

    def __len__(self) -> int:
        return self.n_records

    def __getitems__(self, positions: list[int]) -> list[int]:
        return positions


def epoch(n_records: int, batch_size: int, n: int = 0, **arguments: Any) -> list[list[int]]:
    order = EpochBatches(Positions(n_records), batch_size, **arguments)
    order.set_epoch(n)
    batches = list(order)
    assert len(batches) == len(order)
    return batches


@given(st.integers(1, 60), st.integers(1, 9), st.integers(1, 4), st.booleans())
def test_every_record_is_in_one_batch_of_one_process(
    n_records: int, batch_size: int, n_ranks: int, shuffle: bool
) -> None:
    if n_records < n_ranks:
        return
    ranks = [
        epoch(n_records, batch_size, shuffle=shuffle, rank=rank, n_ranks=n_ranks)
        for rank in range(n_ranks)
    ]
    assert sorted(i for rank in ranks for batch in rank for i in batch) == list(range(n_records))
    assert len({len(rank) for rank in ranks}) == 1
    assert all(batch for rank in ranks for batch in rank)
    sizes = [len(batch) for rank in ranks for batch in rank[:-1]]
    assert set(sizes) <= {batch_size}
    assert max(len(rank[-1]) for rank in ranks) <= batch_size + 2


@given(st.integers(8, 80), st.integers(1, 6), st.integers(2, 4))
def test_the_batches_of_processes_make_up_those_of_one(
    n_records: int, batch_size: int, n_ranks: int
) -> None:
    one = epoch(n_records, n_ranks * batch_size, shuffle=True)
    ranks = [
        epoch(n_records, batch_size, shuffle=True, rank=rank, n_ranks=n_ranks)
        for rank in range(n_ranks)
    ]
    together = [list(chain(*parts)) for parts in zip(*ranks, strict=True)]
    assert together[:-1] == one[: len(together) - 1]  # the last may have joined the one before
    assert list(chain(*together)) == list(chain(*one))


@given(st.integers(2, 60), st.integers(2, 9))
def test_no_shuffled_batch_holds_one_record(n_records: int, batch_size: int) -> None:
    assert min(map(len, epoch(n_records, batch_size, shuffle=True))) >= 2


def test_batches_in_order_are_the_plain_ones() -> None:
    assert epoch(7, 3) == [[0, 1, 2], [3, 4, 5], [6]]


def test_an_epoch_has_an_order_of_its_own_and_always_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first, second = (epoch(40, 5, n, shuffle=True) for n in (0, 1))
    assert first != second
    assert first == epoch(40, 5, 0, shuffle=True)
    monkeypatch.setenv("PL_GLOBAL_SEED", "7")
    assert first != epoch(40, 5, 0, shuffle=True)


@pytest.mark.parametrize("num_workers", [0, 2])
def test_a_loader_begins_where_it_is_told_when_the_first_batch_is_asked_for(
    num_workers: int,
) -> None:
    loader = batch_loader(Positions(23), 5, shuffle=True, num_workers=num_workers)
    place = (0, 0)
    loader.place = lambda: place
    batches = iter(loader)
    place = (3, 2)
    assert list(batches) == epoch(23, 5, 3, shuffle=True)[2:]


def test_fewer_records_than_processes_are_refused() -> None:
    with pytest.raises(InputError, match=r"2 records cannot be shared by 3 processes"):
        EpochBatches(Positions(2), 4, rank=0, n_ranks=3)


def test_a_worker_outlives_the_signals_that_every_process_of_a_job_gets() -> None:
    """SLURM, and a terminal that is closed: the training itself saves and stops."""
    loader = batch_loader(Positions(23), 5, num_workers=1)
    batches = iter(loader)
    first = next(batches)
    (worker,) = loader._iterator._workers  # type: ignore[union-attr]
    if (other := os.fork()) == 0:
        for number in (signal.SIGHUP, signal.SIGUSR1, signal.SIGTERM):
            os.kill(worker.pid, number)
        os._exit(0)
    os.waitpid(other, 0)
    assert [first, *batches] == epoch(23, 5, 0, shuffle=False)
    os.kill(worker.pid, signal.SIGTERM)
    worker.join(10)
    assert not worker.is_alive()


class Stalled(Positions):
    """Records that take for ever to read, or whose reader dies."""

    def __init__(self, *, dies: bool) -> None:
        super().__init__(4)
        self.dies = dies

    def __getitems__(self, positions: list[int]) -> list[int]:
        if self.dies:
            os._exit(9)
        time.sleep(3)
        return positions


@pytest.mark.parametrize(("dies", "message"), [(True, "exited unexpectedly"), (False, "timed out")])
def test_a_dead_or_hung_worker_ends_the_run(
    dies: bool, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A death is noticed at once by a signal, or where a program has taken that over, by time.
    monkeypatch.setattr(epoch_batches, "WORKER_TIMEOUT_S", 10.0 if dies else 0.5)
    with pytest.raises(RuntimeError, match=message):
        next(iter(batch_loader(Stalled(dies=dies), 2, num_workers=1)))
