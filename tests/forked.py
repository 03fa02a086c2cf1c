"""Start processes by forking one that has imported torch, Lightning and lsemvae.

A new interpreter computes for seconds to import them, and most tests of several processes do not
ask how a process began. Launchers have tests of their own, with processes that they start.
"""

import atexit
import os
import runpy
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from multiprocessing import get_context
from pathlib import Path
from typing import IO, Any

import torch

from lsemvae.cli import main

CONTEXT = get_context("forkserver")
CONTEXT.set_forkserver_preload(["lsemvae.lightning_cli", "tests.distributed_run", "pytest"])
TIMEOUT_S = 300


def call_in_processes(
    n: int, output: Path, function: Callable[..., int | None], *arguments: Any
) -> None:
    """Call a function in each of n processes, as torchrun does where there are several.

    Args:
        n: 1, or the size of a process group.
        output: folder that gets what they print, process_<n>.txt.
        function: at the top level of a module; an exit code other than 0 fails the test.
        arguments: plain values.
    """
    output.mkdir(parents=True, exist_ok=True)
    environments = [{}] if n == 1 else _torchrun(n)
    logs = [output / f"process_{rank}.txt" for rank in range(n)]
    started = [
        CONTEXT.Process(target=_call, args=(environment, log, function, arguments))
        for environment, log in zip(environments, logs, strict=True)
    ]
    for process in started:
        process.start()
    try:
        for process in started:
            process.join(TIMEOUT_S)
    finally:
        for process in started:
            process.kill()
    codes = [process.exitcode for process in started]
    assert codes == [0] * n, "\n".join(log.read_text()[-3000:] for log in logs)


def _torchrun(n: int) -> list[dict[str, str]]:
    """Return the variables that torchrun sets for each of n processes of one machine."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    shared = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "WORLD_SIZE": str(n),
              "LOCAL_WORLD_SIZE": str(n), "GROUP_RANK": "0",
              "TORCHELASTIC_RUN_ID": "test"}  # fmt: skip
    return [{**shared, "RANK": str(rank), "LOCAL_RANK": str(rank)} for rank in range(n)]


def _call(
    environment: Mapping[str, str], log: Path, function: Callable[..., int | None],
    arguments: tuple[Any, ...],
) -> None:  # fmt: skip
    with log.open("w") as file:
        for standard in (1, 2):
            os.dup2(file.fileno(), standard)
    os.environ.update(environment)
    torch.set_num_threads(1)
    sys.exit(function(*arguments))


def run_program(
    program: Path, folder: Path, environment: Mapping[str, str], arguments: Sequence[str]
) -> None:
    """Run a file as `python FILE ARGUMENTS` does.

    Args:
        program: the file.
        folder: the current one.
        environment: all variables.
        arguments: of the program.
    """
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv[:] = [str(program), *arguments]
    sys.path.insert(0, str(program.parent))
    try:
        runpy.run_path(str(program), run_name="__main__")
    finally:
        atexit._run_exitfuncs()


class ForkedCommand:
    """Stands for Popen of `python -c LAUNCHER ARGUMENTS`: a fork that runs `lsemvae ARGUMENTS`."""

    def __init__(self, command: Sequence[str], *, stdout: IO[str], stderr: int) -> None:
        assert stderr == subprocess.STDOUT
        arguments = {}, Path(stdout.name), main, (list(command[3:]),)
        self._process = CONTEXT.Process(target=_call, args=arguments)
        self._process.start()
        self.terminate, self.kill = self._process.terminate, self._process.kill

    def poll(self) -> int | None:
        self._process.join(0)
        return self._process.exitcode

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int | None:
        self._process.join(timeout)
        return self._process.exitcode
