"""Join uploaded files into recordings, and answer for each file that is part of none."""

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from data_modules.reading.reasons import RecordError
from data_modules.reading.safe_files import check_record_name
from lsemvae.core.counted import counted
from lsemvae.predicting.outcome import ERROR, Row, error_row
from lsemvae.predicting.sources import Source, sources_in
from lsemvae.serving.uploads import Upload

LONGEST_NAME = 200  # bytes; file systems take 255
UPLOAD_REASONS = {
    "name_repeated": "two files of one upload have the same name",
    "file_unused": "the file is part of no recording that was sent with it",
}
"""Codes of errors that only an upload can have, and what they mean."""

UPLOAD_REMEDIES = {
    "name_repeated": "send them one after the other",
    "file_unused": "send all files of a recording together, and other recordings alone",
}


class Joined(NamedTuple):
    """What an upload holds: recordings to read, and rows of files that are none."""

    sources: list[Source]
    rows: list[Row]


def join(uploads: Sequence[Upload], folder: Path) -> Joined:
    """Write the files into a folder and find the recordings in it.

    A WFDB header takes its signal files by name; a text table takes its layout.

    Args:
        uploads: of one request.
        folder: empty and private.
    """
    repeated = Counter(one.name for one in uploads)
    rows, written = [], []
    for one in uploads:
        row = _refused_name(one.name, repeated[one.name])
        if row is None:
            (folder / one.name).write_bytes(one.content)
            written.append(one.name)
        else:
            rows.append(row)
    sources = list(sources_in(folder))
    used = _used(folder, written, sources)
    rows += [_unused(name, written) for name in written if name not in used]
    return Joined(sources, rows)


def _refused_name(name: str, n: int) -> Row | None:
    """Return the row of a file whose name cannot be taken, None for a sound one."""
    if n > 1:
        problem = f"{counted(n, 'file')} of one upload have this name, so none of them was read"
        return Row(name, ERROR, "name_repeated", message=problem)
    try:
        check_record_name(name)
        if len(name.encode()) > LONGEST_NAME or name.startswith("."):
            problem = f"the name begins with a dot or has more than {LONGEST_NAME} bytes; rename it"
            raise RecordError("path_unsafe", record=name, problem=problem)
    except RecordError as error:
        return error_row(name[:LONGEST_NAME], error)
    return None


def _used(folder: Path, names: Sequence[str], sources: Sequence[Source]) -> set[str]:
    """Return the files that some recording is made of."""
    recordings = {source.path.name for source in sources}
    headers = {name: (folder / name).read_bytes() for name in names if name.endswith(".hea")}
    named = b"\n".join(headers.values())
    stems = {name.removesuffix(".hea") for name in headers}
    tables = recordings - stems
    return {
        name
        for name in names
        if name in recordings
        or name in headers
        or name.encode() in named
        or (name.endswith(".atr") and name.removesuffix(".atr") in stems)
        or (name == "layout.json" and tables)
        or name.removesuffix(".layout.json") in tables
    }


def _unused(name: str, names: Sequence[str]) -> Row:
    """Return the row of a file that is part of no recording."""
    stem, ending = os.path.splitext(name)
    if f"{stem}.hea" in names:
        problem = f"{stem}.hea does not name it; send it again by itself"
    elif ending == ".json":
        problem = "it describes a text table, and none was sent with it; send both together"
    else:
        problem = f"its header {stem}.hea was not sent with it; send both together"
    return Row(name, ERROR, "file_unused", message=problem)
