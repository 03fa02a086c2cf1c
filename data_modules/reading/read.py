"""Read one recording of any known kind: the only door through which foreign bytes enter.

A record without extension is WFDB (`NAME.hea` and its signal files); `NAME.npy#ROW` is a row of an
array of many recordings. Any other record names its file, whose kind is told by its contents. Each
kind has one function in `data_modules.reading.formats` that makes a raw recording; the checks after
it are shared.
"""

import os
import re
from collections.abc import Callable
from pathlib import Path

from data_modules.reading.amplitude import Amplitude
from data_modules.reading.formats.array_rows import parse_array_row, read_array_row
from data_modules.reading.formats.csv_table import read_csv_table
from data_modules.reading.formats.dicom import read_dicom
from data_modules.reading.formats.edf import read_edf
from data_modules.reading.formats.hl7_aecg import read_hl7_aecg
from data_modules.reading.formats.layout import parse_layout
from data_modules.reading.formats.matlab import read_matlab
from data_modules.reading.formats.muse_xml import read_muse_xml
from data_modules.reading.formats.philips_xml import read_philips_xml
from data_modules.reading.formats.scp_ecg import read_scp_ecg
from data_modules.reading.limits import MAX_FILE_BYTES, MAX_HEADER_BYTES
from data_modules.reading.reasons import RecordError
from data_modules.reading.recording import RawRecording, Recording, check_recording
from data_modules.reading.safe_files import beside, read_bytes
from data_modules.reading.wfdb import read_wfdb

Reader = Callable[..., RawRecording]

READERS: dict[str, Reader] = {
    "GE MUSE XML": read_muse_xml,
    "Philips XML": read_philips_xml,
    "HL7 aECG": read_hl7_aecg,
    "SCP-ECG": read_scp_ecg,
    "DICOM": read_dicom,
    "EDF": read_edf,
}
"""Kinds of files that are told by their contents, each `reader(content, record=...)`."""

TABLE_READERS: dict[str, Reader] = {"CSV": read_csv_table, "MATLAB": read_matlab}
"""Kinds of files that need a layout file, each `reader(content, layout, record=...)`."""

_XML_ROOTS = {
    "RestingECG": "GE MUSE XML",
    "restingecgdata": "Philips XML",
    "AnnotatedECG": "HL7 aECG",
}
_FIRST_TAG = re.compile(r"<([A-Za-z_][\w.-]{0,40})[\s>]")
_SNIFFED = 16_384
LAYOUT_SUFFIX = ".layout.json"
FOLDER_LAYOUT = "layout.json"


def read_recording(root: Path, record: str, *, amplitude: Amplitude) -> Recording:
    """Read and check one recording.

    Args:
        root: the folder that the record must lie in.
        record: the record's path below `root`, with `/`; without extension for WFDB, with it for
            any other kind.
        amplitude: `calibrated` wants a unit of mV, uV or V in every lead; `default_mv` also takes
            WFDB leads without a unit as mV, which is WFDB's own default; `arbitrary` also takes
            other units (z-scored sets state `NU`) and promises nothing about amplitudes.

    Raises:
        RecordError: the record is unsafe, damaged, unsupported or no ECG; `code` says which.
    """
    try:
        return read_wfdb(root, record, amplitude=amplitude)
    except RecordError as error:
        path = os.path.join(root, record)
        row_of_array = parse_array_row(record) is not None
        is_file = os.path.lexists(path) and not os.path.lexists(f"{path}.hea")
        other_kind = row_of_array or is_file
        if error.code != "file_missing" or not other_kind:
            raise
    try:
        raw = _read_file(root, record)
    except OSError as error:
        problem = f"it cannot be read: {error.strerror or error}"
        raise RecordError("unreadable", record=record, problem=problem) from error
    return check_recording(raw, amplitude=amplitude, record=record)


def _read_file(root: Path, record: str) -> RawRecording:
    of_array = parse_array_row(record)
    if of_array is not None:
        layout = parse_layout(_layout(root, of_array[0]), record=record)
        return read_array_row(root, *of_array, layout, record=record)
    content = read_bytes(root, record, record=record, limit=MAX_FILE_BYTES)
    kind = kind_of(content)
    if kind is None and record.lower().endswith(".csv"):
        kind = "CSV"
    if kind in TABLE_READERS:
        layout = parse_layout(_layout(root, record), record=record)
        return TABLE_READERS[kind](content, layout, record=record)
    if kind is not None:
        return READERS[kind](content, record=record)
    problem = (
        f"its contents are none of {', '.join([*READERS, *TABLE_READERS])}; WFDB records are named "
        "without extension, other kinds must be exported as one of these"
    )
    raise RecordError("format_unknown", record=record, problem=problem)


def kind_of(content: bytes) -> str | None:
    """Tell the kind of a file by its contents, None where it is unknown or text."""
    if content[128:132] == b"DICM":
        return "DICOM"
    if content[16:22] == b"SCPECG":
        return "SCP-ECG"
    if content[:8] == b"0       ":
        return "EDF"
    if content[:10] == b"MATLAB 5.0":
        return "MATLAB"
    wide = content[:2] in (b"\xff\xfe", b"\xfe\xff")
    text = content[:_SNIFFED].decode("utf-16" if wide else "latin-1", errors="replace")
    if text.lstrip("\ufeff\xef\xbb\xbf \t\r\n")[:1] != "<":
        return None
    tag = _FIRST_TAG.search(re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL))
    return _XML_ROOTS.get(tag[1]) if tag else None


def _layout(root: Path, record: str) -> bytes:
    """Read the layout of a table: its own, or the one for all tables of its folder."""
    own, folder = record + LAYOUT_SUFFIX, beside(record, FOLDER_LAYOUT)
    name = own if os.path.lexists(os.path.join(root, own)) else folder
    try:
        return read_bytes(root, name, record=record, limit=MAX_HEADER_BYTES)
    except RecordError as error:
        if error.code != "file_missing":
            raise
        problem = f"the file states no rate and unit; write them into {own} or {folder}"
        raise RecordError("file_missing", record=record, problem=problem) from error
