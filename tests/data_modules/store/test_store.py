"""Stores: written whole or not at all, read back as written, the same bytes each time."""

import errno
import os
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

import data_modules.store.write
from data_modules.store.content import StoreDescription
from data_modules.store.mark import MARK_BYTES, quarantined
from data_modules.store.read import EcgStore
from data_modules.store.shards import ShardPlan, shards_root, write_shard
from data_modules.store.write import Accepted, write_store
from lsemvae.core.errors import InputError

T = 50
ROWS = np.array([0, 2, 3])
SETTINGS = {"low_hz": 0.5, "high_hz": None}
PLAN = ShardPlan(n_listed=4, rows=3, n_samples=T)


def signals() -> npt.NDArray[np.int16]:
    return np.random.default_rng(0).integers(-32768, 32767, (4, 12, T), dtype=np.int16)


def table() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "record": ["a/1", "b\u00e4r/2", "c/3"],
            "patient_id": ["007", "8", "9"],
            "mpap_mmhg": [20.5, np.nan, 31.0],
            "sub_LAFB/LPFB": [1, 0, 1],
            "note": ["", "\u03bcV", "x"],
            "signal_sha256": ["0" * 16, "1" * 16, "2" * 16],
        }
    )


def write_shards(store: Path, key: str) -> Path:
    """Write four recordings to two shards, three and one."""
    folder = shards_root(store) / key
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(PLAN.n_shards):
        part = signals()[PLAN.span(number).start : PLAN.span(number).stop]
        write_shard(folder, number, key=key, shape=part.shape, blocks=[part[:1], part[1:]])
    return folder


def write(path: Path, key: str = "k", **changes: Any) -> None:
    fields = {"label": "Set A", "unit": "mV"} | changes
    description = StoreDescription(sampling_rate_hz=250.0, n_samples=T, settings=SETTINGS, **fields)
    present = np.ones((3, 12), dtype=bool)
    present[1, 5] = False
    accepted = Accepted(table(), ROWS, present, synthetic=False, reasons={"rejected": {}})
    folder = write_shards(path, key)
    write_store(path, folder, accepted, plan=PLAN, description=description)


@pytest.fixture(params=["one file", "shards"])
def store_path(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    if request.param == "shards":
        monkeypatch.setattr(data_modules.store.write, "SINGLE_FILE_BYTES", 0)
    write(tmp_path / "s.h5")
    if request.param == "one file":
        shutil.rmtree(shards_root(tmp_path / "s.h5"))
    return tmp_path / "s.h5"


def test_what_was_written_is_read_back(store_path: Path) -> None:
    store = EcgStore(store_path)
    assert len(store) == 3
    assert (store.sampling_rate_hz, store.n_samples) == (250.0, T)
    assert (store.unit, store.label, store.synthetic) == ("mV", "Set A", False)
    assert store.settings == SETTINGS
    assert not store.present[1, 5]
    assert store.present.sum() == 35
    expected = table().astype({"sub_LAFB/LPFB": float})
    pd.testing.assert_frame_equal(store.table, expected, check_dtype=False)
    assert store.table["patient_id"][0] == "007"
    np.testing.assert_array_equal(store.read(np.arange(3)), signals()[ROWS])


def test_any_hdf5_program_reads_the_signals(store_path: Path) -> None:
    with h5py.File(store_path, "r") as file:
        np.testing.assert_array_equal(file["ecg"][:], signals())


def test_batches_come_in_the_order_asked_for(store_path: Path) -> None:
    store = EcgStore(store_path)
    accepted = signals()[ROWS]
    np.testing.assert_array_equal(store.read([2, 0, 2]), accepted[[2, 0, 2]])
    np.testing.assert_array_equal(store.read([1, 0], [7, 3]), accepted[[1, 0]][:, [7, 3]])
    np.testing.assert_array_equal(store.read([1], [3, 4, 5]), accepted[[1], 3:6])
    np.testing.assert_array_equal(store.read([1], [3, 3]), accepted[[1]][:, [3, 3]])
    assert store.read([1, 0], [7, 3]).flags.c_contiguous
    assert store.read([]).shape == (0, 12, T)


def test_a_batch_is_a_copy_and_the_file_is_opened_for_reading_only(store_path: Path) -> None:
    before = store_path.read_bytes()
    store = EcgStore(store_path)
    store.read([0])[:] = 0
    np.testing.assert_array_equal(store.read([0]), signals()[:1])
    with pytest.raises(ValueError, match="read-only"):
        store.present[:] = False
    assert store_path.read_bytes() == before


def test_opening_maps_no_table_and_opens_no_signals(store_path: Path) -> None:
    store = EcgStore(store_path)
    assert not store._maps
    assert not store._files
    store.read([0])
    assert list(store._files) == [0]


def test_a_store_travels_to_workers_without_its_data(store_path: Path) -> None:
    store = EcgStore(store_path)
    store.read([0])
    assert len(store.table) == len(store.present)
    packed = pickle.dumps(store)
    assert len(packed) < 3000
    np.testing.assert_array_equal(pickle.loads(packed).read([1]), store.read([1]))


def test_the_same_input_gives_the_same_bytes(tmp_path: Path, store_path: Path) -> None:
    (tmp_path / "again").mkdir()
    write(tmp_path / "again" / "s.h5")
    assert (tmp_path / "again" / "s.h5").read_bytes() == store_path.read_bytes()


def test_the_digest_follows_the_content_and_not_the_layout(
    tmp_path: Path, store_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = EcgStore(store_path).sha256
    write(tmp_path / "other.h5", label="Set B")
    assert EcgStore(tmp_path / "other.h5").sha256 != digest
    monkeypatch.setattr(data_modules.store.write, "SINGLE_FILE_BYTES", 10**9)
    write(tmp_path / "one.h5", key="other")
    assert EcgStore(tmp_path / "one.h5").sha256 == digest


def change_attribute(name: str, value: object) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        with h5py.File(path, "r+") as file:
            file.attrs[name] = value

    return change


def change_mark(old: bytes, new: bytes) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        content = path.read_bytes()
        head = content[:MARK_BYTES].replace(old, new).ljust(MARK_BYTES, b"\0")[:MARK_BYTES]
        path.write_bytes(head + content[MARK_BYTES:])

    return change


def remove(name: str) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        with h5py.File(path, "r+") as file:
            del file[name]

    return change


def chunk(name: str) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        with h5py.File(path, "r+") as file:
            values = file[name][:]
            del file[name]
            file.create_dataset(name, data=values, chunks=values.shape)

    return change


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1500])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (change_mark(b"store 2", b"store 9"), "of version 9, this program reads version 2"),
        (change_mark(b"lsemvae", b"someone"), "is not a store of lsemvae"),
        (change_mark(b"{", b"["), "is damaged"),
        (change_attribute("sha256", "0" * 64), "is damaged"),
        (change_attribute("leads", "I,II"), "is damaged"),
        (change_attribute("shards", "../elsewhere"), "is damaged"),
        (change_attribute("listed", 5), "is damaged"),
        (remove("row"), "is damaged"),
        (remove("table/1"), "is damaged"),
        (chunk("ecg"), "is damaged"),
        (chunk("row"), "is damaged"),
        (cut, "is damaged|cut short"),
        (lambda path: path.write_text("a,b\n1,2\n"), "is not a store of lsemvae"),
        (lambda path: path.write_bytes(b""), "is not a store of lsemvae"),
        (lambda path: path.unlink(), "there is no store .*lsemvae prepare"),
    ],
)
def test_anything_but_a_sound_store_is_refused(
    store_path: Path, change: Callable[[Path], object], message: str
) -> None:
    change(store_path)
    with pytest.raises(InputError, match=message):
        EcgStore(store_path)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("patients.xlsx", "but a table; make one of it: `lsemvae prepare cohort --table"),
        ("last.ckpt", "but a trained network; name the store of its recordings"),
        ("c.h5.quarantine.csv", "but the list of what was found in c.h5: name that"),
    ],
)
def test_another_file_of_a_study_is_told_for_what_it_is(
    name: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path(name).write_text("a,b\n")
    with pytest.raises(InputError) as caught:
        EcgStore(name)
    assert told in str(caught.value)


def test_a_file_without_our_mark_never_reaches_the_hdf5_library(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with h5py.File(tmp_path / "old.h5", "w") as file:
        file.attrs["format"] = "lsemvae-store"
    monkeypatch.setattr(h5py, "File", None)
    with pytest.raises(InputError, match=r"one of version 1, which .* no longer reads; prepare"):
        EcgStore(tmp_path / "old.h5")


@pytest.fixture
def sharded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(data_modules.store.write, "SINGLE_FILE_BYTES", 0)
    write(tmp_path / "s.h5")
    return tmp_path / "s.h5"


def test_missing_and_short_shards_are_named_on_opening(sharded: Path) -> None:
    shard = shards_root(sharded) / "k" / "00001.h5"
    os.truncate(shard, 100)
    with pytest.raises(
        InputError, match=r"lacks 1 of its 2 shards.*00001.h5.*copy the folder s.h5.s"
    ):
        EcgStore(sharded)
    shutil.rmtree(shards_root(sharded))
    with pytest.raises(InputError, match="lacks 2 of its 2 shards"):
        EcgStore(sharded)


def test_a_foreign_shard_is_refused_when_it_is_read(sharded: Path, tmp_path: Path) -> None:
    folder = shards_root(sharded) / "k"
    store = EcgStore(sharded)
    other = write_shards(tmp_path / "other.h5", "k2")
    shutil.copy(other / "00001.h5", folder / "00001.h5")
    np.testing.assert_array_equal(store.read([0]), signals()[:1])
    with pytest.raises(InputError, match=r"00001.h5 belongs to another store"):
        store.read([2])


def test_a_moved_store_takes_its_folder_along(sharded: Path, tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    shutil.move(sharded, tmp_path / "new")
    shutil.move(shards_root(sharded), tmp_path / "new")
    moved = EcgStore(tmp_path / "new" / "s.h5")
    np.testing.assert_array_equal(moved.read([2, 0]), signals()[[3, 0]])
    with h5py.File(moved.path, "r") as file:
        np.testing.assert_array_equal(file["ecg"][3], signals()[3])


def test_a_store_replaced_while_in_use_is_noticed(store_path: Path) -> None:
    store = EcgStore(store_path)
    write(store_path, label="a longer label, so that the signals move")
    with pytest.raises(InputError, match="was replaced while in use"):
        store.read([0])


def test_a_store_cut_short_while_in_use_is_noticed(store_path: Path) -> None:
    store = EcgStore(store_path)
    store.read([0])
    file, offset = store._files[0]
    os.truncate(file.name, offset + 12 * T)
    with pytest.raises(InputError, match="was cut short while in use"):
        store.read([0])


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_failure_leaves_the_old_store_and_no_rubbish(
    store_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    shards = write_shards(store_path, "new")
    before = {path: path.read_bytes() for path in store_path.parent.rglob("*") if path.is_file()}

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, step, full)
    description = StoreDescription(250.0, T, "mV", "new", {})
    accepted = Accepted(table(), ROWS, np.ones((3, 12), bool), synthetic=True, reasons={})
    with pytest.raises(OSError, match="No space left"):
        write_store(store_path, shards, accepted, plan=PLAN, description=description)
    after = {path: path.read_bytes() for path in store_path.parent.rglob("*") if path.is_file()}
    assert after == before


@pytest.mark.parametrize(
    "content", [b"", b"[]", bytes(range(256)), b"record,outcome,code,message,remedy\r\nr1,rejec"]
)
def test_a_damaged_quarantine_list_is_one_line(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "s.h5.quarantine.csv").write_bytes(content)
    with pytest.raises(InputError, match=r"s\.h5\.quarantine\.csv is cut, changed or damaged"):
        quarantined(tmp_path / "s.h5")
