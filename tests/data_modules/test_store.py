"""Stores: written whole or not at all, read back as written, the same bytes each time."""

import errno
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

from data_modules.store import EcgStore
from data_modules.store_writer import StoreDescription, StoreWriter, check_output
from lsemvae.errors import InputError

T = 50
ROWS = np.array([0, 2, 3])
SETTINGS = {"low_hz": 0.5, "high_hz": None}


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


def write(path: Path, **changes: Any) -> None:
    fields = {"label": "Set A", "unit": "mV"} | changes
    description = StoreDescription(sampling_rate_hz=250.0, n_samples=T, settings=SETTINGS, **fields)
    present = np.ones((3, 12), dtype=bool)
    present[1, 5] = False
    with StoreWriter(path, n_listed=4, description=description) as writer:
        writer.write(2, signals()[2:])
        writer.write(0, signals()[:2])
        writer.finish(table(), rows=ROWS, present=present, synthetic=False)


@pytest.fixture
def store_path(tmp_path: Path) -> Path:
    write(tmp_path / "s.h5")
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


def test_batches_come_in_the_order_asked_for(store_path: Path) -> None:
    store = EcgStore(store_path)
    accepted = signals()[ROWS]
    np.testing.assert_array_equal(store.read([2, 0, 2]), accepted[[2, 0, 2]])
    np.testing.assert_array_equal(store.read([1, 0], [7, 3]), accepted[[1, 0]][:, [7, 3]])
    assert store.read([1, 0], [7, 3]).flags.c_contiguous
    assert store.read([]).shape == (0, 12, T)


def test_a_batch_is_a_copy_and_the_file_is_opened_for_reading_only(store_path: Path) -> None:
    before = store_path.read_bytes()
    batch = EcgStore(store_path).read([0])
    batch[:] = 0
    assert store_path.read_bytes() == before


def test_opening_reads_no_signal(store_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = EcgStore(store_path)
    assert store._ecg is None
    store.read([0])
    assert isinstance(store._ecg, np.memmap)


def test_a_store_travels_to_workers_without_its_map(store_path: Path) -> None:
    store = EcgStore(store_path)
    store.read([0])
    packed = pickle.dumps(store)
    assert len(packed) < 5000
    np.testing.assert_array_equal(pickle.loads(packed).read([1]), store.read([1]))


def test_the_same_input_gives_the_same_bytes(tmp_path: Path, store_path: Path) -> None:
    write(tmp_path / "again.h5")
    assert (tmp_path / "again.h5").read_bytes() == store_path.read_bytes()


def test_the_digest_follows_the_content(tmp_path: Path, store_path: Path) -> None:
    write(tmp_path / "other.h5", label="Set B")
    assert EcgStore(tmp_path / "other.h5").sha256 != EcgStore(store_path).sha256


def change_attribute(name: str, value: object) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        with h5py.File(path, "r+") as file:
            file.attrs[name] = value

    return change


def remove(name: str) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        with h5py.File(path, "r+") as file:
            del file[name]

    return change


def chunk_the_signals(path: Path) -> None:
    with h5py.File(path, "r+") as file:
        ecg = file["ecg"][:]
        del file["ecg"]
        file.create_dataset("ecg", data=ecg, chunks=(1, 12, T))


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-3000])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (change_attribute("version", 2), "is a store of version 2, this program reads version 1"),
        (change_attribute("format", "other"), "is not a store of lsemvae"),
        (change_attribute("leads", "I,II"), "is damaged"),
        (remove("row"), "is damaged"),
        (remove("table/1"), "is damaged"),
        (chunk_the_signals, "is damaged"),
        (cut, "is damaged|cannot be read"),
        (lambda path: path.write_text("a,b\n1,2\n"), "is not a store of lsemvae"),
        (lambda path: path.unlink(), "there is no store .*lsemvae prepare"),
    ],
)
def test_anything_but_a_sound_store_is_refused(
    store_path: Path, change: Callable[[Path], object], message: str
) -> None:
    change(store_path)
    with pytest.raises(InputError, match=message):
        EcgStore(store_path)


def test_a_store_replaced_while_in_use_is_noticed(store_path: Path) -> None:
    store = EcgStore(store_path)
    write(store_path, label="a longer label, so that the signals move")
    with pytest.raises(InputError, match="was replaced while in use"):
        store.read([0])


def test_a_failure_leaves_the_old_store_and_no_rubbish(store_path: Path) -> None:
    before = store_path.read_bytes()
    description = StoreDescription(250.0, T, "mV", "new", {})

    def fail_midway() -> None:
        with StoreWriter(store_path, n_listed=4, description=description) as writer:
            writer.write(0, signals())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_midway()
    assert store_path.read_bytes() == before
    assert list(store_path.parent.iterdir()) == [store_path]


def test_a_full_disk_is_one_clear_line(store_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = store_path.read_bytes()
    full = OSError(errno.ENOSPC, "No space left on device")
    monkeypatch.setattr(h5py.File, "flush", lambda _: (_ for _ in ()).throw(full))
    with pytest.raises(InputError, match=r"cannot write .*No space left") as caught:
        write(store_path)
    assert "\n" not in str(caught.value)
    assert store_path.read_bytes() == before
    assert list(store_path.parent.iterdir()) == [store_path]


def test_the_free_space_is_checked_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10, 9, 1))
    with pytest.raises(InputError, match=r"needs 0.02 GB .* has 0.00 GB free"):
        write(tmp_path / "s.h5")
    assert list(tmp_path.iterdir()) == []


def test_a_second_writer_is_refused_and_a_killed_one_is_taken_over(tmp_path: Path) -> None:
    description = StoreDescription(250.0, T, "mV", "x", {})
    path = tmp_path / "s.h5"
    with StoreWriter(path, n_listed=4, description=description):
        with pytest.raises(InputError, match="another process is writing"):
            write(path)
        assert (tmp_path / "s.h5.tmp").exists()
    (tmp_path / "s.h5.tmp").write_bytes(b"left by a killed run")
    write(path)
    assert len(EcgStore(path)) == 3
    assert list(tmp_path.iterdir()) == [path]


def test_an_impossible_target_is_named(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="cannot be made"):
        check_output(tmp_path / "notes.txt" / "s.h5")
    with pytest.raises(InputError, match="it is a folder"):
        check_output(tmp_path)
    with pytest.raises(InputError, match="not replaced"):
        check_output(tmp_path / "notes.txt")
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_a_store_of_another_version_may_be_replaced(store_path: Path) -> None:
    change_attribute("version", 99)(store_path)
    write(store_path)
    assert len(EcgStore(store_path)) == 3
