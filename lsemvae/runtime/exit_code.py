"""Turn what ends a command into an exit code and one line on stderr."""

import sys
from collections.abc import Callable

from lsemvae.core.errors import InputError
from lsemvae.core.files import place_taken
from lsemvae.core.findings import FindingsFoundError
from lsemvae.core.printable import say
from lsemvae.runtime.faults import OWN, has_lost_its_reader, refused_by_machine, was_interrupted
from lsemvae.runtime.standard_streams import prepare_streams
from lsemvae.runtime.told_to_stop import stops_in_order


def exit_code(run: Callable[[], None]) -> int:
    """Run a command and return 0, or what its end means: 2 bad input, 1 findings of a check.

    A signal that tells it to stop ends it with 143, see `stops_in_order`.

    Args:
        run: the command.
    """
    prepare_streams()
    try:
        with stops_in_order():
            run()
    except FindingsFoundError:
        return 1
    except InputError as error:
        say(f"error: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        sys.stderr.close()
        return 141
    except (OSError, MemoryError, ModuleNotFoundError) as error:
        line = _of_machine(error)
        if line is None:
            raise
        say(f"error: {line}", file=sys.stderr)
        return 2
    except (KeyboardInterrupt, SystemExit) as error:
        code = _of_exit(error)
        if code is None:
            raise
        return code
    return 0


def _of_exit(error: BaseException) -> int | None:
    """Return the exit code where a library turned a signal into another one; None elsewhere."""
    if has_lost_its_reader(error):
        return 141
    if not was_interrupted(error):
        return None
    say("interrupted; what is finished is kept", file=sys.stderr)
    return 130


def _of_machine(error: OSError | MemoryError | ModuleNotFoundError) -> str | None:
    """Return the line for what this machine lacks or refuses; None for a defect."""
    if isinstance(error, MemoryError):
        return _no_memory(error)
    return _of_system(error) if isinstance(error, OSError) else _missing_package(error)


def _missing_package(error: ModuleNotFoundError) -> str | None:
    """Return the line for a package of others, as in an installation that only predicts."""
    package = (error.name or "").partition(".")[0]
    if not package or package in OWN:
        return None
    return (
        f"this command needs the package {package}, which is not installed here: install the "
        "whole of lsemvae (pip install -c constraints.txt . in the checkout)"
    )


def _no_memory(error: MemoryError) -> str:
    reason = " ".join(str(error).split())[:200] or "the system grants no more"
    return f"the memory is not enough for what this command reads ({reason})"


def _of_system(error: OSError) -> str | None:
    """Return the line for a refusal of the system; None where it names no file: a defect."""
    line = refused_by_machine(error)
    if line is None and error.filename:
        line = place_taken(error) or f"{error.filename}: {error.strerror}"
        if isinstance(error, PermissionError):
            line += "; get the rights to it, or name another file or folder"
    return line
