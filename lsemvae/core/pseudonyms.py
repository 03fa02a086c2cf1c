"""Make stand-ins for the ids of patients and records where something leaves the machine."""

import hashlib
import hmac
import os
import secrets
from pathlib import Path

from lsemvae.core.files import whole_or_absent

SALT_VARIABLE = "LSEMVAE_SALT_FILE"
SALT_FILE = "~/.config/lsemvae/salt"
N_DIGITS = 16  # 64 bits: two of a million ids meet with a chance of 3e-8


def pseudonym(identifier: str, salt: bytes) -> str:
    """Return the stand-in of an id: the same for the same salt, without a way back.

    A plain hash of an id is no protection: the few million possible ids are tried in seconds. Hence
    HMAC-SHA-256 with a salt that never leaves this machine.
    """
    digest = hmac.new(salt, identifier.encode(), hashlib.sha256).hexdigest()
    return f"h{digest[:N_DIGITS]}"


def local_salt(file: Path | None = None) -> bytes:
    """Return this user's salt, made when it is first asked for and readable by its owner only.

    Args:
        file: of the salt; the environment variable LSEMVAE_SALT_FILE by default, or else
            `~/.config/lsemvae/salt`.
    """
    file = file or Path(os.environ.get(SALT_VARIABLE, SALT_FILE)).expanduser()
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return file.read_bytes()
    with whole_or_absent(file), os.fdopen(handle, "wb") as new:
        new.write(secrets.token_bytes(32))
    return file.read_bytes()
