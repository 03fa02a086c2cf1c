"""Run commands of lsemvae within a benchmark, without their output."""

import contextlib
import io

from lsemvae.cli import main as lsemvae


def run_command(*arguments: str) -> None:
    """Run a command of lsemvae in this process.

    Raises:
        RuntimeError: it failed.
    """
    with contextlib.redirect_stdout(io.StringIO()) as said:
        if lsemvae(arguments):
            raise RuntimeError(f"lsemvae {' '.join(arguments)} failed: {said.getvalue()}")
