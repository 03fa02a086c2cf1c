"""Turn what ends a command into an exit code and one line on stderr."""

import sys
from collections.abc import Callable

from lsemvae.core.errors import InputError


def exit_code(run: Callable[[], None]) -> int:
    """Run a command and return 0, or what its end means; 2 is bad input.

    Args:
        run: the command.
    """
    try:
        run()
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        sys.stderr.close()
        return 141
    except OSError as error:
        if error.filename is None:
            raise
        print(f"error: {error.filename}: {error.strerror}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted; what is finished is kept", file=sys.stderr)
        return 130
    return 0
