"""Where a conversion writes: checked before it starts."""

import shutil
from pathlib import Path

import h5py
import pytest

from data_modules.conversion.destination import check_output, check_space
from data_modules.conversion.quarantine import write_quarantine
from data_modules.store.mark import STORE, make_mark
from data_modules.store.shards import plan_shards
from lsemvae.core.errors import InputError


def test_an_impossible_target_is_named(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="cannot be made"):
        check_output(tmp_path / "notes.txt" / "s.h5")
    with pytest.raises(InputError, match="it is a folder"):
        check_output(tmp_path)
    with pytest.raises(InputError, match="not replaced"):
        check_output(tmp_path / "notes.txt")
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_a_foreign_hdf5_file_is_not_replaced(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "s.h5", "w") as file:
        file["results"] = [1, 2]
    with pytest.raises(InputError, match=r"no store of this program .* remove it or name another"):
        check_output(tmp_path / "s.h5")


@pytest.mark.parametrize("name", ["s.h5.quarantine.csv", "s.h5.failed.csv"])
def test_a_foreign_file_in_the_place_of_a_list_is_not_replaced(name: str, tmp_path: Path) -> None:
    listed = tmp_path / name
    listed.write_text("mine\n")
    with pytest.raises(InputError, match="did not write it; name another store"):
        check_output(tmp_path / "s.h5")
    write_quarantine(listed, [])
    check_output(tmp_path / "s.h5")


def test_a_store_of_another_version_may_be_replaced(tmp_path: Path) -> None:
    mark = make_mark(STORE).replace(b"store 2", b"store 9")
    (tmp_path / "s.h5").write_bytes(mark)
    check_output(tmp_path / "s.h5")


def test_only_what_is_still_to_be_written_needs_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = plan_shards(800_035, 5000)
    free = 80_000_000_000
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(free, 0, free))
    with pytest.raises(InputError, match=r"needs 96.82 GB and .* has 80.00 GB free"):
        check_space(tmp_path / "s.h5", plan, finished=set())
    check_space(tmp_path / "s.h5", plan, finished=set(range(50)))


def test_a_single_file_needs_room_for_its_shards_and_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = plan_shards(1000, 5000)
    free = 200_000_000
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(free, 0, free))
    with pytest.raises(InputError, match=r"needs 0.26 GB"):
        check_space(tmp_path / "s.h5", plan, finished=set())
    check_space(tmp_path / "s.h5", plan, finished={0, 1, 2, 3})
