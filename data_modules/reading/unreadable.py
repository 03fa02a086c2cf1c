"""Tell a file that cannot be read from a machine that lets nothing be read."""

from data_modules.reading.reasons import RecordError
from lsemvae.core.machine_limits import MachineError, step_of_machine


def unreadable(error: OSError, record: str) -> RecordError:
    """Return the reason against a record that the system does not let be read.

    Args:
        error: of the system.
        record: its name.

    Raises:
        MachineError: the machine is at fault, which would reject sound records one after the other.
    """
    step = step_of_machine(error)
    said = error.strerror or error
    if step is not None:
        raise MachineError(
            f"{record} cannot be read now ({said}), which is not the file's fault; {step}, then "
            "run the same command again"
        ) from error
    return RecordError("unreadable", record=record, problem=f"it cannot be read: {said}")
