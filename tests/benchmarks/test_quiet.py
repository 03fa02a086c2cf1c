import importlib
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SPIN = "import time; end = time.time() + 1.5\nwhile time.time() < end: pass"


@pytest.fixture
def quiet(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(str(ROOT))
    return importlib.import_module("benchmarks.quiet")


@pytest.mark.skipif(sys.platform != "linux", reason="/proc/stat is Linux's")
def test_another_program_is_noticed(quiet) -> None:
    other = subprocess.Popen([sys.executable, "-c", SPIN])
    time.sleep(0.3)
    found = quiet.timed(lambda: time.sleep(0.8))
    other.wait()
    assert found.seconds == pytest.approx(0.8, rel=0.5)
    assert found.others > quiet.OTHERS


def test_own_work_is_none_of_the_others(quiet, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a clock of our own: 2 cores busy for 1 s each in 1 s, all of it by this process."""
    own, busy = iter((5.0, 7.0)), iter(((10.0, 2), (12.02, 2)))
    wall = iter((0.0, 1.0))
    monkeypatch.setattr(quiet.time, "process_time", lambda: next(own))
    monkeypatch.setattr(quiet.time, "perf_counter", lambda: next(wall))
    monkeypatch.setattr(quiet, "busy_seconds", lambda: next(busy))
    assert quiet.timed(lambda: None) == (1.0, 0.0)


def test_patience_ends(quiet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quiet, "timed", lambda _: time.sleep(0.01) or quiet.Timed(0.01, 1.0))
    start = time.perf_counter()
    quiet.wait_for_quiet(0.1)
    assert 0.1 <= time.perf_counter() - start < 1.0


def test_disturbed_calls_count_only_where_there_are_no_others(quiet) -> None:
    calm, loud = [1.0, 0.01], [3.0, 0.5]
    assert quiet.counted([calm, loud, loud]) == ([1.0], 0.01)
    assert quiet.counted([loud, loud]) == ([3.0, 3.0], 0.5)


def test_a_disturbed_call_is_repeated(quiet, monkeypatch: pytest.MonkeyPatch) -> None:
    found = iter([quiet.Timed(2.0, 0.3), quiet.Timed(1.0, 0.0), quiet.Timed(1.1, 0.0)])
    monkeypatch.setattr(quiet, "wait_for_quiet", lambda _: None)
    monkeypatch.setattr(quiet, "timed", lambda _: next(found))
    assert quiet.repeat(lambda: None, 2, 0.0) == [(2.0, 0.3), (1.0, 0.0), (1.1, 0.0)]
    monkeypatch.setattr(quiet, "timed", lambda _: quiet.Timed(2.0, 0.3))
    assert len(quiet.repeat(lambda: None, 2, 0.0)) == 4
