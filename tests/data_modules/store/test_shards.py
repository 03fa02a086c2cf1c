"""Shards: how recordings are dealt, and files that are whole or absent."""

import errno
import os
from itertools import pairwise
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_modules.store.shards import MAX_SHARDS, new_hdf5, plan_shards, shard_offset, write_shard
from lsemvae.core import files
from lsemvae.core.errors import InputError

SHAPE = (3, 12, 20)
ECG = np.arange(3 * 12 * 20, dtype=np.int16).reshape(SHAPE)


@given(st.integers(1, 2_000_000))
def test_every_recording_is_in_one_shard_and_shards_are_few(n: int) -> None:
    plan = plan_shards(n, 5000)
    spans = [plan.span(number) for number in range(plan.n_shards)]
    assert spans[0].start == 0
    assert spans[-1].stop == n
    assert all(a.stop == b.start for a, b in pairwise(spans))
    assert 1 <= len(spans) <= MAX_SHARDS
    assert all(len(span) for span in spans)


def test_mimic_iv_ecg_makes_256_shards_of_375_megabytes() -> None:
    plan = plan_shards(800_035, 5000)
    assert plan.n_shards == 256
    assert plan.n_bytes(0) == 3126 * 120_000


def test_a_shard_holds_its_blocks_where_its_mark_says(tmp_path: Path) -> None:
    write_shard(tmp_path, 7, key="k", shape=SHAPE, blocks=[ECG[:1], ECG[1:]])
    assert [path.name for path in tmp_path.iterdir()] == ["00007.h5"]
    offset = shard_offset(tmp_path, 7, key="k", shape=SHAPE)
    found = np.fromfile(tmp_path / "00007.h5", "<i2", offset=offset)
    np.testing.assert_array_equal(found, ECG.ravel())
    with h5py.File(tmp_path / "00007.h5") as file:
        np.testing.assert_array_equal(file["ecg"][:], ECG)


def test_the_same_signals_make_the_same_bytes_whatever_the_blocks(tmp_path: Path) -> None:
    for name, cut in (("a", 1), ("b", 2)):
        (tmp_path / name).mkdir()
        write_shard(tmp_path / name, 0, key="k", shape=SHAPE, blocks=[ECG[:cut], ECG[cut:]])
    assert (tmp_path / "a/00000.h5").read_bytes() == (tmp_path / "b/00000.h5").read_bytes()


def test_a_shard_of_another_conversion_or_number_is_refused(tmp_path: Path) -> None:
    write_shard(tmp_path, 0, key="k", shape=SHAPE, blocks=[ECG])
    (tmp_path / "00000.h5").rename(tmp_path / "00001.h5")
    for number, key in ((1, "k"), (1, "other")):
        with pytest.raises(InputError, match="belongs to another store"):
            shard_offset(tmp_path, number, key=key, shape=SHAPE)
    with pytest.raises(InputError, match="there is no store"):
        shard_offset(tmp_path, 0, key="k", shape=SHAPE)


def test_a_failure_while_writing_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_shard(tmp_path, 0, key="k", shape=SHAPE, blocks=[ECG])
    assert list(tmp_path.iterdir()) == []


def test_the_name_comes_after_the_bytes_are_on_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    fsync, replace = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda fd: (order.append("fsync"), fsync(fd)))
    monkeypatch.setattr(os, "replace", lambda *names: (order.append("replace"), replace(*names)))
    monkeypatch.setattr(files, "sync_folder", lambda _: order.append("folder"))
    write_shard(tmp_path, 0, key="k", shape=SHAPE, blocks=[ECG])
    assert order == ["fsync", "replace", "folder"]


def test_errors_of_the_hdf5_library_become_ordinary_ones(tmp_path: Path) -> None:
    text = "Can't write data (file write failed: errno = 28, error message = 'No space left')"
    with pytest.raises(OSError, match="No space left") as caught, new_hdf5(tmp_path / "x.h5"):
        raise RuntimeError(text)
    assert caught.value.errno == errno.ENOSPC
    with pytest.raises(FileExistsError), new_hdf5(tmp_path / "x.h5"):
        pass
