"""What is said where the machine grants no more, and which errors it is at fault for."""

import errno
import multiprocessing
import os
from collections.abc import Iterator

import pytest
from joblib import Parallel, delayed

from data_modules.base import StoreDataModule
from lsemvae.core import joblib_backend as backend
from lsemvae.core.errors import InputError
from lsemvae.core.machine_limits import MachineError, is_of_machine, step_to_write
from lsemvae.runtime.exit_code import exit_code
from tests.conftest import error_of


def of(name: str, file: str | None = None) -> OSError:
    number = getattr(errno, name)
    return OSError(number, os.strerror(number), file)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("EMFILE", "allow more open files (ulimit -n 4096), or use fewer jobs or loader processes"),
        ("EAGAIN", "end other programs, or use fewer jobs or loader processes"),
        ("ENOTCONN", "look at the network folder or the disk"),
    ],
)
def test_a_machine_that_grants_no_more_is_one_line(
    capsys: pytest.CaptureFixture[str], name: str, said: str
) -> None:
    def run() -> None:
        raise of(name)

    assert exit_code(run) == 2
    assert said in error_of(capsys)


def test_a_next_step_fits_what_keeps_a_file_from_being_written() -> None:
    steps = {name: step_to_write(of(name)) for name in ("EACCES", "EROFS", "EIO", "ENOSPC")}
    assert steps == {
        "EACCES": "Get the rights to it",
        "EROFS": "Make the disk writable",
        "EIO": "Look at the disk",
        "ENOSPC": "Make room",
    }
    assert step_to_write(of("EMFILE")).startswith("Allow more open files")


def test_one_bad_file_is_no_fault_of_the_machine() -> None:
    assert all(map(is_of_machine, (of("ESTALE"), MemoryError(), MachineError("gone"))))
    assert not any(map(is_of_machine, (of("EIO"), of("EACCES"), ValueError(), InputError("bad"))))


@pytest.fixture
def no_shared_memory(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    def refused() -> None:
        raise of("EROFS")

    monkeypatch.setattr(multiprocessing, "Lock", refused)
    backend.lacks_shared_memory.cache_clear()
    yield
    backend.lacks_shared_memory.cache_clear()


@pytest.mark.usefixtures("no_shared_memory")
def test_jobs_run_one_at_a_time_where_processes_can_share_nothing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with backend.joblib_backend(2, None):
        assert set(Parallel()(delayed(os.getpid)() for _ in range(3))) == {os.getpid()}
    assert "no shared memory (/dev/shm), so one job runs at a time" in capsys.readouterr().err


@pytest.mark.usefixtures("no_shared_memory")
def test_loader_processes_are_refused_where_they_can_share_nothing() -> None:
    with pytest.raises(InputError, match="num_workers is 2, and this system has no shared memory"):
        StoreDataModule("s.h5", leads=12, normalisation="none", batch_size=2, num_workers=2)
