"""Run a conversion in a process group of its own, and look at the store that it leaves.

`python -m benchmarks.conversion_run SOURCE OUT JOBS LAYOUT ROWS SIZE_LIMIT` is that process.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np

from data_modules.store.check import changed_signals
from data_modules.store.read import EcgStore
from data_modules.store.whole import table_is_whole
from lsemvae.core.errors import InputError

ROWS = 32  # recordings in a shard, so that a small conversion has many


def convert(arguments: Sequence[str]) -> int:
    """Run one conversion in this process, with small shards; return the exit code."""
    source, out, jobs, layout, rows, size_limit = arguments
    import resource

    import data_modules.store.shards
    import data_modules.store.write
    from lsemvae.cli import main as run

    data_modules.store.shards.MIN_ROWS = int(rows)
    if layout == "shards":
        data_modules.store.write.SINGLE_FILE_BYTES = 0
    if int(size_limit):
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(size_limit), int(size_limit)))
    return run(["prepare", "mimic", "--source", source, "--out", out, "--jobs", jobs])


class Run:
    """A conversion in a process group of its own.

    Args:
        source: recordings in the layout of MIMIC-IV-ECG.
        out: the store.
        jobs: worker processes.
        layout: `one file` or `shards`.
        size_limit: largest file that it may write, 0 without a limit.
    """

    def __init__(
        self, source: Path, out: Path, *, jobs: int = 1, layout: str = "shards", size_limit: int = 0
    ) -> None:
        arguments = [str(source), str(out), str(jobs), layout, str(ROWS), str(size_limit)]
        command = [sys.executable, "-m", "benchmarks.conversion_run", *arguments]
        self.out, self.lock = out, out.with_name(out.name + ".lock")
        # files, as a worker that outlives its run would hold a pipe open
        self._output = tempfile.TemporaryFile()  # noqa: SIM115
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115
        self.process = subprocess.Popen(
            command,
            stdout=self._output,
            stderr=self._errors,
            start_new_session=True,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
        )

    def wait_until_begun(self) -> float:
        """Wait until the lock is signed by this run; return the time."""
        while self.process.poll() is None:
            with suppress(OSError, ValueError):
                if json.loads(self.lock.read_text()).get("process") == str(self.process.pid):
                    break
            time.sleep(0.002)
        return time.monotonic()

    def wait_at_most(self, seconds: float) -> int | None:
        """Wait until the run has ended, or some seconds; return its exit code, None without."""
        end = time.monotonic() + seconds
        while self.process.poll() is None and time.monotonic() < end:
            time.sleep(0.002)
        return self.process.poll()

    def kill(self, *, group: bool) -> None:
        """Kill the main process, or the workers with it."""
        with suppress(ProcessLookupError):
            (os.killpg if group else os.kill)(self.process.pid, signal.SIGKILL)
        self.finish()

    def finish(self) -> tuple[int, str, str]:
        """Wait for the end; return exit code, output and errors."""
        code = self.process.wait(timeout=600)
        texts = []
        for file in (self._output, self._errors):
            file.seek(0)
            texts.append(file.read().decode())
        return code, texts[0], texts[1]

    def end_workers(self) -> None:
        """End what a killed main process has left behind."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)


def contents(folder: Path) -> dict[str, bytes]:
    """Return every file below a folder."""
    found: dict[str, bytes] = {}
    for path in sorted(folder.rglob("*")):
        with suppress(FileNotFoundError, IsADirectoryError):  # an orphaned worker may tidy up
            found[str(path.relative_to(folder))] = path.read_bytes()
    return found


def is_one_line(text: str) -> bool:
    """Tell whether a run ended with one line about its error, beside progress lines."""
    lines = [line for line in text.splitlines() if not line.startswith("reading recordings:")]
    return len(lines) == 1 and lines[0].startswith("error: ")


def wait_for_workers(out: Path) -> None:
    """Give workers that outlived their run the moment in which they notice it."""
    end = time.monotonic() + 10
    while list(out.parent.rglob("*.tmp")) and time.monotonic() < end:
        time.sleep(0.05)


def is_sound(path: Path) -> bool:
    """Tell whether a store opens and holds what was written, table and signals."""
    try:
        store = EcgStore(path)
        return table_is_whole(store) and not any(changed_signals(store))
    except InputError:
        return False


def compare(out: Path, reference: Path) -> dict[str, int]:
    """Count records that a store lost, doubled or holds with another signal."""
    found, expected = EcgStore(out), EcgStore(reference)
    names, listed = found.table["record"], expected.table["record"]
    wrong = sum(map(len, changed_signals(found))) + (not table_is_whole(found))
    same = found.table.set_index("record")["signal_sha256"].reindex(listed).to_numpy()
    wrong += int(np.sum(same != expected.table["signal_sha256"].to_numpy()))
    return {
        "lost": len(set(listed) - set(names)),
        "doubled": int(names.duplicated().sum()),
        "wrong": wrong,
    }


if __name__ == "__main__":
    sys.exit(convert(sys.argv[1:]))
