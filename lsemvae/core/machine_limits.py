"""Say what to do where the machine refuses: no more files, processes or memory, or a lost disk."""

import errno

from lsemvae.core.errors import InputError

FEWER = "use fewer jobs or loader processes"
_STEPS = {
    f"allow more open files (ulimit -n 4096), or {FEWER}": ("EMFILE", "ENFILE"),
    f"end other programs, or {FEWER}": ("EAGAIN", "ENOMEM"),
    "look at the network folder or the disk": (
        "ESTALE", "ENOTCONN", "ETIMEDOUT", "EHOSTDOWN", "EHOSTUNREACH", "ENODEV", "EREMOTEIO",
    ),
}  # fmt: skip
STEPS = {
    getattr(errno, name): step
    for step, names in _STEPS.items()
    for name in names
    if hasattr(errno, name)  # Windows lacks some
}
"""What to do, by the number of an error that no file is at fault for."""


class MachineError(InputError):
    """Nothing more can be read, through no fault of what is read."""


def is_of_machine(error: Exception) -> bool:
    """Tell an error that says something of the machine from one of what was read."""
    if isinstance(error, OSError):
        return step_of_machine(error) is not None
    return isinstance(error, MemoryError | MachineError)


def step_of_machine(error: OSError) -> str | None:
    """Return what to do where the machine is at fault and no single file; None elsewhere."""
    return None if error.errno is None else STEPS.get(error.errno)


def step_to_write(error: OSError) -> str:
    """Return what to do where a file could not be written."""
    if isinstance(error, PermissionError):
        return "Get the rights to it"
    if error.errno == errno.EROFS:
        return "Make the disk writable"
    if error.errno == errno.EIO:
        return "Look at the disk"
    step = step_of_machine(error)
    return "Make room" if step is None else step[0].upper() + step[1:]
