"""A folder is there whole or not at all."""

import errno
import os
from pathlib import Path

import pytest

from lsemvae.core.errors import InputError
from lsemvae.core.files import write_text
from lsemvae.core.whole_folder import whole_folder
from tests.killed import GONE, begun
from tests.test_full_disk import small_disk


def test_a_folder_takes_the_place_of_an_earlier_one_in_one_step(tmp_path: Path) -> None:
    out = tmp_path / "site"
    for text in ("first", "second"):
        with whole_folder(out) as begun:
            (begun / "a.txt").write_text(text)
            assert not (out / "a.txt").exists() or (out / "a.txt").read_text() == "first"
        assert (out / "a.txt").read_text() == text
    assert list(tmp_path.iterdir()) == [out]


def _fail(out: Path, error: BaseException) -> None:
    with whole_folder(out) as begun:
        (begun / "a.txt").write_text("half")
        raise error


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left"), KeyboardInterrupt()])
def test_what_was_there_stays_where_the_disk_is_full_or_the_user_stops(
    tmp_path: Path, error: BaseException
) -> None:
    out = tmp_path / "site"
    with whole_folder(out) as begun:
        (begun / "a.txt").write_text("first")
    with pytest.raises((InputError, KeyboardInterrupt)) as caught:
        _fail(out, error)
    assert isinstance(caught.value, KeyboardInterrupt) or f"{out} cannot be written (No space" in (
        str(caught.value)
    )
    assert (out / "a.txt").read_text() == "first"
    assert list(tmp_path.iterdir()) == [out]


def test_what_a_killed_process_left_is_removed_and_a_living_ones_is_not(tmp_path: Path) -> None:
    alive = begun(tmp_path / "site", os.getppid())
    for folder in (alive, *(begun(tmp_path / "site", GONE, end) for end in ("", ".before"))):
        (folder / "x").mkdir(parents=True)
    with whole_folder(tmp_path / "site"):
        pass
    assert {one.name for one in tmp_path.iterdir()} == {"site", alive.name}


def test_what_stood_there_comes_back_after_a_kill_between_two_steps(tmp_path: Path) -> None:
    before = begun(tmp_path / "site", GONE, ".before")
    before.mkdir()
    (before / "a.txt").write_text("first")
    with pytest.raises(InputError, match="No space"):
        _fail(tmp_path / "site", OSError(errno.ENOSPC, "No space left"))
    assert (tmp_path / "site/a.txt").read_text() == "first"
    assert list(tmp_path.iterdir()) == [tmp_path / "site"]


def test_a_new_folder_is_refused_where_another_process_made_it_meanwhile(tmp_path: Path) -> None:
    out = tmp_path / "board"
    with pytest.raises(InputError, match="another process has made"), whole_folder(out, new=True):
        out.mkdir()
    assert list(tmp_path.iterdir()) == [out]


def test_a_file_that_found_no_room_is_named_by_the_folder_that_was_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with (
        pytest.raises(InputError, match=r"^board/a\.txt cannot be written"),
        small_disk(3), whole_folder(Path("board")) as begun,
    ):  # fmt: skip
        write_text(begun / "a.txt", "too long")


def test_the_name_comes_after_all_files_are_on_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []

    def sync(descriptor: int) -> None:
        path = Path(os.readlink(f"/proc/self/fd/{descriptor}"))
        named = (tmp_path / "site").exists()
        synced.append(f"{path.name} {'late' if named else 'early'}")

    monkeypatch.setattr(os, "fsync", sync)
    with whole_folder(tmp_path / "site") as unnamed:
        (unnamed / "rows").mkdir()
        for name in ("index.html", "rows/a.csv"):
            (unnamed / name).write_text("whole")
    assert synced == [
        "index.html early", f"{unnamed.name} early", "a.csv early", "rows early",
        f"{tmp_path.name} late",
    ]  # fmt: skip
