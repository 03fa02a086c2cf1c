"""Processes of one run share the threads that were chosen for it, however they are started."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from joblib import Parallel, delayed

from lsemvae.core.joblib_backend import joblib_backend
from lsemvae.lightning_cli import build_cli
from lsemvae.runtime.threads import CHOSEN_VARIABLE, COUNT_VARIABLES, share_threads
from tests.conftest import ROOT, tiny_network


@pytest.fixture
def four_chosen(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Leave the environment as `settle_threads` does where it chose four threads."""
    before = torch.get_num_threads()
    for name in (*COUNT_VARIABLES, CHOSEN_VARIABLE):
        monkeypatch.setenv(name, "4")
    yield
    torch.set_num_threads(before)


def _shown() -> list[str]:
    return [os.environ[name] for name in COUNT_VARIABLES]


def test_two_processes_of_lightning_take_half_the_threads_each(
    four_chosen: None, pretraining: Path, tmp_path: Path
) -> None:
    config = ["--config", str(ROOT / "experiments/demo/pretrain.yaml"), *tiny_network()]
    two = ["--trainer.devices=2", "--trainer.strategy=ddp", "--trainer.accelerator=cpu"]
    build_cli(
        [*config, *two, "--data.init_args.store", str(pretraining),
         "--trainer.default_root_dir", str(tmp_path),
         "--trainer.logger.init_args.save_dir", str(tmp_path)],
        run=False,
    )  # fmt: skip
    assert torch.get_num_threads() == 2
    assert _shown() == ["2", "2", "2"]  # what the second process will be started with


def test_a_number_of_the_users_own_is_that_of_each_process(
    four_chosen: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(CHOSEN_VARIABLE)
    assert share_threads(2) is None
    assert _shown() == ["4", "4", "4"]


def test_more_processes_than_threads_take_one_each(four_chosen: None) -> None:
    assert share_threads(8) == 1


def test_threads_are_shared_once(four_chosen: None) -> None:
    assert share_threads(2) == 2
    assert share_threads(2) is None
    assert _shown() == ["2", "2", "2"]


def test_two_workers_of_joblib_take_half_the_threads_each(four_chosen: None) -> None:
    with joblib_backend(2, None):
        assert set(Parallel()(delayed(os.getenv)("OMP_NUM_THREADS") for _ in range(2))) == {"2"}


def test_two_workers_of_dask_are_started_with_half_the_threads_each(
    four_chosen: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a worker inherits goes before Dask's own setting of one thread."""
    distributed = pytest.importorskip("dask.distributed")
    given: dict[str, Any] = {}

    def stand_in(**options: Any) -> None:
        given.update(options)
        raise KeyboardInterrupt

    monkeypatch.setattr(distributed, "LocalCluster", stand_in)
    with pytest.raises(KeyboardInterrupt), joblib_backend(2, "local"):
        pass
    assert given["env"] == dict.fromkeys(COUNT_VARIABLES, "2")
