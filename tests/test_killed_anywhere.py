"""A command that is killed at any step of its writing, and run again: as if nothing had been."""

import csv
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lsemvae.cli import main
from tests.conftest import BEATS

STEPS = ("replace", "rename", "link", "mkdir", "fsync")
KILLED = 77
EVERY = 6


def killed_at(step: int, arguments: list[str]) -> int:
    """Return how a copy of this process ends that runs a command and is killed at a step."""
    process = os.fork()
    if process == 0:
        try:
            os._exit(run_until(step, arguments))
        finally:
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def run_until(step: int, arguments: list[str]) -> int:
    """Run a command and end the process, as `kill -9` does, at a step of its writing."""
    taken = 0

    def counted(do: Callable[..., Any]) -> Callable[..., Any]:
        def take(*given: Any, **options: Any) -> Any:
            nonlocal taken
            taken += 1
            if taken == step:
                os._exit(KILLED)
            return do(*given, **options)

        return take

    for name in STEPS:
        setattr(os, name, counted(getattr(os, name)))
    return main(arguments)


def contents(folder: Path) -> dict[str, bytes]:
    files = [file for file in folder.rglob("*") if file.is_file() and file.suffix != ".lock"]
    return {str(file.relative_to(folder)): file.read_bytes() for file in files}


def test_a_store_is_prepared_wherever_the_first_attempt_was_killed(
    recordings: Path, tmp_path: Path
) -> None:
    source, table = recordings / "cohort", tmp_path / "few.csv"
    with (source / "cohort.csv").open(newline="") as given, table.open("w", newline="") as few:
        csv.writer(few).writerows(list(csv.reader(given))[:7])

    def prepare(folder: Path) -> list[str]:
        folder.mkdir()
        files = ["--table", str(table), "--source", str(source / "records")]
        return ["prepare", "cohort", *files, "--out", str(folder / "c.h5"), *BEATS]

    assert main(prepare(tmp_path / "whole")) == 0
    whole, codes = contents(tmp_path / "whole"), []
    while codes[-1:] != [0]:
        folder = tmp_path / f"killed_{len(codes)}"
        arguments = prepare(folder)
        codes.append(killed_at(1 + EVERY * len(codes), arguments))
        assert main(arguments) == 0
        assert contents(folder) == whole
    assert codes[:-1] == [KILLED] * (len(codes) - 1)
    assert len(codes) > 3
