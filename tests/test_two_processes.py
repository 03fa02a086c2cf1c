"""Two processes over gloo train as one does, stop together, and go on together."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch

from lsemvae.cli import main
from tests import distributed_run
from tests.conftest import ROOT
from tests.forked import TIMEOUT_S, call_in_processes
from tests.test_resume import EVERY_STEP, LAST, arguments, differences, n_steps

pytestmark = pytest.mark.slow
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
TWO = ["--trainer.strategy=ddp", "--trainer.devices=2"]


class Run:
    """What `distributed_run` left."""

    def __init__(self, folder: Path) -> None:
        files = sorted(folder.glob("rank_*.json"))
        self.ranks: list[dict[str, Any]] = [json.loads(file.read_text()) for file in files]
        self.logged: dict[str, list[float]] = self.ranks[0]["logged"]
        self.weights = torch.load(folder / "weights.pt", weights_only=True)

    def records(self, part: str, epoch: int) -> list[str]:
        return sorted(name for rank in self.ranks for name in rank[part][epoch])


@pytest.fixture(scope="module")
def runs(
    pretraining: Path, cohort: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Run]:
    found = {}
    for name, n, batch_size, state in (
        ("one", 1, 8, "whole"), ("two", 2, 4, "whole"), ("sharded", 2, 4, "sharded"),
    ):  # fmt: skip
        folder = tmp_path_factory.mktemp(name)
        stores = str(pretraining), str(cohort)
        call_in_processes(n, folder, distributed_run.run, folder, *stores, batch_size, state)
        found[name] = Run(folder)
    return found


def test_the_same_global_batch_gives_the_same_curves_and_figures(runs: dict[str, Run]) -> None:
    one, two = runs["one"], runs["two"]
    assert len(two.ranks) == 2
    assert {
        "train/loss",
        "val/loss",
        "val/auroc",
        "latent/r2/V1",
        "probe/auroc",
    } <= two.logged.keys()
    assert two.logged.keys() == one.logged.keys()
    for name, values in one.logged.items():
        assert two.logged[name] == pytest.approx(values, rel=1e-4, abs=1e-5), name
    for name, value in one.weights.items():
        torch.testing.assert_close(two.weights[name], value, rtol=0, atol=1e-4)


def test_every_record_is_seen_once_in_an_epoch_and_in_a_validation(runs: dict[str, Run]) -> None:
    one, two = runs["one"], runs["two"]
    uneven = 0
    for part, number in (("train", 0), ("train", 1), ("held_out", 0), ("held_out", -1)):
        seen = two.records(part, number)
        assert seen == one.records(part, number)
        assert len(set(seen)) == len(seen) > 0
        uneven += len(seen) % 2
    assert uneven  # padding would show


def test_every_process_draws_noise_of_its_own(runs: dict[str, Run]) -> None:
    first, second = (rank["noise"] for rank in runs["two"].ranks)
    assert len(set(first) | set(second)) == 2 * len(first) > 0


def test_a_sharded_optimiser_updates_alike(runs: dict[str, Run]) -> None:
    for name, value in runs["two"].weights.items():
        torch.testing.assert_close(runs["sharded"].weights[name], value, rtol=0, atol=1e-6)


@pytest.mark.parametrize("shard", ["false", "true"])
def test_a_resumed_run_of_two_processes_equals_an_unbroken_one(
    shard: str, pretraining: Path, tmp_path: Path
) -> None:
    unbroken, resumed = tmp_path / "unbroken", tmp_path / "resumed"
    more = [*TWO, "--model.init_args.shard_optimiser", shard]
    call_in_processes(2, tmp_path, main, arguments(pretraining, unbroken, *more, *EVERY_STEP))
    cut = unbroken / f"checkpoints/step={n_steps(unbroken) // 3 + 1}.ckpt"
    more += ["--ckpt_path", str(cut)]
    call_in_processes(2, tmp_path, main, arguments(pretraining, resumed, *more))
    assert differences(unbroken / LAST, resumed / LAST) == []


def start(store: Path, run: Path) -> subprocess.Popen[str]:
    """Start a run that does not end by itself, and return it once it has saved something."""
    more = [*TWO, "--trainer.max_epochs=100000"]
    process = subprocess.Popen(
        [sys.executable, "-m", "lsemvae", *arguments(store, run, *more)], env=ENVIRONMENT,
        stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    while not (run / LAST).exists():
        assert process.poll() is None, process.communicate()[1][-3000:]
        time.sleep(0.1)
    return process


def child_of(process: subprocess.Popen[str]) -> int:
    """Return the process id of rank 1."""
    command = ["ps", "--ppid", str(process.pid), "-o", "pid=,args="]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    (child,) = [line.split()[0] for line in listed.splitlines() if "lsemvae" in line]
    return int(child)


def test_sigterm_to_one_process_stops_both_and_saves(pretraining: Path, tmp_path: Path) -> None:
    process = start(pretraining, tmp_path)
    os.kill(child_of(process), signal.SIGTERM)
    said = process.communicate(timeout=TIMEOUT_S)[1]
    assert process.returncode == 143, said[-3000:]
    assert f"told to stop: saved {tmp_path / LAST}" in said
    assert n_steps(tmp_path) > 0


def test_a_dead_process_ends_the_run_with_a_message(pretraining: Path, tmp_path: Path) -> None:
    process = start(pretraining, tmp_path)
    os.kill(child_of(process), signal.SIGKILL)
    said = process.communicate(timeout=TIMEOUT_S)[1]
    assert process.returncode not in (0, None)
    assert "process 0 of 2 stops" in said or "terminated with code -9" in said
