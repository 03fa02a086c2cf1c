"""Let a command run where its input or output was closed, as some schedulers do."""

import os
import sys
from contextlib import suppress
from io import TextIOWrapper

NAMES = ("stdin", "stdout", "stderr")


def prepare_streams() -> None:
    r"""Open what is closed, and write letters that the terminal's encoding lacks as \xb1.

    Without it the next file that is opened takes the number of the closed one, and a library that
    warns on the error output would write into a store.
    """
    for number, name in enumerate(NAMES):
        with suppress(OSError):  # Windows may have none
            _occupy(number)
        if getattr(sys, name) is None:
            nothing = os.open(os.devnull, os.O_RDWR)
            setattr(sys, name, os.fdopen(nothing, "w" if number else "r", encoding="utf-8"))
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _occupy(number: int) -> None:
    """Give a closed descriptor to nothing; the lowest free number is taken, so go upwards."""
    try:
        os.fstat(number)
    except OSError:
        os.open(os.devnull, os.O_RDWR)
