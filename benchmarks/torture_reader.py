"""Fuzz the reader: damaged recordings of every kind, under a watch on time and memory.

Run `python -m benchmarks.torture_reader`. Each mutant is read and cleaned in a process of its own
pool; it must end as an outcome with a reason code. Counted as failures are: a crash, a hang, any
other exception, too much memory, a result out of its promised form, and a recording that was
accepted although an independent computation says that its checksum does not match.
"""

import argparse
import contextlib
import json
import multiprocessing
import os
import resource
import shutil
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.checksum_oracle import checksum_matches
from benchmarks.mutants import Origin, corpora_folder, make_mutant, make_origins
from data_modules.reading.limits import RATE_RANGE_HZ
from data_modules.reading.read import read_recording
from data_modules.reading.reasons import REASONS, RecordError
from data_modules.signals.clean import SignalSettings, clean_ecg
from lsemvae.core.leads import LEADS

SETTINGS = SignalSettings(duration_s=6.0, min_duration_s=4.0)


class Result(NamedTuple):
    """What one mutant did, CPU seconds; `verdict` is an outcome or the name of a failure."""

    index: int
    kind: str
    verdict: str
    detail: str
    seconds: float
    peak_mb: float


FAILURES = ("crash", "hang", "exception", "memory", "malformed", "wrong_checksum")
MARKS = ("<!-- torture_reader -->", "<!-- end -->")
START_METHOD = "spawn"
STARTUP_S = 600.0


def read_mutant(folder: Path, kind: str, record: str) -> tuple[str, str]:
    """Return verdict and detail of one recording on disk."""
    try:
        recording = read_recording(folder, record, amplitude="calibrated")
    except RecordError as error:
        known = error.code in REASONS and f"record {record}: " in str(error)
        return ("refused", error.code) if known else ("malformed", str(error)[:200])
    rate_fits = RATE_RANGE_HZ[0] <= recording.sampling_rate_hz <= RATE_RANGE_HZ[1]
    form = recording.ecg.shape[0] == len(recording.leads) == len(set(recording.leads))
    if not rate_fits or not form or not set(recording.leads) <= set(LEADS):
        return "malformed", f"{recording.leads} {recording.ecg.shape}"
    if np.isinf(recording.ecg).any() or recording.ecg.dtype != np.float32:
        return "malformed", "not finite float32"
    if checksum_matches(folder, kind, record) is False:
        return "wrong_checksum", ""
    try:
        clean = clean_ecg(recording, SETTINGS)
    except RecordError as error:
        return "refused", error.code
    return "accepted", ",".join(sorted({code for code, _ in clean.warnings})) or "no warning"


def _work(connection: Connection, seed: int, indices: list[int]) -> None:
    """Read the mutants one after the other and report each before and after."""
    warnings.simplefilter("ignore")
    origins = make_origins(corpora_folder())
    base = Path("/dev/shm") if Path("/dev/shm").is_dir() else None
    with tempfile.TemporaryDirectory(dir=base) as scratch:
        for index in indices:
            mutant = make_mutant(origins, seed, index)
            folder = Path(scratch) / "mutant"
            folder.mkdir()
            for name, content in mutant.files.items():
                (folder / name).write_bytes(content)
            connection.send((index, mutant.kind))
            before, start = _forget_peak(), time.process_time()
            try:
                verdict, detail = read_mutant(folder, mutant.kind, mutant.record)
            except BaseException as error:  # everything that gets here is a finding
                last = traceback.extract_tb(error.__traceback__)[-1]
                where = f"{Path(last.filename).name}:{last.lineno}"
                verdict, detail = "exception", f"{type(error).__name__} {where} {error!s:.150}"
            seconds = time.process_time() - start
            peak = max(0.0, _peak_mb() - before)
            connection.send(Result(index, mutant.kind, verdict, detail, seconds, peak))
            shutil.rmtree(folder)
    connection.send(None)


def _on_this_machine(seconds: float) -> float:
    """Return how long something may take that has a core of its own for so many seconds."""
    return seconds * max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


def _forget_peak() -> float:
    """Reset the kernel's peak of this process's memory and return it in MB."""
    with contextlib.suppress(OSError):  # else the peak over all mutants is what is measured
        Path("/proc/self/clear_refs").write_text("5")
    return _peak_mb()


def _peak_mb() -> float:
    try:
        text = Path("/proc/self/status").read_text()
        return int(text.partition("VmHWM:")[2].split()[0]) / 1024
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def torture(indices: list[int], *, seed: int, limit_s: float, limit_mb: float) -> Iterator[Result]:
    """Yield the result of each mutant; a child that hangs or dies is replaced."""
    context = multiprocessing.get_context(START_METHOD)
    remaining = list(indices)
    while remaining:
        parent, child = context.Pipe(duplex=False)
        process = context.Process(target=_work, args=(child, seed, remaining), daemon=True)
        process.start()
        child.close()
        current: tuple[int, str] | None = None
        failure = ""
        while not failure:
            try:
                # the first message waits for imports and origins
                if not parent.poll(_on_this_machine(limit_s) if current else STARTUP_S):
                    failure = "hang"
                    break
                message = parent.recv()
            except EOFError:
                failure = "crash"
                break
            if message is None:
                remaining, failure = [], "done"
            elif isinstance(message, Result):
                remaining = remaining[1:]
                current = None
                too_much = message.peak_mb > limit_mb and message.verdict not in FAILURES
                yield message._replace(verdict="memory") if too_much else message
            else:
                current = message
        process.kill()
        process.join()
        parent.close()
        if failure != "done":
            if current is None:
                raise RuntimeError(f"the reading process ended without a mutant: {failure}")
            remaining = remaining[1:]
            yield Result(*current, failure, f"exit code {process.exitcode}", limit_s, 0.0)


def indices_of_each_kind(origins: list[Origin], first: int, each: int) -> list[int]:
    """Return mutants, from the `first` of each kind of file on, `each` of every kind."""
    kinds = [origin.kind for origin in origins]
    found: list[int] = []
    for kind in dict.fromkeys(kinds):
        own = [i for i, one in enumerate(kinds) if one == kind]
        found += [
            own[k % len(own)] + k // len(own) * len(kinds) for k in range(first, first + each)
        ]
    return sorted(found)


def summarise(results: list[Result], *, seed: int, seconds: float) -> dict[str, Any]:
    """Return the figures that the run prints and writes."""
    counts = Counter(result.verdict for result in results)
    slowest = max(results, key=lambda result: result.seconds)
    heaviest = max(results, key=lambda result: result.peak_mb)
    return {
        "mutants": len(results),
        "seed": seed,
        "genuine_origins": corpora_folder() is not None,
        "accepted": counts["accepted"],
        "refused": counts["refused"],
        **{name: counts[name] for name in FAILURES},
        "kinds": dict(sorted(Counter(result.kind for result in results).items())),
        "accepted_by_kind": dict(
            sorted(Counter(r.kind for r in results if r.verdict == "accepted").items())
        ),
        "codes": dict(Counter(r.detail for r in results if r.verdict == "refused").most_common()),
        "slowest_cpu_s": round(slowest.seconds, 3),
        "slowest_mutant": slowest.index,
        "peak_mb": round(heaviest.peak_mb, 1),
        "peak_mutant": heaviest.index,
        "run_s": round(seconds, 1),
        "failures": [result._asdict() for result in results if result.verdict in FAILURES][:100],
    }


def added(earlier: dict[str, Any], figures: dict[str, Any]) -> dict[str, Any]:
    """Return the figures of two runs over different mutants as those of one run."""
    total = dict(figures)
    for name in ("mutants", "accepted", "refused", "run_s", "failures", *FAILURES):
        total[name] = earlier[name] + figures[name]
    for name in ("kinds", "accepted_by_kind", "codes"):
        total[name] = dict(Counter(earlier[name]) + Counter(figures[name]))
    for value, mutant in (("slowest_cpu_s", "slowest_mutant"), ("peak_mb", "peak_mutant")):
        worst = max((earlier, figures), key=lambda one: float(one[value]))
        total |= {value: worst[value], mutant: worst[mutant]}
    return total


def described(figures: dict[str, Any]) -> str:
    """Return the figures as a paragraph of docs/data.md."""
    kinds = figures["kinds"]
    listed = ", ".join(
        f"{kind} {figures['accepted_by_kind'].get(kind, 0):,} of {n:,}"
        for kind, n in sorted(kinds.items())
    )
    failed = ", ".join(f"{name} {figures[name]}" for name in FAILURES)
    origins = "genuine and synthetic" if figures["genuine_origins"] else "synthetic"
    return (
        f"Of {figures['mutants']:,} mutants ({origins} origins, seed {figures['seed']}), "
        f"{figures['accepted']:,} were accepted and {figures['refused']:,} refused. Failures: "
        f"{failed}. The slowest took {figures['slowest_cpu_s']:g} s of CPU time, the most memory "
        f"was {figures['peak_mb']:g} MB. Accepted: {listed}. An accepted mutant of a kind without "
        "a checksum may hold other samples than its origin: nobody can tell.\n"
    )


def write_between_marks(file: Path, text: str) -> None:
    """Replace what stands between the marks of a page."""
    before, _, rest = file.read_text(encoding="utf-8").partition(MARKS[0])
    after = rest.partition(MARKS[1])[2]
    file.write_text(f"{before}{MARKS[0]}\n{text}{MARKS[1]}{after}", encoding="utf-8")


def main(argv: list[str] | None = None) -> int:
    """Run the mutants, print and write the figures; 1 when any failed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--mutants", type=int, default=20_000)
    parser.add_argument("--each", type=int, help="in place of it: mutants of every kind of file")
    parser.add_argument("--first", type=int, default=0, help="index of the first mutant")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--limit_s",
        type=float,
        default=10.0,
        help="a mutant hangs after it, longer where others compute",
    )
    parser.add_argument("--limit_mb", type=float, default=512.0, help="memory for one mutant")
    parser.add_argument("--jobs", type=int, default=1, help="processes that read")
    parser.add_argument("--out", type=Path, default=Path("reports/torture_reader.json"))
    parser.add_argument("--add", action="store_true", help="add the figures to those of --out")
    parser.add_argument("--docs", type=Path, help="page that gets the figures between its marks")
    options = parser.parse_args(argv)
    start = time.perf_counter()
    results: list[Result] = []

    wanted = list(range(options.first, options.first + options.mutants))
    if options.each:
        wanted = indices_of_each_kind(make_origins(corpora_folder()), options.first, options.each)

    def run(job: int) -> None:
        indices = wanted[job :: options.jobs]
        limits = {"limit_s": options.limit_s, "limit_mb": options.limit_mb}
        for result in torture(indices, seed=options.seed, **limits):
            results.append(result)
            if result.verdict in FAILURES:
                print(f"mutant {result.index} ({result.kind}): {result.verdict} {result.detail}")
            if len(results) % 1000 == 0:
                print(f"{len(results)} of {len(wanted)} mutants", file=sys.stderr)

    with ThreadPoolExecutor(options.jobs) as pool:
        list(pool.map(run, range(options.jobs)))
    figures = summarise(results, seed=options.seed, seconds=time.perf_counter() - start)
    if options.add and options.out.is_file():
        figures = added(json.loads(options.out.read_text()), figures)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(figures, indent=2) + "\n")
    if options.docs:
        write_between_marks(options.docs, described(figures))
    print(json.dumps({key: value for key, value in figures.items() if key != "failures"}, indent=2))
    return int(any(figures[name] for name in FAILURES))


if __name__ == "__main__":
    sys.exit(main())
