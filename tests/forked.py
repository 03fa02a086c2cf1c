"""Start processes by forking one that has imported torch, Lightning and lsemvae.

A new interpreter computes for seconds to import them, and most tests of several processes do not
ask how a process began. Launchers have tests of their own, with processes that they start.
"""

import atexit
import os
import runpy
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, chdir
from multiprocessing import forkserver, get_context
from pathlib import Path
from typing import IO, Any

import torch

ROOT = Path(__file__).parents[1]
CONTEXT = get_context("forkserver")
CONTEXT.set_forkserver_preload(["lsemvae.lightning_cli", "tests.distributed_run", "pytest"])
TIMEOUT_S = 300


class Forked:
    """Stands for subprocess.Popen: calls a function in a fork and exits with what it returns.

    Args:
        function: at the top level of a module.
        arguments: plain values.
        stdout: file of the output.
        stderr: file of the errors; None for the same file.
        environment: variables to set.
        new_session: make it the leader of a process group.
    """

    def __init__(
        self, function: Callable[..., int | None], arguments: Sequence[Any], *, stdout: IO[Any],
        stderr: IO[Any] | None = None, environment: Mapping[str, str] = {},
        new_session: bool = False,
    ) -> None:  # fmt: skip
        files = [f"/proc/{os.getpid()}/fd/{(file or stdout).fileno()}" for file in (stdout, stderr)]
        self._process = CONTEXT.Process(
            target=_call, args=(files, environment, new_session, function, list(arguments))
        )
        with chdir(ROOT):  # where the server finds this package and not neurokit2's `tests`
            forkserver.ensure_running()
        self._process.start()
        self.pid = self._process.pid
        self.terminate, self.kill = self._process.terminate, self._process.kill

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode

    def poll(self) -> int | None:
        return self.wait(0)

    def wait(self, timeout: float | None = None) -> int | None:
        self._process.join(timeout)
        return self._process.exitcode

    def send_signal(self, number: int) -> None:
        os.kill(self._process.pid or 0, number)


def _call(
    files: Sequence[str], environment: Mapping[str, str], new_session: bool,
    function: Callable[..., int | None], arguments: Sequence[Any],
) -> None:  # fmt: skip
    for number, file in enumerate(files, start=1):
        os.dup2(os.open(file, os.O_WRONLY | os.O_APPEND), number)
    if new_session:
        os.setsid()
    os.environ.update(environment)
    torch.set_num_threads(1)
    try:
        code = function(*arguments)
    finally:
        _end_workers()
    sys.exit(code)


def _end_workers() -> None:
    """End the idle workers of joblib, for which multiprocessing would wait minutes."""
    if "joblib" in sys.modules:
        from joblib.externals.loky import get_reusable_executor

        get_reusable_executor().shutdown(wait=True)


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
    logs = [output / f"process_{rank}.txt" for rank in range(n)]
    environments = [{}] if n == 1 else _torchrun(n)
    with ExitStack() as files:
        started = [
            Forked(function, arguments, stdout=files.enter_context(log.open("w")),
                   environment=environment)
            for log, environment in zip(logs, environments, strict=True)
        ]  # fmt: skip
        try:
            codes = [process.wait(TIMEOUT_S) for process in started]
        finally:
            for process in started:
                process.kill()
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
