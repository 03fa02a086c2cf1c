"""Make stand-ins for the ids of patients and records where something leaves the machine."""

import hashlib
import hmac
import os
import re
import secrets
import stat
from contextlib import suppress
from pathlib import Path

from lsemvae.core.errors import InputError
from lsemvae.core.files import named, prepare_place, sync_file
from lsemvae.core.unfinished import unfinished

SALT_VARIABLE = "LSEMVAE_SALT_FILE"
SALT_FILE = "~/.config/lsemvae/salt"
SHORTEST, N_BYTES = 16, 32
N_DIGITS = 16  # 64 bits: two of a million ids meet with a chance of 3e-8


def pseudonym(identifier: str, salt: bytes) -> str:
    """Return the stand-in of an id: the same for the same salt, without a way back.

    A plain hash of an id is no protection: the few million possible ids are tried in seconds. Hence
    HMAC-SHA-256 with a salt that never leaves this machine.
    """
    digest = hmac.new(salt, identifier.encode(errors="surrogateescape"), hashlib.sha256).hexdigest()
    return f"h{digest[:N_DIGITS]}"


def is_pseudonym(name: str) -> bool:
    """Tell whether a name looks like a pseudonym."""
    return re.fullmatch(rf"h[0-9a-f]{{{N_DIGITS}}}", name) is not None


def local_salt(file: Path | None = None) -> bytes:
    """Return this user's salt, made when it is first asked for and readable by its owner only.

    Args:
        file: of the salt; the environment variable LSEMVAE_SALT_FILE by default, or else
            `~/.config/lsemvae/salt`.

    Raises:
        InputError: it cannot be made or read, or is too short: anybody could make its pseudonyms.
    """
    file = file or Path(os.environ.get(SALT_VARIABLE, SALT_FILE)).expanduser()
    try:
        if not file.exists():
            _make(file)
        if not stat.S_ISREG(file.stat().st_mode):  # a pipe would never end
            raise InputError(f"the key {file} is a folder, a pipe or a device; name a file")
        salt = file.read_bytes()
    except OSError as error:
        raise InputError(
            f"the key {file} cannot be made or read ({error.strerror}); name another file, by "
            f"--key or by {SALT_VARIABLE} in the environment"
        ) from error
    if len(salt) < SHORTEST:
        raise InputError(
            f"the key {file} has {len(salt)} bytes; expected {SHORTEST} or more; put it back from "
            "a copy, or, if no name was made with it yet, remove it and run again: one is made"
        )
    return salt


def _make(file: Path) -> None:
    """Write a salt in one step; where two processes begin at the same time, the first one's."""
    prepare_place(file)
    begun = unfinished(file)
    try:
        with named(file, begun):
            handle = os.open(begun, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as new:
                new.write(secrets.token_bytes(N_BYTES))
                sync_file(new)
            with suppress(FileExistsError):
                os.link(begun, file)
    finally:
        begun.unlink(missing_ok=True)
