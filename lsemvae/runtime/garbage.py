"""Keep Python's collector of cycles from walking through the libraries again and again.

Importing torch and Lightning makes some 430,000 objects that stay. With Python's own thresholds all
of them are walked through several times while they are made, and again when the process ends.
"""

import atexit
import gc

THRESHOLDS = (50_000, 10, 10)
"""New containers before the youngest are collected (Python 3.11: 700), and Python's other two."""


def collect_rarely() -> None:
    """Collect rarely while a command runs, and leave what lives at its end to the system.

    For a process that runs one command: cycles that are alive at its end are not finalised, as
    Python never promises.
    """
    gc.set_threshold(*THRESHOLDS)
    atexit.unregister(gc.freeze)
    atexit.register(gc.freeze)
