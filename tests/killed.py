"""Run a command in a copy of this process that is killed at a step of its writing."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lsemvae.cli import main
from lsemvae.core.unfinished import unfinished

STEPS = ("replace", "rename", "link", "mkdir", "fsync")
KILLED = 77
GONE = 2**22 + 1  # no process has this number: it is beyond the largest of the kernel


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
    """Return what each file below a folder holds, locks apart."""
    files = [file for file in folder.rglob("*") if file.is_file() and file.suffix != ".lock"]
    return {str(file.relative_to(folder)): file.read_bytes() for file in files}


def begun(path: Path, process: int, ending: str = "") -> Path:
    """Return the name under which another process of this machine writes a file."""
    own = unfinished(path, ending)
    return own.with_name(own.name.replace(f"-{os.getpid()}-", f"-{process}-"))
