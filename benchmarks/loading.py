"""Read batches of 128 in shuffled order from every layout on offer.

The same signals lie in each layout. Single-process readers are compared by CPU seconds of the
process, whole loaders by the clock and by the CPU seconds of all their processes. `np.memmap` of
one plain file is the ceiling. The file system's cache is warm, except where a row says `cold`: then
the files were dropped from it before.
"""

import argparse
import os
import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmarks.machine import describe_machine, write_results
from data_modules.dataset import EcgDataset, EcgPool
from data_modules.epoch_batches import batch_loader
from data_modules.simulation.files import write_mimic
from data_modules.store.content import StoreDescription, signal_digest
from data_modules.store.read import EcgStore
from data_modules.store.shards import plan_shards, shards_root, write_shard
from data_modules.store.write import Accepted, write_store
from lsemvae.core.leads import LEADS

BATCH = 128
T = 5000
SETTINGS = {"low_hz": 0.5, "high_hz": 40.0, "powerline_hz": None, "segment": "record"}
Read = Callable[[npt.NDArray[np.int64]], object]


def make_signals(n: int) -> npt.NDArray[np.int16]:
    """Draw (n, 12, T) counts that compress like ECGs: smooth, with noise of some counts."""
    rng = np.random.default_rng(0)
    time_s = np.arange(T) / 500
    waves = np.stack([np.sin(2 * np.pi * k * time_s) for k in (1, 2, 5, 9)])
    ecg = rng.normal(0, 200, (n, 12, 4)) @ waves
    ecg += rng.normal(0, 4, ecg.shape)
    return np.rint(ecg).astype(np.int16)


def write_layouts(folder: Path, ecg: npt.NDArray[np.int16]) -> dict[str, Path]:
    """Write the signals in every layout; our store in shards, as a large one."""
    import data_modules.store.write

    paths = {"memmap": folder / "plain.bin", "h5py": folder / "chunks.h5"}
    ecg.tofile(paths["memmap"])
    with h5py.File(paths["h5py"], "w") as file:
        file.create_dataset("ecg", data=ecg, chunks=(1, 12, T))
    try:
        import hdf5plugin
    except ImportError:
        pass
    else:
        paths["lz4"] = folder / "lz4.h5"
        with h5py.File(paths["lz4"], "w") as file:
            compression = hdf5plugin.Bitshuffle(cname="lz4")
            file.create_dataset("ecg", data=ecg, chunks=(1, 12, T), compression=compression)
    paths["store"] = folder / "store.h5"
    plan = plan_shards(len(ecg), T)
    shards = shards_root(paths["store"]) / "k"
    shards.mkdir(parents=True)
    for number in range(plan.n_shards):
        rows = plan.span(number)
        part = ecg[rows.start : rows.stop]
        write_shard(shards, number, key="k", shape=part.shape, blocks=[part])
    names = [str(i) for i in range(len(ecg))]
    table = pd.DataFrame(
        {"record": names, "patient_id": names, "signal_sha256": [signal_digest(one) for one in ecg]}
    )
    rows_, present = np.arange(len(ecg)), np.ones((len(ecg), 12), np.bool_)
    description = StoreDescription(500.0, T, "mV", "benchmark", SETTINGS)
    single = data_modules.store.write.SINGLE_FILE_BYTES
    data_modules.store.write.SINGLE_FILE_BYTES = 0
    accepted = Accepted(table, rows_, present, synthetic=True, reasons={})
    write_store(paths["store"], shards, accepted, plan=plan, description=description)
    data_modules.store.write.SINGLE_FILE_BYTES = single
    return paths


def files_of(path: Path) -> list[Path]:
    """Return the files that hold a layout's signals."""
    shards = shards_root(path)
    return sorted(shards.rglob("*.h5")) if shards.is_dir() else [path]


def drop_from_cache(files: Sequence[Path]) -> None:
    """Have the system forget files that are on the disk."""
    for file in files:
        descriptor = os.open(file, os.O_RDONLY)
        os.fsync(descriptor)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(descriptor)


def open_reader(name: str, path: Path, n: int) -> Read:
    """Return a function that reads a batch of records."""
    if name == "memmap":
        plain = np.memmap(path, "<i2", "r", shape=(n, 12, T))
        return lambda rows: np.asarray(plain[rows])
    if name == "store":
        return EcgStore(path).read
    if name == "lz4":
        import hdf5plugin  # noqa: F401 (registers the filter)
    ecg = h5py.File(path, "r")["ecg"]
    return lambda rows: np.stack([ecg[row] for row in rows.tolist()])


def shuffled(n: int, seed: int) -> Iterator[npt.NDArray[np.int64]]:
    """Yield whole batches of a permutation."""
    order = np.random.default_rng(seed).permutation(n)
    yield from order[: n // BATCH * BATCH].reshape(-1, BATCH)


def time_readers(readers: dict[str, Read], n: int, rounds: int) -> dict[str, dict[str, float]]:
    """Read every record once in each round, all readers in turn."""
    spent: dict[str, list[float]] = {name: [] for name in readers}
    for seed in range(rounds + 1):
        for name, read in readers.items():
            start = time.process_time()
            for rows in shuffled(n, seed):
                read(rows)
            if seed:
                spent[name].append(time.process_time() - start)
    done = n // BATCH * BATCH
    rates = {name: done / statistics.median(each) for name, each in spent.items()}
    return {
        name: {"records_per_cpu_s": rate, "share_of_memmap": rate / rates["memmap"]}
        for name, rate in rates.items()
    }


def time_cold(paths: dict[str, Path], n: int) -> dict[str, float]:
    """Read shuffled batches by the clock after the files were dropped from the cache."""
    rates = {}
    for name, path in paths.items():
        drop_from_cache(files_of(path))
        read, start, done = open_reader(name, path, n), time.perf_counter(), 0
        for rows in shuffled(n, 0):
            read(rows)
            done += BATCH
            if done >= 2048:
                break
        rates[name] = done / (time.perf_counter() - start)
    return rates


class PlainDataset:
    """What a loader of plain files would be: one memory map, int16 batches."""

    def __init__(self, path: Path, n: int) -> None:
        import torch

        self._read, self._n, self._wrap = open_reader("memmap", path, n), n, torch.from_numpy

    def __len__(self) -> int:
        """Return the number of records."""
        return self._n

    def __getitem__(self, position: int) -> Any:
        """Return one record."""
        return self.__getitems__([position])

    def __getitems__(self, positions: list[int]) -> Any:
        """Return a batch."""
        return self._wrap(self._read(np.asarray(positions)))


def time_loader(dataset: Any, workers: int, epochs: int) -> dict[str, float]:
    """Return records/s by the clock and by the CPU seconds of all processes of a loader.

    Without workers also those of the first epoch, in which records are compared with what was
    written, and of the later ones.
    """

    def cpu() -> float:
        own = resource.getrusage(resource.RUSAGE_SELF)
        ended = resource.getrusage(resource.RUSAGE_CHILDREN)
        return own.ru_utime + own.ru_stime + ended.ru_utime + ended.ru_stime

    start_cpu = cpu()
    loader = batch_loader(dataset, BATCH, shuffle=True, num_workers=workers)
    for _ in loader:  # starts the workers, touches every page, compares every record's SHA-256
        pass
    first_cpu, start = cpu(), time.perf_counter()
    for _ in range(epochs):
        for _ in loader:
            pass
    rate, later_cpu = epochs * len(dataset) / (time.perf_counter() - start), cpu()
    del loader  # ends the workers, whose CPU seconds are known only then
    found = {
        "records_per_s": rate,
        "records_per_cpu_s_with_start": (epochs + 1) * len(dataset) / (cpu() - start_cpu),
    }
    if workers == 0:
        found["first_epoch_per_cpu_s"] = len(dataset) / (first_cpu - start_cpu)
        found["later_epochs_per_cpu_s"] = epochs * len(dataset) / (later_cpu - first_cpu)
    return found


def time_wfdb(folder: Path, n: int) -> float:
    """Return records per CPU second of wfdb.rdrecord, one by one."""
    import wfdb

    listed = write_mimic(folder / "wfdb", n_patients=n // 2)["path"]
    wfdb.rdrecord(str(folder / "wfdb" / listed[0]))
    start = time.process_time()
    for record in listed:
        wfdb.rdrecord(str(folder / "wfdb" / record))
    return len(listed) / (time.process_time() - start)


def as_markdown(results: dict[str, Any]) -> str:
    """Write readers and loaders as tables."""
    lines = [
        "| reader, one process | MB | records per CPU-second | share of memmap | cold, records/s |"
    ]
    lines.append("|---|---|---|---|---|")
    for name, row in results["readers"].items():
        cold, size = results["cold"].get(name), results["megabytes"].get(name)
        texts = (f"{size:.0f}", f"{row['records_per_cpu_s']:,.0f}", f"{row['share_of_memmap']:.2f}")
        lines.append(f"| {name} | {' | '.join(texts)} | {cold:,.0f} |")
    lines.append(f"| wfdb, one by one | | {results['wfdb_records_per_cpu_s']:,.0f} | | |")
    lines += ["", "| loader | workers | records/s | per CPU-second, all with start "
              "| first epoch, verified | later epochs | share of memmap |",
              "|---|---|---|---|---|---|---|"]  # fmt: skip
    best = {row["workers"]: row for row in results["loaders"] if row["dataset"] == "memmap"}
    for row in results["loaders"]:
        key = "later_epochs_per_cpu_s" if not row["workers"] else "records_per_cpu_s_with_start"
        cells = [row["dataset"], str(row["workers"]), f"{row['records_per_s']:,.0f}",
                 f"{row['records_per_cpu_s_with_start']:,.0f}"]  # fmt: skip
        cells += [
            f"{row[name]:,.0f}" if name in row else ""
            for name in ("first_epoch_per_cpu_s", "later_epochs_per_cpu_s")
        ]
        lines.append(f"| {' | '.join(cells)} | {row[key] / best[row['workers']][key]:.2f} |")
    return "\n".join([*lines, ""])


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and write JSON and Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=4096)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--workers", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--folder", help="where to write the layouts; a temporary one by default")
    parser.add_argument("--out", default="reports/loading.json")
    parser.add_argument("--page", type=Path, help="Markdown file whose marked part is replaced")
    options = parser.parse_args(arguments)
    n = options.records
    results: dict[str, Any] = {"machine": describe_machine(), "records": n, "batch": BATCH}
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        paths = write_layouts(Path(name), make_signals(n))
        sizes = {key: sum(f.stat().st_size for f in files_of(p)) for key, p in paths.items()}
        results["megabytes"] = {key: size / 1e6 for key, size in sizes.items()}
        readers = {key: open_reader(key, path, n) for key, path in paths.items()}
        limb = EcgStore(paths["store"])
        results["readers"] = time_readers(readers, n, options.rounds)
        limb_only = {"memmap": readers["memmap"], "six": lambda rows: limb.read(rows, range(6))}
        six = time_readers(limb_only, n, options.rounds)["six"]
        results["six_limb_leads"] = six
        results["wfdb_records_per_cpu_s"] = time_wfdb(Path(name), 256)
        del readers, limb_only  # pages that are mapped cannot be dropped from the cache
        results["cold"] = time_cold(paths, n)
        pool = EcgPool([str(paths["store"])])
        datasets = {
            "store": EcgDataset(pool, np.arange(n), leads=LEADS),
            "store, six leads": EcgDataset(pool, np.arange(n), leads=LEADS[:6]),
            "memmap": PlainDataset(paths["memmap"], n),
        }
        results["loaders"] = [
            {"dataset": key, "workers": workers, **time_loader(dataset, workers, options.rounds)}
            for workers in options.workers
            for key, dataset in datasets.items()
        ]
    write_results(
        Path(options.out), results, as_markdown(results), page=options.page,
        program="benchmarks.loading",
    )  # fmt: skip


if __name__ == "__main__":
    main()
