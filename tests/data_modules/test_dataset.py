"""Batches of one or several stores, and what they cost in memory."""

import pickle
import shutil
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from sklearn.model_selection import GroupShuffleSplit
from sparse_store import write_sparse_store

from data_modules.dataset import EcgDataset, EcgPool
from data_modules.epoch_batches import batch_loader
from data_modules.mimic_ecg import MimicEcg
from lsemvae.core.errors import InputError

# Bytes of Python and NumPy that a process may hold for each record of a store of any size: an
# index and a split (8 each), flags (12), a patient's number (8), and a sampler's order (40).
BYTES_PER_RECORD = 150


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return write_sparse_store(tmp_path / "a.h5", n_records=3000, n_samples=40)


def test_a_batch_names_its_records(store: Path) -> None:
    pool = EcgPool([str(store)])
    batch = EcgDataset(pool, np.arange(3000), leads=["II", "V1"]).__getitems__([2999, 5])
    table = pool.table.iloc[[2999, 5]]
    assert batch.record.tolist() == table["record"].tolist()
    assert batch.patient_id.tolist() == table["patient_id"].tolist()
    assert batch.ecg.shape == (2, 2, 40)
    assert batch.present.tolist() == pool.present[[2999, 5]][:, [1, 6]].tolist()


def test_several_stores_keep_their_names_apart(store: Path, tmp_path: Path) -> None:
    other = write_sparse_store(tmp_path / "b.h5", n_records=300, n_samples=40, label="B")
    pool = EcgPool([str(store), str(other)])
    rows = np.array([0, 3299, 2999, 3000])
    assert pool.names("patient_id", rows).tolist() == pool.table["patient_id"][rows].tolist()
    assert pool.names("record", rows)[1].startswith("B/")
    assert len(np.unique(pool.patients(np.arange(3300)))) == pool.table["patient_id"].nunique()
    dataset = pickle.loads(pickle.dumps(EcgDataset(pool, rows, leads=["I"])))
    assert dataset.record.tolist() == pool.names("record", rows).tolist()


def test_the_split_by_patient_is_that_of_the_ids_themselves(store: Path) -> None:
    """Numbering the patients must not move any to the other side."""
    data = MimicEcg(str(store), val_fraction=0.1, seed=3)
    data.setup("fit")
    patients = data.pool.table["patient_id"].to_numpy(dtype=str)
    splitter = GroupShuffleSplit(1, test_size=0.1, random_state=3)
    train, val = next(splitter.split(patients, groups=patients))
    np.testing.assert_array_equal(data.train_set.indices, train)
    np.testing.assert_array_equal(data.val_set.indices, val)
    assert not set(data.train_set.patient_id) & set(data.val_set.patient_id)


def test_a_process_holds_little_for_each_record(tmp_path: Path) -> None:
    """Opening, splitting, shuffling and the first batch, at two sizes; the difference counts."""
    peaks = []
    for n in (5_000, 50_000):
        path = write_sparse_store(tmp_path / f"{n}.h5", n_records=n, n_samples=40)
        tracemalloc.start()
        data = MimicEcg(str(path), batch_size=8)
        data.setup("fit")
        assert len(next(iter(data.train_dataloader())).record) == 8
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert (peaks[1] - peaks[0]) / 45_000 < BYTES_PER_RECORD


def test_what_travels_to_a_worker_does_not_grow_with_the_store(tmp_path: Path) -> None:
    sizes = []
    for n in (1_000, 20_000):
        path = write_sparse_store(tmp_path / f"{n}.h5", n_records=n, n_samples=40)
        dataset = EcgDataset(EcgPool([str(path)]), np.arange(n), leads=["I"])
        dataset.__getitems__([0, 1])
        sizes.append(len(pickle.dumps(dataset)))
    assert (sizes[1] - sizes[0]) / 19_000 < 8.1  # the chosen rows


def test_workers_read_what_the_main_process_reads(store: Path) -> None:
    dataset = EcgDataset(EcgPool([str(store)]), np.arange(600), leads=["I", "V6"])
    own = [batch.record.tolist() for batch in batch_loader(dataset, 256)]
    workers = [batch.record.tolist() for batch in batch_loader(dataset, 256, num_workers=2)]
    assert workers == own


def test_a_store_named_twice_is_refused_as_its_recordings_would_count_twice(
    store: Path, tmp_path: Path
) -> None:
    copy = shutil.copy(store, tmp_path / "copy.h5")
    for again in (str(store), str(copy)):
        with pytest.raises(InputError) as found:
            EcgPool([str(store), again])
        assert str(found.value) == (
            f"{store} and {again} hold the same recordings, which would count twice; name one of "
            "them"
        )
