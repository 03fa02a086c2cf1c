"""Turn what ends a command into an exit code and one line on stderr."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

from lsemvae.core.errors import InputError
from lsemvae.core.findings import FindingsFoundError
from lsemvae.core.printable import say
from lsemvae.runtime.faults import full_disk, was_interrupted


def exit_code(run: Callable[[], None]) -> int:
    """Run a command and return 0, or what its end means: 2 bad input, 1 findings of a check.

    Args:
        run: the command.
    """
    try:
        run()
    except FindingsFoundError:
        return 1
    except InputError as error:
        say(f"error: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        sys.stderr.close()
        return 141
    except OSError as error:
        line = full_disk(error)
        if line is None and not error.filename:
            raise
        line = line or _place_taken(error) or f"{error.filename}: {error.strerror}"
        say(f"error: {line}", file=sys.stderr)
        return 2
    except MemoryError as error:
        reason = " ".join(str(error).split()) or "no more is granted"
        say(f"error: the memory is not enough for this input ({reason[:200]})", file=sys.stderr)
        return 2
    except (KeyboardInterrupt, SystemExit) as error:
        if not was_interrupted(error):
            raise
        say("interrupted; what is finished is kept", file=sys.stderr)
        return 130
    return 0


def _place_taken(error: OSError) -> str | None:
    """Return the line for a file that stands where a folder is to be made; None for others."""
    if not isinstance(error, FileExistsError | NotADirectoryError):
        return None
    path = Path(os.fsdecode(error.filename)).absolute()
    file = next((one for one in (path, *path.parents) if one.is_file()), None)
    if file is None:
        return None
    return f"{file} is a file where a folder is needed; name another one, with --out"
