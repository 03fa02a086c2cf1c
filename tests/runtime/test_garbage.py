import atexit
import gc
import subprocess
import sys
from collections.abc import Iterator

import pytest

from lsemvae import cli
from lsemvae.runtime.garbage import THRESHOLDS

# What is registered first runs last: the number of objects that the collector leaves out by then.
CODE = """
import atexit, gc
atexit.register(lambda: print(gc.get_freeze_count()))
from lsemvae.runtime.garbage import collect_rarely
if {rarely}:
    collect_rarely()
    collect_rarely()
"""


@pytest.fixture
def _as_it_was() -> Iterator[None]:
    before = gc.get_threshold()
    gc.set_threshold(700, 10, 10)
    yield
    gc.set_threshold(*before)


@pytest.mark.usefixtures("_as_it_was")
def test_a_process_of_a_command_collects_rarely(monkeypatch: pytest.MonkeyPatch) -> None:
    registered: list[object] = []
    monkeypatch.setattr(atexit, "register", registered.append)
    monkeypatch.setattr(sys, "argv", ["lsemvae", "--version"])
    assert cli.main() == 0
    assert gc.get_threshold() == THRESHOLDS
    assert registered == [gc.freeze]


@pytest.mark.usefixtures("_as_it_was")
def test_a_command_in_somebodys_process_leaves_the_collector_alone() -> None:
    assert cli.main(["--version"]) == 0
    assert gc.get_threshold() == (700, 10, 10)


@pytest.mark.parametrize("rarely", [True, False])
def test_what_lives_at_the_end_is_not_walked_through(rarely: bool) -> None:
    found = subprocess.run(
        [sys.executable, "-c", CODE.format(rarely=rarely)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert (int(found.stdout) > 0) == rarely
