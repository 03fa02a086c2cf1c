"""What a process is writing is touched by no other machine or container."""

import os
import re
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from lsemvae.core.unfinished import SILENT_S, _place, remove_abandoned, unfinished
from tests.killed import GONE, begun

On = Callable[[str], None]


@pytest.fixture
def on(monkeypatch: pytest.MonkeyPatch) -> Iterator[On]:
    """Go to a machine by its name."""

    def go(host: str) -> None:
        monkeypatch.setattr(socket, "gethostname", lambda: host)
        _place.cache_clear()

    yield go
    _place.cache_clear()


def _place_in(path: Path) -> str:
    return re.fullmatch(r"\.a\.csv\.([0-9a-f]{8})-\d+-\d+\.csv", path.name)[1]  # type: ignore[index]


def test_processes_of_one_number_on_two_machines_or_in_two_containers_write_to_two_names(
    on: On, monkeypatch: pytest.MonkeyPatch
) -> None:
    def place(host: str) -> str:
        on(host)
        return _place_in(unfinished(Path("a.csv"), ".csv"))

    first, second, again = place("one"), place("two"), place("one")
    assert first == again != second
    monkeypatch.setattr(os, "readlink", lambda _: "pid:[4026532999]")
    assert place("one") not in (first, second)


def test_two_threads_of_one_process_write_to_two_names() -> None:
    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(unfinished, [Path("a.csv")] * 8))) == 8


@pytest.mark.parametrize("folder", [False, True])
def test_what_another_machine_writes_is_removed_when_it_was_silent_for_a_day(
    tmp_path: Path, on: On, folder: bool
) -> None:
    on("two")
    theirs = begun(tmp_path / "a", GONE)
    theirs.mkdir() if folder else theirs.write_text("half")
    on("one")
    remove_abandoned(tmp_path, "a")
    assert theirs.exists()
    written = theirs.stat().st_mtime - SILENT_S - 60
    os.utime(theirs, (written, written))
    remove_abandoned(tmp_path, "a")
    assert not theirs.exists()


def test_a_file_of_somebody_that_is_only_called_alike_stays(tmp_path: Path) -> None:
    for name in (".a.csv.2019", ".a.csv.2019.csv", ".a.csv.1a2b3c4d.csv"):
        (tmp_path / name).write_text("mine")
        os.utime(tmp_path / name, (0, 0))
    remove_abandoned(tmp_path, r"a\.csv")
    assert len(list(tmp_path.iterdir())) == 3


def test_a_file_that_gets_its_name_meanwhile_is_no_error(
    tmp_path: Path, on: On, monkeypatch: pytest.MonkeyPatch
) -> None:
    on("two")
    theirs = begun(tmp_path / "a", GONE)
    on("one")
    monkeypatch.setattr(Path, "iterdir", lambda _: iter([theirs]))
    remove_abandoned(tmp_path, "a")
    assert not theirs.exists()
