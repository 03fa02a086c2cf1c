"""Give records and patients names that say nothing, from a key that stays with its owner."""

import hashlib
import hmac
from pathlib import Path

from data_modules.reading.stored.read import list_records
from lsemvae.core.errors import InputError
from lsemvae.core.pseudonyms import local_salt, pseudonym

MOST_DAYS = 365


def open_key(
    file: str | None, *, out: Path, make: bool = True, source: Path | None = None
) -> bytes:
    """Return the key of the pseudonyms, made when it is first asked for.

    Args:
        file: of the key; this user's own by default.
        out: folder that results go to, which must not hold the key.
        source: folder of the exports, none of which is a secret.
        make: make a file that is not there; false where names of an earlier key are looked for.

    Raises:
        InputError: the key is not there and not to be made, would lie among the results, or is no
            file or too short to be one.
    """
    if file is None:
        return local_salt()
    try:
        path = Path(file).expanduser()
        inside = out.resolve() in path.resolve().parents
        known = source is not None and source.resolve() in path.resolve().parents
    except RuntimeError as error:  # links in a circle, or ~name of nobody
        raise InputError(f"the key {file} cannot be made or read ({error}); name a file") from error
    if inside:
        raise InputError(
            f"the key {file} would lie in {out}, which is what you pass on; whoever has the key "
            "can undo the pseudonyms: keep it elsewhere"
        )
    if known:
        raise InputError(
            f"the key {file} lies in {source}, whose files are read as exports and are no secret: "
            "move it elsewhere, or name a file that is not there, which is made"
        )
    if not make and not path.exists():
        raise InputError(f"there is no key {file}; give the one that `lsemvae link` was given")
    return local_salt(path)


def record_name(path: str, key: bytes) -> str:
    """Return the name of a record: paths of exports hold names and ids."""
    return pseudonym(f"record {path}", key)


def patient_name(identifier: str, key: bytes) -> str:
    """Return the name of a patient."""
    return pseudonym(f"patient {identifier}", key)


def shift_days(identifier: str, key: bytes) -> int:
    """Return by how many days a patient's dates are put back, the same for all of them: 1 to 365.

    Intervals between a patient's dates stay what they are.
    """
    digest = hmac.new(key, f"days {identifier}".encode(), hashlib.sha256).digest()
    return 1 + int.from_bytes(digest[:8], "big") % MOST_DAYS


def paths_by_name(source: Path, key: bytes) -> dict[str, str]:
    """Return the path of every record below a folder by its name."""
    return {record_name(path, key): path for path in list_records(source)}
