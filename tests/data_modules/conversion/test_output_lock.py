"""The lock: one conversion for each store, and no lock outlives its owner."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from data_modules.conversion.lock import SILENT_S, OutputLock
from lsemvae.core.errors import InputError


def sign(path: Path, host: str, age_s: float = 0.0) -> None:
    """Leave the lock of a process that is gone."""
    path.write_text(json.dumps({"host": host, "process": "1", "started": "2026-01-01"}))
    then = path.stat().st_mtime - age_s
    os.utime(path, (then, then))


def test_a_second_run_is_refused_and_told_the_owner(tmp_path: Path) -> None:
    store = tmp_path / "s.h5"
    with OutputLock(store):
        expected = rf"another process is writing .*s.h5 \(process {os.getpid()}, host"
        with pytest.raises(InputError, match=expected), OutputLock(store):
            pass
        assert (tmp_path / "s.h5.lock").exists()
    assert list(tmp_path.iterdir()) == []


def test_a_lock_is_free_after_a_failure(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), OutputLock(tmp_path / "s.h5"):
        raise ZeroDivisionError
    with OutputLock(tmp_path / "s.h5"):
        pass


def test_the_lock_of_a_killed_run_is_taken_over(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = (
        "import os, sys, pathlib; from data_modules.conversion.lock import OutputLock\n"
        "OutputLock(pathlib.Path(sys.argv[1])).__enter__(); os.kill(os.getpid(), 9)"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "s.h5")]
    assert subprocess.run(command, check=False).returncode == -9
    assert (tmp_path / "s.h5.lock").exists()
    with OutputLock(tmp_path / "s.h5"):
        pass
    assert "taking over the lock of a run that ended early (process" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []


def test_a_run_on_another_machine_counts_as_alive_until_it_is_silent(tmp_path: Path) -> None:
    lock = tmp_path / "s.h5.lock"
    sign(lock, "elsewhere", age_s=60)
    refused = pytest.raises(InputError, match=r"another machine \(process 1, host elsewhere")
    with refused, OutputLock(tmp_path / "s.h5"):
        pass
    assert lock.exists()
    sign(lock, "elsewhere", age_s=SILENT_S + 1)
    with OutputLock(tmp_path / "s.h5") as held:
        assert json.loads(lock.read_text())["host"] == socket.gethostname()
        os.utime(lock, (0, 0))
        held.touch()
        assert lock.stat().st_mtime > 0


def test_a_lock_that_was_never_signed_is_taken_over(tmp_path: Path) -> None:
    (tmp_path / "s.h5.lock").write_bytes(b'{"host": "torn')
    with OutputLock(tmp_path / "s.h5"):
        pass
    assert list(tmp_path.iterdir()) == []
