"""Check the MATLAB 4 matrix that a WFDB header describes as a signal file with an offset.

Its first 20 bytes are five whole numbers: type, rows, columns, imaginary, length of the name.
"""

import struct

from data_modules.reading.reasons import RecordError
from data_modules.reading.safe_files import open_path

_TYPES = ("64-bit floats", "32-bit floats", "32-bit", "signed 16-bit", "unsigned 16-bit", "8-bit")
_WANTED = {"16": 3, "32": 2}  # tens of the type by the format of WFDB; others are not compared


def check_mat4(path: str, offset: int, fmt: str, n_signals: int, *, record: str) -> None:
    """Refuse a matrix that is not what its WFDB header says.

    Samples x signals has as many bytes as signals x samples, and unsigned as many as signed.

    Args:
        path: of the file.
        offset: of its samples by the header.
        fmt: their format by the header.
        n_signals: of the file by the header.
        record: the record as the user names it.

    Raises:
        RecordError: `layout_unsupported`.
    """
    with open_path(path, record=record) as file:
        start = file.read(128)
    if start.startswith((b"MATLAB 5", b"MATLAB 7")):
        problem = (
            "it is a MATLAB 5 or 7.3 file, and WFDB headers describe MATLAB 4: save it with -v4, "
            "or give it a name without header, with its extension and a layout file"
        )
        raise RecordError("layout_unsupported", record=record, problem=problem)
    if len(start) < 20:
        return
    kind, rows, columns, imaginary, name = struct.unpack("<5i", start[:20])
    if not 0 <= kind < 60 or imaginary or offset != 20 + name:
        return  # another kind of file
    if rows != n_signals:
        problem = (
            f"its matrix is {rows} x {columns}; the header describes one row for each signal, of "
            f"which it has {n_signals}: save it transposed"
        )
        raise RecordError("layout_unsupported", record=record, problem=problem)
    if _WANTED.get(fmt, kind // 10) != kind // 10:
        problem = (
            f"its matrix holds {_TYPES[kind // 10]} numbers; the header says format {fmt}: save it "
            f"as {_TYPES[_WANTED[fmt]]} ones"
        )
        raise RecordError("layout_unsupported", record=record, problem=problem)
