"""End a command by SIGTERM, or by a terminal that is closed, as Ctrl-C ends it: in good order."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from threading import Timer
from types import FrameType
from typing import Any, NoReturn

from lsemvae.core.printable import say
from lsemvae.runtime.faults import TOLD_TO_STOP

SIGNALS = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
SECONDS_UNTIL_AGAIN = 0.05


class StoppedBySignal(SystemExit):
    """The system told this process to stop; temporary files and workers go as the stack unwinds."""


@contextmanager
def stops_in_order() -> Iterator[None]:
    """Turn the first SIGTERM or SIGHUP into an exit, whose line is said when all is put away.

    A second one ends the process at once. A signal that somebody else listens to, or that `nohup`
    has ignored, is left alone; `StopSignal` listens in our place while a network is trained.

    What is raised while Python clears an object away is printed and lost, Ctrl-C too: then the
    signal is given again a moment later.
    """
    before = sys.unraisablehook
    heard = [number for number in SIGNALS if signal.getsignal(number) == signal.SIG_DFL]
    try:
        for number in heard:
            signal.signal(number, _stop)
        sys.unraisablehook = partial(_stop_again, before)
    except ValueError:  # not the main thread, which alone may listen
        heard = []
    try:
        yield
    except StoppedBySignal:
        if heard:  # by this command, and not by another that called it
            with suppress(OSError):  # the terminal is gone
                say("told to stop; what is finished is kept", file=sys.stderr)
        raise
    finally:
        sys.unraisablehook = before
        for number in heard:
            signal.signal(number, signal.SIG_DFL)


def _stop(_number: int, _frame: FrameType | None) -> NoReturn:
    for number in SIGNALS:
        if signal.getsignal(number) is _stop:
            signal.signal(number, signal.SIG_DFL)
    raise StoppedBySignal(TOLD_TO_STOP)


def _stop_again(before: Callable[[Any], object], lost: Any) -> None:
    """Give a signal again whose exception was lost; leave any other error to the hook `before`."""
    if isinstance(lost.exc_value, StoppedBySignal):
        signal.signal(signal.SIGTERM, _stop)
        number = signal.SIGTERM
    elif isinstance(lost.exc_value, KeyboardInterrupt):
        number = signal.SIGINT
    else:
        before(lost)
        return
    again = Timer(SECONDS_UNTIL_AGAIN, os.kill, (os.getpid(), number))
    again.daemon = True
    again.start()
