"""Read one recording of any known kind: the only door through which foreign bytes enter.

A record without extension is WFDB (`NAME.hea` and its signal files); `NAME.npy#ROW` is a row of an
array of many recordings. Any other record names its file, whose kind is told by its contents. Each
kind has one row of `FORMATS` and one function in `data_modules.reading.formats` that makes a raw
recording; the checks after it are shared.
"""

import os
from pathlib import Path

from data_modules.reading.amplitude import Amplitude
from data_modules.reading.formats.array_rows import (
    parse_array_row,
    read_array_row,
    read_numpy,
    read_numpy_archive,
)
from data_modules.reading.formats.csv_table import read_csv_table
from data_modules.reading.formats.dicom import read_dicom
from data_modules.reading.formats.edf import BDF, read_edf
from data_modules.reading.formats.hdf5_file import MATLAB_73, read_hdf5
from data_modules.reading.formats.hl7_aecg import read_hl7_aecg
from data_modules.reading.formats.ishne import read_ishne
from data_modules.reading.formats.kardia_json import read_kardia
from data_modules.reading.formats.layout import parse_layout
from data_modules.reading.formats.matlab import read_matlab
from data_modules.reading.formats.muse_xml import read_muse_xml
from data_modules.reading.formats.philips_xml import read_philips_xml
from data_modules.reading.formats.scp_ecg import read_scp_ecg
from data_modules.reading.kinds import HDF5_MAGIC, Format, format_of, named_kind
from data_modules.reading.limits import MAX_FILE_BYTES, MAX_HEADER_BYTES
from data_modules.reading.reasons import RecordError
from data_modules.reading.recording import RawRecording, Recording, check_recording
from data_modules.reading.safe_files import beside, read_bytes, regular_file
from data_modules.reading.text_cells import UTF16
from data_modules.reading.unreadable import unreadable
from data_modules.reading.wfdb import read_wfdb

FORMATS: tuple[Format, ...] = (
    Format("GE MUSE XML", read_muse_xml, xml_root="RestingECG"),
    Format("Philips XML", read_philips_xml, xml_root="restingecgdata"),
    Format("HL7 aECG", read_hl7_aecg, xml_root="AnnotatedECG"),
    Format("SCP-ECG", read_scp_ecg, ((16, b"SCPECG"),)),
    Format("DICOM", read_dicom, ((128, b"DICM"), (0, b"\x02\0\0\0UL"))),
    Format("EDF", read_edf, ((0, b"0       "), (0, b"0" + bytes(7)))),
    Format("BDF", read_edf, ((0, BDF),)),
    Format("ISHNE", read_ishne, ((0, b"ISHNE1.0"),)),
    Format(
        "Kardia JSON", read_kardia,
        json_keys=(b'"recordedAt"', b'"raw"'),
    ),
    Format("CSV", read_csv_table, needs_layout=True),
    Format("MATLAB", read_matlab, ((0, b"MATLAB 5.0"),), needs_layout=True),
    Format("HDF5", read_hdf5, ((0, HDF5_MAGIC), (0, MATLAB_73)), needs_layout=True),
    Format("NumPy", read_numpy, ((0, b"\x93NUMPY"),), needs_layout=True),
    Format("NumPy archive", read_numpy_archive, zipped=b".npy", needs_layout=True),
)  # fmt: skip
"""Kinds of files, a row each: by what one is told, and the function that reads it."""

_TEXT_ENDINGS = (".csv", ".txt", ".tsv", ".asc")
_SIBLINGS = (".xml", ".scp", ".dcm", ".edf", ".csv", ".txt", ".mat", ".ecg", ".json")
_ENDINGS = {*_SIBLINGS, *_TEXT_ENDINGS, ".hea", ".dat", ".bdf", ".npy", ".npz", ".h5", ".hdf5",
            ".gz", ".zip", ".pdf", ".xlsx"}  # fmt: skip
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
        if error.code != "file_missing" or os.path.lexists(f"{path}.hea"):
            raise
        if parse_array_row(record) is None and not os.path.lexists(path):
            if os.path.splitext(record)[1].lower() in _ENDINGS:
                regular_file(root, record, record=record)  # it is the file itself that is missing
            raise _missing(path, error) from error
    stem = _wfdb_stem(root, record)
    if stem is not None:
        return read_wfdb(root, stem, amplitude=amplitude)._replace(record=record)
    try:
        raw = _read_file(root, record)
    except OSError as error:
        raise unreadable(error, record) from error
    return check_recording(raw, amplitude=amplitude, record=record)


def _missing(path: str, error: RecordError) -> RecordError:
    """Add to the message which files of another kind have the record's name."""
    endings = [ending for one in _SIBLINGS for ending in (one, one.upper())]
    found = [os.path.basename(path + end) for end in endings if os.path.lexists(path + end)]
    if not found:
        return error
    problem = f"{error.problem}; {', '.join(found)} is there: name it with its extension"
    return RecordError(error.code, record=error.record, problem=problem)


def _wfdb_stem(root: Path, record: str) -> str | None:
    """Return the WFDB record that a header or a signal file belongs to, None where it is none."""
    stem, dot, ending = record.rpartition(".")
    if not dot or ending.lower() not in ("hea", "dat", "mat"):
        return None
    return stem if os.path.lexists(os.path.join(root, f"{stem}.hea")) else None


def _read_file(root: Path, record: str) -> RawRecording:
    of_array = parse_array_row(record)
    if of_array is not None:
        layout = parse_layout(_layout(root, of_array[0]), record=record)
        return read_array_row(root, *of_array, layout, record=record)
    content = read_bytes(root, record, record=record, limit=MAX_FILE_BYTES)
    found = format_of(content, FORMATS)
    if found is None and content and _is_text_table(root, record, content):
        found = next(one for one in FORMATS if one.read is read_csv_table)
    if found is not None and found.needs_layout:
        layout = parse_layout(_layout(root, record), record=record)
        return found.read(content, layout, record=record)
    if found is not None:
        return found.read(content, record=record)
    problem = named_kind(content, os.path.splitext(record)[1]) or _binary_text(record, content)
    problem = problem or _no_contents(content)
    if problem is None and record.lower().endswith(".dat"):
        problem = (
            f"it may hold the samples of a WFDB record, whose header {record[:-4]}.hea is not "
            "beside it; copy the header there too"
        )
    problem = problem or (
        f"its contents are none of {', '.join(one.name for one in FORMATS)}; WFDB records are "
        "named without extension, other kinds must be exported as one of these; a text table needs "
        f"its layout {os.path.basename(record)}{LAYOUT_SUFFIX} beside it"
    )
    raise RecordError("format_unknown", record=record, problem=problem)


def _no_contents(content: bytes) -> str | None:
    """Say that a file is empty, or filled with zeros as after a copy that broke off."""
    if content.strip(b"\0 \t\r\n"):
        return None
    held = "only zero bytes and blanks" if content else "nothing (0 bytes)"
    return f"it holds {held}; copy it again from its source"


def _is_text_table(root: Path, record: str, content: bytes) -> bool:
    """Tell a table of signals by its ending or by a layout of its own, and by being text."""
    own = os.path.lexists(os.path.join(root, record + LAYOUT_SUFFIX))
    if not own and not record.lower().endswith(_TEXT_ENDINGS):
        return False
    return named_kind(content) is None and (content.startswith(UTF16) or b"\0" not in content)


def _binary_text(record: str, content: bytes) -> str | None:
    """Say why a file named as a text table is none."""
    at = content.find(b"\0")
    if at < 0 or not record.lower().endswith(_TEXT_ENDINGS):
        return None
    return (
        f"it is named as a text table and holds a NUL byte (at {at}): UTF-16 without its mark, or "
        "damaged; save it as text in UTF-8"
    )


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
