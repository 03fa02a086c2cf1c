"""A full disk: one line with the file, exit code 2, nothing cut, whatever command wrote."""

import errno
import os
import resource
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from lsemvae.cli import main
from lsemvae.core.provenance import git_commit
from lsemvae.core.pseudonyms import local_salt
from lsemvae.runtime.exit_code import exit_code
from tests.conftest import error_of


@contextmanager
def small_disk(n_bytes: int) -> Iterator[None]:
    """Let no file grow beyond some bytes: the system refuses to write, as on a full disk."""
    before, bytecode = resource.getrlimit(resource.RLIMIT_FSIZE), sys.dont_write_bytecode
    sys.dont_write_bytecode = True  # Python would cut that of modules imported here, for good
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        sys.dont_write_bytecode = bytecode


COMMANDS = {
    "check tables --out OUT/found.csv": ("found.csv", 100),
    "table1 --cohort COHORT --out OUT/t": ("t.csv", 100),
    "plan --prevalence 0.5 --auroc 0.8 --out OUT/p": ("p.png", 3000),
    "view COHORT:0 --out OUT/v.png": ("v.png", 3000),
    "synthesize --out OUT --n_patients 12 --n_pretraining_patients 2": ("ecg00001.dat", 3000),
    "prepare cohort --table TABLE --source SOURCE --out OUT/c.h5": ("c.h5", 3000),
}


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_name_what_found_no_room_and_leave_nothing_cut(
    command: str, recordings: Path, cohort: Path, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    name, n_bytes = COMMANDS[command]
    places = {"OUT": tmp_path, "COHORT": cohort, "TABLE": recordings / "cohort/cohort.csv",
              "SOURCE": recordings / "cohort/records"}  # fmt: skip
    for word, path in places.items():
        command = command.replace(word, str(path))
    with small_disk(n_bytes):
        assert main(command.split()) == 2
    assert name in error_of(capsys)
    left = [file for file in tmp_path.rglob("*") if file.is_file() and ".shards" not in str(file)]
    assert not [file for file in left if file.stat().st_size in (0, n_bytes) and not locks(file)]
    assert not [file for file in left if file.name.startswith(".")]


def locks(file: Path) -> bool:
    return file.suffix == ".lock"


def by_open(path: Path) -> None:
    with path.open("w") as stream:
        stream.write("x" * 100_000)


def by_archive(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a", os.urandom(100_000))


def by_numpy(path: Path) -> None:
    np.save(path, np.zeros(100_000))


@pytest.mark.parametrize("write", [by_open, by_archive, by_numpy])
def test_a_writer_that_knows_no_name_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], write: Callable[[Path], None]
) -> None:
    """`write` and `close` tell the reason alone, and libraries write too."""
    path = tmp_path / "kept.npy"
    with small_disk(3000):
        assert exit_code(lambda: write(path)) == 2
    assert f"{path} cannot be written (" in error_of(capsys)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "cannot be written (No space left"),
        (OSError(errno.EDQUOT, "Disk quota exceeded", "/d/a"), "/d/a cannot be written (Disk quo"),
        (OSError(errno.EIO, "Input/output error", "/d/a"), "/d/a cannot be read or written"),
        (OSError("a temporary directory could not be created; set MPLCONFIGDIR"), "TMPDIR"),
        (FileNotFoundError(errno.ENOENT, "No usable temporary directory found in ['/tmp']"),
         "make room in one of them, or set TMPDIR"),
    ],
)  # fmt: skip
def test_what_a_disk_says_is_one_line(
    capsys: pytest.CaptureFixture[str], error: OSError, said: str
) -> None:
    def fail() -> None:
        raise error

    assert exit_code(fail) == 2
    assert said in error_of(capsys)


def test_a_salt_that_was_not_written_is_no_salt(tmp_path: Path) -> None:
    """An empty one would make pseudonyms that anybody can make."""
    file = tmp_path / "salt"
    with small_disk(0), pytest.raises(ValueError, match="salt cannot be written"):
        local_salt(file)
    assert not file.exists()
    assert len(local_salt(file)) == 32


def test_a_checkout_stays_usable(tmp_path: Path) -> None:
    """Git leaves the lock of its index where it finds no room for it, and refuses to work then."""
    git = ["git", "-C", str(tmp_path), "-c", "user.name=n", "-c", "user.email=e"]
    file = tmp_path / "a.py"
    file.write_text("1")
    for words in (["init", "-q"], ["add", "a.py"], ["commit", "-qm", "m"]):
        subprocess.run([*git, *words], check=True)
    clean = git_commit(tmp_path)
    file.write_text("1")
    with small_disk(100):
        assert git_commit(tmp_path) == clean
        file.write_text("2")
        assert git_commit(tmp_path) == f"{clean}-dirty"
    assert not (tmp_path / ".git/index.lock").exists()
