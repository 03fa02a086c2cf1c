"""How many threads compute, and how they wait."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lsemvae.runtime import threads
from lsemvae.runtime.exit_code import exit_code
from lsemvae.runtime.threads import busy_cores, granted_cores

SETTLE = """
import os, sys
from lsemvae.runtime.threads import settle_threads
chosen = settle_threads()
assert "torch" not in sys.modules
print(repr(chosen), os.environ.get("OMP_NUM_THREADS"), os.environ.get("OMP_WAIT_POLICY"))
"""


def _settle(**environment: str) -> str:
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("OMP_", "MKL_", "OPENBLAS"))}
    clean["PYTHONPATH"] = str(Path(__file__).parents[2])
    done = subprocess.run(
        [sys.executable, "-c", SETTLE], env=clean | environment, capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    return done.stdout.strip()


def test_users_own_number_of_threads_stays() -> None:
    assert _settle(OMP_NUM_THREADS="7") == "None 7 PASSIVE"


def test_users_own_way_of_waiting_stays() -> None:
    assert _settle(OMP_NUM_THREADS="1", OMP_WAIT_POLICY="ACTIVE") == "None 1 ACTIVE"


def test_slurm_grants_fewer_cores_than_the_machine_has() -> None:
    assert "n_granted=1," in _settle(SLURM_CPUS_PER_TASK="1")


@pytest.mark.parametrize(
    ("quota", "granted"),
    [("150000 100000", 1), ("250000 100000", 2), ("20000 100000", 1), ("max 100000", 8),
     ("900000 100000", 8)],
)  # fmt: skip
def test_quota_of_a_container_is_rounded_down_to_whole_cores(
    quota: str, granted: int, tmp_path: Path
) -> None:
    (tmp_path / "cpu.max").write_text(quota + "\n")
    assert granted_cores(8, {}, tmp_path, "/") == granted


def test_quota_of_a_group_above_counts(tmp_path: Path) -> None:
    (tmp_path / "pod/task").mkdir(parents=True)
    (tmp_path / "pod/cpu.max").write_text("200000 100000")
    (tmp_path / "pod/task/cpu.max").write_text("max 100000")
    assert granted_cores(8, {}, tmp_path, "/pod/task") == 2


def test_quota_of_the_first_version_counts(tmp_path: Path) -> None:
    (tmp_path / "cpu").mkdir()
    (tmp_path / "cpu/cpu.cfs_period_us").write_text("100000")
    for quota, granted in (("300000", 3), ("-1", 8)):
        (tmp_path / "cpu/cpu.cfs_quota_us").write_text(quota)
        assert granted_cores(8, {}, tmp_path, "/") == granted


@pytest.mark.parametrize(("busy", "expected"), [(0.1, 4), (1.2, 3), (3.9, 1), (9.0, 1)])
def test_threads_are_as_many_as_cores_are_free(
    busy: float, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (*threads.COUNT_VARIABLES, threads.WAIT_VARIABLE, threads.SLURM_VARIABLE):
        monkeypatch.setenv(name, "")  # so that it is put back whatever happens to it
        monkeypatch.delenv(name)
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    monkeypatch.setattr(threads, "usable_cores", lambda: {0, 1, 2, 3})
    monkeypatch.setattr(threads, "granted_cores", lambda *_: 4)
    monkeypatch.setattr(threads, "busy_cores", lambda _: busy)
    chosen = threads.settle_threads()
    assert chosen is not None
    assert chosen.n_threads == expected
    assert os.environ["OMP_NUM_THREADS"] == str(expected)


def test_work_of_others_is_seen() -> None:
    loop = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        assert max(busy_cores(threads.usable_cores()) for _ in range(20)) > 0.4
    finally:
        loop.kill()
        loop.wait()


@pytest.mark.parametrize("text", ["abc", "0", "-2", "1.5", "4;2"])
def test_what_is_no_number_of_threads_is_named(
    text: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delitem(sys.modules, "torch", raising=False)  # as in a new process
    monkeypatch.setenv("OMP_NUM_THREADS", text)
    assert exit_code(lambda: print(threads.settle_threads())) == 2
    assert f"OMP_NUM_THREADS={text!r} in the environment is no number" in capsys.readouterr().err


def test_an_empty_number_of_threads_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "torch", raising=False)  # as in a new process
    for name in (*threads.COUNT_VARIABLES, threads.CHOSEN_VARIABLE, threads.WAIT_VARIABLE):
        monkeypatch.setenv(name, "")
    assert threads.settle_threads() is not None


@pytest.mark.parametrize(("text", "number"), [("3", 3), ("4,2", 4), ("abc", 0), ("", 0)])
def test_the_first_level_of_threads_counts(
    text: str, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", text)
    assert threads.threads_of_environment() == number
