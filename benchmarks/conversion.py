"""Time conversion against plain ways to the same signals, and see where its time goes.

All on one core, in turn, over the same synthetic recordings (12 leads, 10 s, 500 Hz, format 16),
in CPU seconds of this process, which other programs on the machine disturb less than the clock:
  ours              `convert_shard`: read, verify, check, filter, digest, write to the disk
  rdrecord + scipy  wfdb.rdrecord, scipy.signal.sosfiltfilt with our sections; nothing else
  rdsamp + neurokit wfdb.rdsamp, neurokit2.ecg_clean lead by lead, z-score; nothing else
Then the whole command with one and with two workers, by the clock.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks.machine import describe_machine, write_results
from data_modules.conversion import block
from data_modules.conversion import convert as conversion
from data_modules.conversion.convert import ShardWork, convert_shard
from data_modules.conversion.prepare import prepare_mimic
from data_modules.signals import band_filter
from data_modules.signals import clean as signal
from data_modules.signals.settings import SignalSettings
from data_modules.simulation.files import write_mimic
from data_modules.store.shards import plan_shards, shard_offset, shard_path

SETTINGS = SignalSettings()
RATE_HZ = 500.0


def convert_ours(source: Path, records: Sequence[str], folder: Path) -> None:
    """Convert to one shard."""
    plan = plan_shards(len(records), SETTINGS.n_samples)._replace(rows=len(records))
    convert_shard(ShardWork(source, "calibrated", SETTINGS, plan, folder), 0, records)


def plain_scipy(source: Path, records: Sequence[str]) -> list[Any]:
    """Read with wfdb and filter with scipy."""
    import wfdb
    from scipy.signal import sosfiltfilt

    sections = band_filter._sections(RATE_HZ, SETTINGS.low_hz, SETTINGS.high_hz, None)
    padding = 3 * (2 * len(sections) + 1)
    found = []
    for record in records:
        ecg = wfdb.rdrecord(str(source / record)).p_signal
        found.append(sosfiltfilt(sections, ecg, axis=0, padlen=padding))
    return found


def plain_neurokit(source: Path, records: Sequence[str]) -> list[Any]:
    """Read with wfdb and clean with neurokit2, lead by lead."""
    import neurokit2
    import wfdb

    found = []
    for record in records:
        ecg, _ = wfdb.rdsamp(str(source / record))
        leads = [neurokit2.ecg_clean(lead, sampling_rate=int(RATE_HZ)) for lead in ecg.T]
        clean = np.stack(leads)
        found.append((clean - clean.mean(-1, keepdims=True)) / clean.std(-1, keepdims=True))
    return found


def largest_difference(folder: Path, source: Path, records: Sequence[str]) -> int:
    """Compare our counts with those of the plain way, in counts of 1 uV."""
    import wfdb

    from lsemvae.core.leads import lead_indices

    shape = (len(records), 12, SETTINGS.n_samples)
    offset = shard_offset(folder, 0, key=folder.name, shape=shape)
    ours = np.fromfile(shard_path(folder, 0), "<i2", offset=offset).reshape(shape)
    names = wfdb.rdheader(str(source / records[0])).sig_name
    plain = np.stack(plain_scipy(source, records)).transpose(0, 2, 1)
    return int(np.abs(ours[:, lead_indices(names)] - np.rint(plain * 1000)).max())


def time_in_turn(
    variants: dict[str, Callable[[], object]], rounds: int, n_records: int
) -> dict[str, Any]:
    """Return milliseconds per record of each variant: median, fastest and slowest round."""
    seconds: dict[str, list[float]] = {name: [] for name in variants}
    for number in range(rounds + 1):
        for name, run in variants.items():
            start = time.process_time()
            run()
            if number:  # the first round imports and designs filters
                seconds[name].append(time.process_time() - start)
    scale = 1000 / n_records
    return {
        name: {
            "ms": statistics.median(each) * scale,
            "fastest_ms": min(each) * scale,
            "slowest_ms": max(each) * scale,
            "records_per_s": 1000 / (statistics.median(each) * scale),
        }
        for name, each in seconds.items()
    }


@contextmanager
def clocks(*places: tuple[Any, str, str]) -> Iterator[dict[str, float]]:
    """Add up the CPU seconds inside functions, each (module, function, name of its clock)."""
    spent: dict[str, float] = dict.fromkeys((clock for _, _, clock in places), 0.0)
    originals = [(module, name, getattr(module, name)) for module, name, _ in places]

    def timed(function: Callable[..., Any], clock: str) -> Callable[..., Any]:
        def run(*args: Any, **named: Any) -> Any:
            start = time.process_time()
            try:
                return function(*args, **named)
            finally:
                spent[clock] += time.process_time() - start

        return run

    for (module, name, function), (_, _, clock) in zip(originals, places, strict=True):
        setattr(module, name, timed(function, clock))
    try:
        yield spent
    finally:
        for module, name, function in originals:
            setattr(module, name, function)


def shares(source: Path, records: Sequence[str], folder: Path) -> dict[str, float]:
    """Return which share of the time goes into each part of the work."""
    places = (
        (block, "read_recording", "reading"),
        (block, "clean_ecg", "cleaning"),
        (signal, "_filter_and_resample", "filtering"),
        (block, "signal_digest", "digesting"),
        (conversion, "convert_block", "blocks"),
    )
    start = time.process_time()
    with clocks(*places) as spent:
        convert_ours(source, records, folder)
    whole = time.process_time() - start
    parts = {
        "reading and verifying": spent["reading"],
        "checking and repairing": spent["cleaning"] - spent["filtering"],
        "filtering": spent["filtering"],
        "digests": spent["digesting"],
        "writing": whole - spent["blocks"],
    }
    parts["the rest"] = whole - sum(parts.values())
    return {name: seconds / whole for name, seconds in parts.items()}


def scaling(source: Path, folder: Path, rounds: int, n_records: int) -> dict[str, Any]:
    """Run the whole command with one and two workers in turn; the fastest round counts."""
    seconds: dict[int, list[float]] = {1: [], 2: []}
    for number in range(rounds + 1):
        for jobs, each in seconds.items():
            start = time.perf_counter()
            prepare_mimic(str(source), str(folder / f"{jobs}.h5"), jobs=jobs)
            if number:  # the first round starts the workers
                each.append(time.perf_counter() - start)
    best = {jobs: min(each) for jobs, each in seconds.items()}
    rates = {f"{jobs} worker(s), records/s": n_records / each for jobs, each in best.items()}
    return {**rates, "2 workers against 1": best[1] / best[2]}


WAYS = {
    "ours": "ours: read, verify, check, filter, digest, write",
    "rdrecord + scipy": "`wfdb.rdrecord` + `sosfiltfilt` with our sections, nothing else",
    "rdsamp + neurokit": "`wfdb.rdsamp` + neurokit2 `ecg_clean` by lead + z-score, nothing else",
}


def as_markdown(results: dict[str, Any]) -> str:
    """Write the variants, the shares and the scaling."""
    variants, scaled = results["variants"], results["scaling"]
    ours = variants["ours"]["ms"]
    lines = ["| way, one core | ms of CPU a record | fastest - slowest | records/s "
             "| ours is faster by |", "|---|---|---|---|---|"]  # fmt: skip
    for name, row in variants.items():
        spread = f"{row['fastest_ms']:.2f} - {row['slowest_ms']:.2f}"
        cells = f"{row['ms']:.2f} | {spread} | {row['records_per_s']:.0f} | {row['ms'] / ours:.1f}"
        lines.append(f"| {WAYS[name]} | {cells} |")
    others = [name for name in variants if name != "ours"]
    heads = " | ".join(f"against {one} without it" for one in others)
    lines += ["", f"| part of our time | share | {heads} |",
              f"|---|---|{'---|' * len(others)}"]  # fmt: skip
    for part, share in results["shares"].items():
        floors = (f"{variants[one]['ms'] / ours / (1 - share):.1f}" for one in others)
        lines.append(f"| {part} | {share:.0%} | {' | '.join(floors)} |")
    lines += ["", "| whole command | |", "|---|---|"]
    lines += [f"| {name} | {value:.3g} |" for name, value in scaled.items()]
    different = results["largest_difference_uv"]
    return "\n".join([*lines, "", f"Largest difference from rdrecord + scipy: {different} uV.", ""])


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and write JSON and Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=96, help="of the side by side comparison")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--patients", type=int, default=1000, help="of the whole command, 2 each")
    parser.add_argument("--without_neurokit", action="store_true", help="where it is not installed")
    parser.add_argument("--out", default="reports/conversion.json")
    parser.add_argument("--page", type=Path, help="Markdown file whose marked part is replaced")
    options = parser.parse_args(arguments)
    results: dict[str, Any] = {"machine": describe_machine()}
    with tempfile.TemporaryDirectory() as name:
        source, folder = Path(name) / "source", Path(name) / "shard"
        folder.mkdir()
        listed = write_mimic(source, n_patients=options.patients)["path"].tolist()
        records = listed[: options.records]
        variants: dict[str, Callable[[], object]] = {
            "ours": lambda: convert_ours(source, records, folder),
            "rdrecord + scipy": lambda: plain_scipy(source, records),
        }
        if not options.without_neurokit:
            variants["rdsamp + neurokit"] = lambda: plain_neurokit(source, records)
        results["records"] = len(records)
        with threadpool_limits(1):  # as the command does: waiting threads are no work
            results["variants"] = time_in_turn(variants, options.rounds, len(records))
        results["largest_difference_uv"] = largest_difference(folder, source, records)
        if results["largest_difference_uv"] > 1:
            raise ValueError("the two ways give other signals, so their times say nothing")
        with threadpool_limits(1):
            results["shares"] = shares(source, records, folder)
        results["scaling"] = scaling(source, Path(name), min(options.rounds, 3), len(listed))
    write_results(
        Path(options.out), results, as_markdown(results), page=options.page,
        program="benchmarks.conversion",
    )  # fmt: skip


if __name__ == "__main__":
    main()
