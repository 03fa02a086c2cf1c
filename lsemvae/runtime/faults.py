"""Tell bad input, which gets one line, from a defect, which keeps its traceback."""

import errno
import io
import re
import traceback
import zipfile
from collections.abc import Callable
from typing import NamedTuple

from lsemvae.core.errors import InputError
from lsemvae.core.machine_limits import step_of_machine, step_to_write

OWN = ("lsemvae", "data_modules")
DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO)
_SHORT_WRITE = re.compile(r"\d+ requested and \d+ written")  # as NumPy says it, without errno
NO_ROOM = "No usable temporary directory"  # as `tempfile` says it, without a name
_NO_PLACE = "temporary directory could not be created"  # as matplotlib says it
TOLD_TO_STOP = 143  # what a shell reports for SIGTERM
REFUSALS = (ValueError, TypeError, ImportError, OverflowError, RuntimeError, MemoryError, KeyError,
            AssertionError, AttributeError, UnicodeError)  # fmt: skip


class Fault(NamedTuple):
    """A way in which a run fails for what it was given, not for what it is.

    Attributes:
        is_it: tells it by the error's text and the files of its traceback.
        next_step: what to do.
    """

    is_it: Callable[[BaseException, str, list[str]], bool]
    next_step: str


RUN_FAULTS = (
    Fault(
        lambda _, text, __: "DataLoader worker" in text,
        "a loader process was killed, most often for want of memory; use fewer "
        "--data.init_args.num_workers or a smaller batch_size, and go on with --ckpt_path=last",
    ),
    Fault(
        lambda error, text, _: (
            isinstance(error, MemoryError)
            or "out of memory" in text.lower()
            or "can't allocate memory" in text
        ),
        "the memory is not enough; use a smaller batch_size or network",
    ),
    Fault(
        lambda _, text, __: "Error(s) in loading state_dict" in text,
        "the checkpoint is of another network or size; give the configuration that it was trained "
        "with (config.yaml beside it)",
    ),
    Fault(
        lambda _, __, files: any("checkpoint_connector" in file for file in files),
        "the checkpoint cannot be gone on with in this run; give one that `lightning fit` wrote "
        "with this configuration",
    ),
    Fault(
        lambda error, _, files: isinstance(error, ValueError) and "/lightning/" in files[-1],
        "Lightning refuses these settings",
    ),
    Fault(
        lambda _, __, files: "/torch/optim/" in files[-1],
        "the optimiser refuses its settings; look at lr, weight_decay and betas",
    ),
)


def refused_value(error: BaseException) -> InputError | None:
    """Return the line for an error while a configuration is read and its classes are built.

    None where the last step of its traceback is in this program: then it is a defect.
    """
    known = input_error_behind(error)
    if known is not None:
        return known
    innermost = _files(error)[-1]
    if not isinstance(error, REFUSALS) or any(f"/{name}/" in innermost for name in OWN):
        return None
    for fault in RUN_FAULTS[:2]:
        if fault.is_it(error, str(error), [innermost]):
            return InputError(f"{_brief(error)}: {fault.next_step}")
    return InputError(f"the configuration cannot be used: {_brief(error)}")


def failed_run(error: BaseException) -> InputError | None:
    """Return the line for an error of a run that its input or the machine has caused, else None."""
    known = input_error_behind(error)
    if known is not None:
        return known
    files = _files(error)
    for fault in RUN_FAULTS:
        if fault.is_it(error, str(error), files):
            return InputError(f"{fault.next_step} ({_brief(error)})")
    return None


def input_error_behind(error: BaseException | None) -> InputError | None:
    """Return the InputError that an error came from, if it came from one."""
    return next((one for one in _chain(error) if isinstance(one, InputError)), None)


def full_disk(error: OSError) -> str | None:
    """Return the line for a full, read-only or broken disk; None for any other error."""
    if NO_ROOM in str(error):
        return f"{' '.join(str(error).split())}; make room in one of them, or set TMPDIR"
    if _NO_PLACE in str(error):
        return (
            "no folder for temporary files can be written to; set TMPDIR to one that can, such as "
            "TMPDIR=/path/to/folder"
        )
    if error.errno not in DISK and not _SHORT_WRITE.search(str(error)):
        return None
    place = error.filename or _file_in_hand(error) or "what this command prints or keeps"
    verb = "read or written" if error.errno == errno.EIO else "written"
    return (
        f"{place} cannot be {verb} ({error.strerror or error}); what was finished before is "
        f"intact. {step_to_write(error)}, or choose another folder, and run the same command again"
    )


def refused_by_machine(error: OSError) -> str | None:
    """Return the line for a disk as above, or a machine that grants no more; None for others."""
    line, step = full_disk(error), step_of_machine(error)
    if line is not None or step is None:
        return line
    place = f"{error.filename}: " if error.filename else ""
    return (
        f"{place}{error.strerror or error}; {step}, then run the same command again. What was "
        "finished is intact"
    )


def _file_in_hand(error: OSError) -> str | None:
    """Return the file that was being written where an error arose that does not name it.

    A full disk is told by `write` and `close`, which know no name; the innermost function that
    holds a file open for writing does.
    """
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    for frame in reversed(frames):
        for value in frame.f_locals.values():
            name: str | int | None
            mode: str
            if isinstance(value, zipfile.ZipFile):
                name, mode = value.filename, value.mode
            elif isinstance(value, io.TextIOWrapper | io.BufferedWriter | io.FileIO):
                name, mode = value.name, str(getattr(value, "mode", ""))
            else:
                continue
            if isinstance(name, str) and not name.startswith("<") and set(mode) & set("wax+"):
                return name
    return None


def was_interrupted(error: BaseException | None) -> bool:
    """Tell whether an exit came from Ctrl-C, which Lightning turns into exit code 1."""
    return any(isinstance(one, KeyboardInterrupt) for one in _chain(error))


def has_lost_its_reader(error: BaseException) -> bool:
    """Tell whether an exit came from a closed pipe, which `rich` turns into exit code 1."""
    return any(isinstance(one, BrokenPipeError) for one in _chain(error))


def was_told_to_stop(error: BaseException) -> bool:
    """Tell whether SIGTERM ended what ran: by our exit code, or by Lightning's exception."""
    if isinstance(error, SystemExit) and error.code == TOLD_TO_STOP:
        return True
    return any(type(one).__name__ == "SIGTERMException" for one in _chain(error))


def _chain(error: BaseException | None) -> list[BaseException]:
    """Return an error and those that it came from; an error can be its own cause."""
    found: list[BaseException] = []
    while error is not None and error not in found:
        found.append(error)
        error = error.__cause__ or error.__context__
    return found


def _files(error: BaseException) -> list[str]:
    return [frame.filename for frame in traceback.extract_tb(error.__traceback__)] or [""]


def _brief(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return text[:400] if text else type(error).__name__
