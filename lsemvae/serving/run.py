"""Run the page on this machine until it is stopped."""

import errno
import socket

import uvicorn

from lsemvae.core.errors import InputError
from lsemvae.core.printable import say
from lsemvae.predicting.predictor import Predictor
from lsemvae.predicting.run import Options
from lsemvae.serving.app import build_app
from lsemvae.serving.private_folder import in_memory

HOST = "127.0.0.1"  # of this machine only; no option changes it


def bind(port: int) -> socket.socket:
    """Take a port of this machine, before a model is read for it.

    Args:
        port: 0 takes one that is free.

    Raises:
        InputError: it is in use, or may not be taken.
    """
    if not 0 <= port <= 65_535:
        raise InputError(f"--port must be 1024 to 65535 (0 takes a free one), got {port}")
    taken = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        taken.bind((HOST, port))
        taken.listen()  # else a second server could bind, too
    except OSError as error:
        taken.close()
        if error.errno == errno.EADDRINUSE:
            raise InputError(
                f"port {port} is in use; give another one, such as --port {port % 60_000 + 1}, or "
                "end the program that has it"
            ) from error
        raise InputError(
            f"port {port} cannot be taken ({error.strerror}); give one above 1023 with --port"
        ) from error
    return taken


def serve_on(taken: socket.socket, predictor: Predictor, options: Options) -> None:
    """Serve the page of a model until Ctrl-C.

    Args:
        taken: from `bind`.
        predictor: the model.
        options: of the user.
    """
    port = taken.getsockname()[1]
    if not in_memory():
        say(
            "note: this system has no folder in memory (/dev/shm); while a file is read it lies in "
            "a private temporary folder on the disk"
        )
    say(f"open http://{HOST}:{port}/ in a browser on this machine; Ctrl-C ends it", flush=True)
    config = uvicorn.Config(
        build_app(predictor, options, port=port),
        log_level="warning",
        access_log=False,  # paths would tell how many recordings were looked at
        server_header=False,
        timeout_graceful_shutdown=5,
        ws="none",
        lifespan="off",
    )
    try:
        uvicorn.Server(config).run(sockets=[taken])
    except KeyboardInterrupt:
        pass
    finally:
        taken.close()
    say("stopped; all worklists are forgotten")
