"""Turn what ends a command into an exit code and one line on stderr."""

import sys
from collections.abc import Callable

from lsemvae.core.errors import InputError
from lsemvae.core.findings import FindingsFoundError
from lsemvae.core.printable import printable
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
        print(f"error: {printable(str(error))}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        sys.stderr.close()
        return 141
    except OSError as error:
        line = f"{error.filename}: {error.strerror}" if error.filename else full_disk(error)
        if line is None:
            raise
        print(f"error: {printable(line)}", file=sys.stderr)
        return 2
    except (KeyboardInterrupt, SystemExit) as error:
        if not was_interrupted(error):
            raise
        print("interrupted; what is finished is kept", file=sys.stderr)
        return 130
    return 0
