"""Read what any known kind of file says of patient and acquisition; no signal is decoded."""

import os
from collections.abc import Callable
from pathlib import Path

from data_modules.reading.kinds import format_of
from data_modules.reading.limits import MAX_FILE_BYTES, MAX_HEADER_BYTES
from data_modules.reading.read import FORMATS
from data_modules.reading.reasons import RecordError
from data_modules.reading.safe_files import check_record_name, read_bytes
from data_modules.reading.stored.binary import dicom_facts, edf_facts, scp_facts, wfdb_facts
from data_modules.reading.stored.facts import StoredFacts
from data_modules.reading.stored.holter import ishne_facts, kardia_facts
from data_modules.reading.stored.xml import aecg_facts, muse_facts, philips_facts
from data_modules.reading.unreadable import unreadable
from lsemvae.core.walking import walk_folder

FACTS: dict[str, Callable[..., StoredFacts]] = {
    "GE MUSE XML": muse_facts,
    "Philips XML": philips_facts,
    "HL7 aECG": aecg_facts,
    "SCP-ECG": scp_facts,
    "DICOM": dicom_facts,
    "EDF": edf_facts,
    "BDF": edf_facts,
    "ISHNE": ishne_facts,
    "Kardia JSON": kardia_facts,
}
"""For each kind that is told by its contents, the reader of its facts."""

HEADER = ".hea"


def list_records(source: Path) -> list[str]:
    """Return every record below a folder, sorted: WFDB ones without extension.

    A file that belongs to a WFDB header, and files whose names begin with a point, are left out.
    """
    found: list[str] = []
    for folder, folders, names in walk_folder(source):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        below = Path(folder).relative_to(source)
        stems = {name[: -len(HEADER)] for name in names if name.lower().endswith(HEADER)}
        others = [name for name in names
                  if not name.startswith(".") and name.rpartition(".")[0] not in stems]  # fmt: skip
        found += [(below / name).as_posix() for name in [*stems, *others]]
    return sorted(found)


def read_facts(root: Path, record: str) -> StoredFacts:
    """Read what one record says of patient and acquisition.

    Args:
        root: the folder that the record must lie in.
        record: as for `read_recording`.

    Raises:
        RecordError: it cannot be read or is of no known kind.
    """
    check_record_name(record)
    try:
        if os.path.lexists(root / f"{record}{HEADER}"):
            limit = MAX_HEADER_BYTES
            header = read_bytes(root, f"{record}{HEADER}", record=record, limit=limit)
            return wfdb_facts(header, record=record)
        content = read_bytes(root, record, record=record, limit=MAX_FILE_BYTES)
    except OSError as error:
        raise unreadable(error, record) from error
    found = format_of(content, FORMATS)
    if found is not None and found.name in FACTS:
        return FACTS[found.name](content, record=record)
    if found is not None:
        return StoredFacts(found.name)
    problem = "it is of no kind that says whose it is"
    raise RecordError("format_unknown", record=record, problem=problem)
