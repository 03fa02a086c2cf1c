"""End a command by SIGTERM, or by a terminal that is closed, as Ctrl-C ends it: in good order."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import NoReturn

from lsemvae.core.printable import say
from lsemvae.runtime.faults import TOLD_TO_STOP

SIGNALS = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]


class StoppedBySignal(SystemExit):
    """The system told this process to stop; temporary files and workers go as the stack unwinds."""


@contextmanager
def stops_in_order() -> Iterator[None]:
    """Turn the first SIGTERM or SIGHUP into an exit, whose line is said when all is put away.

    A second one ends the process at once. A signal that somebody else listens to, or that `nohup`
    has ignored, is left alone; `StopSignal` listens in our place while a network is trained.
    """
    heard = [number for number in SIGNALS if signal.getsignal(number) == signal.SIG_DFL]
    try:
        for number in heard:
            signal.signal(number, _stop)
    except ValueError:  # not the main thread, which alone may listen
        heard = []
    try:
        yield
    except StoppedBySignal:
        with suppress(OSError):  # the terminal is gone
            say("told to stop; what is finished is kept", file=sys.stderr)
        raise
    finally:
        for number in heard:
            signal.signal(number, signal.SIG_DFL)


def _stop(_number: int, _frame: FrameType | None) -> NoReturn:
    for number in SIGNALS:
        if signal.getsignal(number) is _stop:
            signal.signal(number, signal.SIG_DFL)
    raise StoppedBySignal(TOLD_TO_STOP)
