"""A command whose input or output is closed does its work all the same."""

import os
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from lsemvae.runtime.exit_code import exit_code
from lsemvae.runtime.standard_streams import prepare_streams

PROGRAM = """
import os
for number in (0, 1, 2):
    os.close(number)
import sys
sys.stdin = sys.stdout = sys.stderr = None
from lsemvae.runtime.standard_streams import prepare_streams
prepare_streams()
print("x", file=sys.stderr)
print("x")
opened = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT)
os.write(2, b"a warning of a library")
os._exit(opened)
"""


def test_no_file_takes_the_place_of_a_closed_output(tmp_path: Path) -> None:
    """A library that warns on descriptor 2 would write into it."""
    process = subprocess.run([sys.executable, "-c", PROGRAM, str(tmp_path / "store")], check=False)
    assert process.returncode > 2
    assert (tmp_path / "store").read_bytes() == b""


def test_streams_that_are_open_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    before = sys.stdin
    monkeypatch.setattr(sys, "stderr", None)
    prepare_streams()
    assert sys.stdin is before
    assert sys.stderr is not None
    print("lost", file=sys.stderr)


def test_a_table_whose_reader_is_gone_ends_as_any_output_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """`rich` makes exit code 1 of it, and gives descriptor 1 to nothing."""

    class Gone(StringIO):
        def flush(self) -> None:
            raise BrokenPipeError

    monkeypatch.setattr(os, "dup2", lambda *_: None)
    console = Console(file=Gone())
    assert exit_code(lambda: console.print("x")) == 141
