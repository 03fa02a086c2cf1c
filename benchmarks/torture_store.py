"""Kill conversions, fill their disk, start two at once: nothing may be lost, doubled or wrong.

  kills      kill -9 at random points, the whole process group or the main process alone, one worker
             or two, one file or shards; start again; compare with a run that was left alone
  full disk  a small tmpfs fills up while shards are written (without the right to mount one, a
             limit on the size of files stands for it, and the figures say so)
  read-only  the same tmpfs, remounted for reading
  two runs   a second conversion of the same store while the first one runs
Exit code 1 when anything was not as it has to be.
"""

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from benchmarks import conversion_run
from benchmarks.conversion_run import (
    Run,
    compare,
    contents,
    is_one_line,
    is_sound,
    wait_for_workers,
)
from benchmarks.machine import describe_machine, write_results
from data_modules.simulation.files import write_mimic

FILL_BYTES = 1 << 20
RECORD_LIST, N_OLD = "record_list.csv", 40
KILL_ZERO = ("lost", "doubled", "wrong", "other_bytes", "store_damaged_after_the_kill")


def copy_beginning(source: Path, old: Path) -> None:
    """Copy recordings with a list of the first ones alone: an older state of the same set."""
    shutil.copytree(source, old)
    lines = (source / RECORD_LIST).read_text().splitlines(keepends=True)
    (old / RECORD_LIST).write_text("".join(lines[: N_OLD + 1]))


def torture_by_kill(
    source: Path, old_source: Path, folder: Path, kills: int, rng: random.Random
) -> dict[str, Any]:
    """Kill at random points of a conversion over an older store, look, start again, compare."""
    figures: dict[str, Any] = dict.fromkeys(
        ("kills", "ended_before_the_kill", "restarts_that_went_on", "locks_taken_over"), 0
    )
    figures |= dict.fromkeys(KILL_ZERO, 0)
    whole, seconds = {}, {}
    for layout in ("one file", "shards"):
        run = Run(source, folder / layout / "s.h5", layout=layout)
        begin = run.wait_until_begun()
        if run.finish()[0]:
            raise RuntimeError("the conversion that was left alone failed")
        whole[layout], seconds[layout] = contents(folder / layout), time.monotonic() - begin
    number = 0
    while figures["kills"] < kills:
        layout, jobs, group = (
            ("one file", "shards")[number % 2],
            1 + number // 2 % 2,
            number % 3 > 0,
        )
        out = folder / f"kill{number}" / "s.h5"
        number += 1
        Run(old_source, out, layout=layout).finish()
        run = Run(source, out, layout=layout, jobs=jobs)
        begin = run.wait_until_begun()
        code = run.wait_at_most(rng.uniform(0, seconds[layout] / (1 if jobs == 1 else 1.5)))
        took = time.monotonic() - begin
        if code:
            raise RuntimeError(f"the run that was to be killed failed: {run.finish()[2]}")
        run.kill(group=group)
        if not run.lock.exists():  # its last step was done: nothing was left to interrupt
            figures["ended_before_the_kill"] += 1
            seconds[layout] = took  # the first run was slower: Python compiled what it imported
            continue
        figures["kills"] += 1
        figures["store_damaged_after_the_kill"] += not is_sound(out)
        again = Run(source, out, layout=layout, jobs=jobs)
        code, text, errors = again.finish()
        if code:
            raise RuntimeError(f"the run after a kill failed: {errors}")
        wait_for_workers(out)
        run.end_workers()
        figures["restarts_that_went_on"] += "going on" in text
        figures["locks_taken_over"] += "taking over the lock" in text
        found = contents(out.parent)
        other = [n for n in found | whole[layout] if found.get(n) != whole[layout].get(n)]
        figures["other_bytes"] += len(other)
        if other:
            print(f"differ after kill {number}: {other}", file=sys.stderr)
        for name, count in compare(out, folder / layout / "s.h5").items():
            figures[name] += count
    return figures


@contextmanager
def small_disk(folder: Path, size: int) -> Iterator[bool]:
    """Mount a tmpfs; yields whether that was allowed."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "lsemvae", str(folder)]
    try:
        mounted = subprocess.run(command, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        mounted = False
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", str(folder)], check=True)


def torture_by_full_disk(source: Path, old_source: Path, folder: Path) -> dict[str, Any]:
    """Fill the disk during a conversion over an older store, make room, go on."""
    size = 120_000 * 3 * len((source / "record_list.csv").read_text().splitlines()) + 40_000_000
    with small_disk(folder / "small", size) as mounted:
        out = folder / "small" / "s.h5"
        Run(old_source, out).finish()
        before = contents(out.parent)
        run = Run(source, out, size_limit=0 if mounted else 120_000 * conversion_run.ROWS // 2)
        run.wait_until_begun()
        filler = fill(out, run) if mounted else 0
        code, _, errors = run.finish()
        after = contents(out.parent)
        changed = [name for name, content in before.items() if after.get(name) != content]
        finished = [name for name in after if name.endswith(".h5") and name not in before]
        figures: dict[str, Any] = {
            "by": "tmpfs" if mounted else "a limit on the size of files (no right to mount)",
            "filled_bytes": filler,
            "exit_code": code,
            "one_line": is_one_line(errors),
            "line": errors.strip().splitlines()[-1] if errors.strip() else "",
            "old_files_changed": len(changed),
            "finished_shards_kept": len(finished),
            "rubbish": [name for name in after if name.endswith((".tmp", ".lock"))],
        }
        (folder / "small" / "filler").unlink(missing_ok=True)
        figures["refused_beforehand"] = refused_for_space(source, out) if mounted else None
        code, text, _ = Run(source, out).finish()
        figures["restart_exit_code"], figures["restart_went_on"] = code, "going on" in text
        reference = folder / "reference" / "s.h5"
        Run(source, reference).finish()
        figures |= compare(out, reference)
        figures["other_bytes"] = int(contents(out.parent) != contents(reference.parent))
        if mounted:
            figures["read_only"] = read_only(source, out)
    return figures


def fill(out: Path, run: Run) -> int:
    """Fill the disk when two shards are finished; return the bytes that it took."""
    while run.process.poll() is None and len(list(out.parent.rglob("0000?.h5"))) < 5:
        time.sleep(0.002)
    written = 0
    with (out.parent / "filler").open("wb", buffering=0) as file, suppress(OSError):
        while True:
            written += file.write(bytes(FILL_BYTES))
    return written


def refused_for_space(source: Path, out: Path) -> bool:
    """Tell whether a disk that is full from the start is named at once, in one line."""
    filler = out.parent / "filler"
    free = os.statvfs(out.parent)
    with filler.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, free.f_bavail * free.f_frsize - FILL_BYTES)
    code, _, errors = Run(source, out).finish()
    filler.unlink()
    return code == 2 and is_one_line(errors) and "GB free" in errors


def read_only(source: Path, out: Path) -> dict[str, Any]:
    """Convert onto a disk that is mounted for reading."""
    before = contents(out.parent)
    subprocess.run(["mount", "-o", "remount,ro", str(out.parent)], check=True)
    code, _, errors = Run(source, out).finish()
    subprocess.run(["mount", "-o", "remount,rw", str(out.parent)], check=True)
    return {
        "exit_code": code,
        "one_line": is_one_line(errors),
        "old_files_changed": int(contents(out.parent) != before),
    }


def torture_by_two_runs(source: Path, folder: Path) -> dict[str, Any]:
    """Start a second run while the first one writes."""
    out, alone = folder / "both" / "s.h5", folder / "alone" / "s.h5"
    Run(source, alone).finish()
    first = Run(source, out)
    first.wait_until_begun()
    first.process.send_signal(signal.SIGSTOP)  # so that it cannot end before the second begins
    code, _, errors = Run(source, out).finish()
    first.process.send_signal(signal.SIGCONT)
    first_code, _, _ = first.finish()
    return {
        "second_exit_code": code,
        "one_line": is_one_line(errors) and "another process is writing" in errors,
        "first_exit_code": first_code,
        "other_bytes": int(contents(out.parent) != contents(alone.parent)),
    }


def failures(results: dict[str, Any]) -> list[str]:
    """Name every figure that is not as it has to be."""
    kills, disk, two = results["kills"], results["full_disk"], results["two_runs"]
    zero = {f"kills.{name}": kills[name] for name in KILL_ZERO}
    names = ("lost", "doubled", "wrong", "other_bytes", "old_files_changed", "restart_exit_code")
    zero |= {f"full_disk.{name}": disk[name] for name in names}
    zero |= {"full_disk.rubbish": len(disk["rubbish"])}
    zero |= {f"two_runs.{name}": two[name] for name in ("first_exit_code", "other_bytes")}
    must = {"full_disk.one_line": disk["one_line"] and disk["exit_code"] == 2}
    must |= {"full_disk.restart_went_on": disk["restart_went_on"]}
    must |= {"two_runs.one_line": two["one_line"] and two["second_exit_code"] == 2}
    if "read_only" in disk:
        zero |= {"read_only.old_files_changed": disk["read_only"]["old_files_changed"]}
        must |= {"read_only.one_line": disk["read_only"]["one_line"]}
        must |= {"full_disk.refused_beforehand": disk["refused_beforehand"]}
    return [name for name, count in zero.items() if count] + [n for n, ok in must.items() if not ok]


def as_markdown(results: dict[str, Any]) -> str:
    """Write one line for each figure."""
    lines = ["| torture | figure | value |", "|---|---|---|"]
    for part in ("kills", "full_disk", "two_runs"):
        lines += [f"| {part} | {name} | {value} |" for name, value in results[part].items()]
    return "\n".join([*lines, "", f"not as it has to be: {results['failures'] or 'nothing'}", ""])


def main(arguments: Sequence[str] | None = None) -> int:
    """Torture, write the figures, return 1 when anything was not as it has to be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=25)
    parser.add_argument("--patients", type=int, default=500, help="about two records each")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", default="reports/torture_store.json")
    options = parser.parse_args(arguments)
    results: dict[str, Any] = {"machine": describe_machine(), "records": 0}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source, old = folder / "source", folder / "old"
        results["records"] = len(write_mimic(source, n_patients=options.patients))
        copy_beginning(source, old)
        rng = random.Random(options.seed)
        results["kills"] = torture_by_kill(source, old, folder / "kills", options.kills, rng)
        results["full_disk"] = torture_by_full_disk(source, old, folder)
        results["two_runs"] = torture_by_two_runs(source, folder)
    results["failures"] = failures(results)
    write_results(Path(options.out), results, as_markdown(results))
    return 1 if results["failures"] else 0


if __name__ == "__main__":
    sys.exit(main())
