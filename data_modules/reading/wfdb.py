"""Read one WFDB recording strictly.

The wfdb library follows links out of the folder, reaches for the network, hangs on a pipe and never
compares a checksum. So a record's paths, header and file sizes are checked before a sample is read,
and its checksums after it.
"""

import math
import os
from pathlib import Path

import numpy as np
import numpy.typing as npt

from data_modules.reading.amplitude import Amplitude
from data_modules.reading.flac import check_flac
from data_modules.reading.kinds import named_kind
from data_modules.reading.lead_names import known_lead
from data_modules.reading.limits import MAX_HEADER_BYTES
from data_modules.reading.mat4 import check_mat4
from data_modules.reading.reasons import RecordError
from data_modules.reading.recording import (
    ChosenLeads,
    Recording,
    Warnings,
    choose_leads,
    stored_unit,
)
from data_modules.reading.safe_files import (
    beside,
    check_record_name,
    open_path,
    open_regular,
    regular_file,
)
from data_modules.reading.stated_numbers import none_computed
from data_modules.reading.unreadable import unreadable
from data_modules.reading.wfdb_header import Header, SignalLine, parse_header
from lsemvae.core.machine_limits import is_of_machine

# signal(5): bits per sample on disk, and the sample value that stands for "missing".
_FORMATS: dict[str, tuple[float, int | None]] = {
    "8": (8, None),
    "16": (16, -(1 << 15)),
    "24": (24, -(1 << 23)),
    "32": (32, -(1 << 31)),
    "61": (16, -(1 << 15)),
    "80": (8, -(1 << 7)),
    "160": (16, -(1 << 15)),
    "212": (12, -(1 << 11)),
    "310": (32 / 3, -(1 << 9)),
    "311": (32 / 3, -(1 << 9)),
    "508": (8, -(1 << 7)),
    "516": (16, -(1 << 15)),
    "524": (24, -(1 << 23)),
}
_WHOLE_BYTES = {"16": "<i2", "32": "<i4"}  # read here; the wfdb library decodes the others
_PACKED = ("212", "310", "311")  # several samples share bytes: up to 3 bytes of padding
_SNIFFED = 1024  # bytes by which another kind of file is named
_FLAC = ("508", "516", "524")


def read_wfdb(root: Path, record: str, *, amplitude: Amplitude) -> Recording:
    """Read and check one single-segment WFDB record.

    Args:
        root: the folder that the record must lie in.
        record: the record's path below `root`, with `/` and without extension.
        amplitude: see `data_modules.reading.recording.choose_leads`.

    Raises:
        RecordError: the record is unsafe, damaged, unsupported or no ECG; `code` says which.
    """
    try:
        return _read_checked(root, record, amplitude=amplitude)
    except OSError as error:
        raise unreadable(error, record) from error


def _read_checked(root: Path, record: str, *, amplitude: Amplitude) -> Recording:
    """Check paths, header and sizes, then read, then compare checksums."""
    check_record_name(record)
    with open_regular(root, f"{record}.hea", record=record) as file:
        header = parse_header(file.read(MAX_HEADER_BYTES + 1), record=record)
    names = [line.description for line in header.signals]
    units = [line.unit for line in header.signals]
    leads = [i for i, name in enumerate(names) if known_lead(name)] or list(range(len(names)))
    files = _by_file(header, leads, record=record)
    paths = {
        name: _check_file(root, name, [header.signals[i] for i in channels], header, record=record)
        for name, channels in files.items()
    }
    chosen = choose_leads(names, units, amplitude=amplitude, record=record)
    if all(header.signals[channel].fmt in _WHOLE_BYTES for channel in chosen.channels):
        counts = _read_whole(paths, files, chosen.channels, header, record=record)
    else:
        counts = _read_rare(root, chosen.channels, header, record=record)
    verified = _compare_checksums(counts, chosen.channels, header, record=record)
    ecg = _to_physical(counts, header, chosen)
    warnings = chosen.warnings + verified
    if header.surplus:
        text = f"lines beyond the {len(names)} declared signals: {header.surplus[0][:60]!r}"
        warnings += (("signals_ignored", text),)
    rate, unit = header.sampling_rate_hz, stored_unit(amplitude)
    return Recording(record, ecg, chosen.leads, rate, unit, header.comments, warnings)


def _by_file(header: Header, leads: list[int], *, record: str) -> dict[str, list[int]]:
    """Group the channels of the files that hold leads; one file has one known format and offset."""
    files: dict[str, list[int]] = {}
    needed = {header.signals[channel].file_name for channel in leads}
    for channel, line in enumerate(header.signals):
        if line.file_name not in needed:
            continue
        group = files.setdefault(line.file_name, [])
        first = header.signals[group[0]] if group else line
        mixed = line.fmt != first.fmt
        if line.offset != first.offset:
            problem = (
                f"{line.file_name} begins at byte {first.offset} for one signal and at "
                f"{line.offset} for another; expected one offset in all lines of a file"
            )
            raise RecordError("layout_unsupported", record=record, problem=problem)
        if line.fmt not in _FORMATS or mixed:
            problem = (
                f"{line.file_name} has format {line.fmt}{' among others' if mixed else ''}; "
                f"readable are {', '.join(_FORMATS)}, one in each file"
            )
            raise RecordError("layout_unsupported", record=record, problem=problem)
        if not line.whole:
            problem = (
                f"{line.description[:40]!r} in {line.file_name}, among the leads, has several "
                "samples per frame; expected one; resample it, or leave it out"
            )
            raise RecordError("layout_unsupported", record=record, problem=problem)
        group.append(channel)
    return files


def _check_file(
    root: Path, file_name: str, lines: list[SignalLine], header: Header, *, record: str
) -> str:
    """Return a signal file's path if it is a regular file of exactly the declared size."""
    path, size = regular_file(root, beside(record, file_name), record=record)
    fmt, offset = lines[0].fmt, lines[0].offset
    if file_name.lower().endswith(".mat"):
        check_mat4(path, offset, fmt, len(lines), record=record)
    bits = _FORMATS[fmt][0] * len(lines) * header.n_samples
    unit = 2 if fmt == "310" else 1  # bytes: its second sample begins in a word of its own
    declared = offset + unit * math.ceil(round(bits, 3) / (8 * unit))
    if fmt in _FLAC:
        with open_path(path, record=record) as file:
            check_flac(
                file.read(64),
                n_channels=len(lines),
                n_samples=header.n_samples,
                n_bits=int(fmt) - 500,
                record=record,
            )
        if offset or size > 2 * declared + MAX_HEADER_BYTES:
            problem = f"{file_name} has {size} bytes; its samples take {declared} uncompressed"
            raise RecordError("size_mismatch", record=record, problem=problem)
    elif not declared <= size <= declared + (3 if fmt in _PACKED else 0):
        with open_path(path, record=record) as file:
            named = named_kind(file.read(_SNIFFED), os.path.splitext(file_name)[1])
        problem = f"{file_name} has {size} bytes; its header declares {declared}; " + (
            named
            or "copy it again if the source's own file has another size, else correct the header"
        )
        raise RecordError("size_mismatch", record=record, problem=problem)
    return path


def _read_whole(
    paths: dict[str, str],
    files: dict[str, list[int]],
    leads: list[int],
    header: Header,
    *,
    record: str,
) -> npt.NDArray[np.integer]:
    """Read the ADC counts of the leads from files of format 16 or 32, shape (L, T)."""
    rows: dict[int, npt.NDArray[np.integer]] = {}
    for name, channels in files.items():
        dtype = _WHOLE_BYTES[header.signals[channels[0]].fmt]
        counts = np.empty((header.n_samples, len(channels)), dtype=dtype)
        with open_path(paths[name], record=record) as file:
            file.seek(header.signals[channels[0]].offset)
            if file.readinto(counts.data) != counts.nbytes:
                problem = f"{name} became shorter while it was read; wait until it is copied"
                raise RecordError("size_mismatch", record=record, problem=problem)
        if channels == leads:
            return np.ascontiguousarray(counts.T)  # every later step runs along a lead
        rows |= {channel: counts[:, i] for i, channel in enumerate(channels)}
    return np.stack([rows[channel] for channel in leads])


def _read_rare(
    root: Path, leads: list[int], header: Header, *, record: str
) -> npt.NDArray[np.integer]:
    """Let the wfdb library decode the leads of rarer formats, from files that were checked."""
    try:
        import wfdb  # importing it costs a second
    except ImportError as error:
        problem = "its sample format needs the package wfdb; pip install wfdb"
        raise RecordError("reader_missing", record=record, problem=problem) from error

    below = sorted({line.file_name for line in header.signals if "/" in line.file_name})
    if below:  # the library cannot read such a name
        problem = f"{below[0]} lies below its header; of this format it must lie beside it"
        raise RecordError("layout_unsupported", record=record, problem=problem)
    stem = os.path.join(os.path.realpath(root), record)
    try:
        counts = wfdb.rdrecord(stem, physical=False, ignore_skew=True, channels=leads).d_signal
        if counts.shape != (header.n_samples, len(leads)):
            raise ValueError(f"it gave {counts.shape}")
    except Exception as error:  # the library documents no exceptions; a bad file may raise any
        if is_of_machine(error):
            raise
        reason = " ".join(str(error).split())[:200]
        problem = f"wfdb cannot decode it: {type(error).__name__}: {reason}"
        raise RecordError("unreadable", record=record, problem=problem) from error
    return np.asarray(counts, dtype=np.int64).T


def _compare_checksums(
    counts: npt.NDArray[np.integer], leads: list[int], header: Header, *, record: str
) -> Warnings:
    """Compare the 16-bit sums of the leads' samples (L, T) with the header's."""
    lines = [header.signals[channel] for channel in leads]
    # 16-bit sums wrap around as the header's do, and need no wider copy
    exact = counts.dtype == np.int16
    sums = counts.sum(axis=1, dtype=np.int16 if exact else np.int64)
    stated = [line.checksum for line in lines if line.checksum is not None]
    if len(stated) < len(lines):
        text = "the header has no checksums; nobody can tell whether the samples are sound"
        return (("checksum_missing", text + _other_start(counts, lines)),)
    if none_computed([*stated, *(line.checksum or 0 for line in header.signals)], sums.tolist()):
        text = "all checksums in the header are 0: its writer left them out; damage goes unnoticed"
        return (("checksum_missing", text + _other_start(counts, lines)),)
    for found, line in zip(sums, lines, strict=True):
        if (int(found) - (line.checksum or 0)) % 65_536:
            problem = (
                f"the samples of {line.description or line.file_name} do not match the header's "
                "checksum; the file is damaged or belongs to another header; copy it again if "
                "the source's own file differs, or "
                "remove all checksums if the header's writer computes none"
            )
            raise RecordError("checksum_mismatch", record=record, problem=problem)
    return ()


def _other_start(counts: npt.NDArray[np.integer], lines: list[SignalLine]) -> str:
    """Say that no lead begins with the sample that the header states, where it states any."""
    firsts = counts[:, 0].tolist()
    stated = [(line, found) for line, found in zip(lines, firsts, strict=True) if line.first]
    if not stated or any(line.first == found for line, found in stated):
        return ""
    line, found = stated[0]
    return (
        f"; no lead begins with the sample that the header states ({line.description[:40]}: "
        f"{found}, stated {line.first}), so it may belong to another file"
    )


def _to_physical(
    counts: npt.NDArray[np.integer], header: Header, chosen: ChosenLeads
) -> npt.NDArray[np.float32]:
    """Convert the chosen channels from counts to mV (or the header's unit), shape (L, T)."""
    lines = [header.signals[channel] for channel in chosen.channels]
    samples = counts
    baseline = np.array([[line.baseline] for line in lines])
    factor = np.array(chosen.mv_per_unit) / [line.gain for line in lines]
    # float32 holds 16-bit counts and their differences from a small baseline exactly
    small = samples.dtype == np.int16 and np.abs(baseline).max() < 1 << 23
    number = np.float32 if small else np.float64
    values = np.asarray(samples, dtype=number)
    if baseline.any():
        np.subtract(values, baseline.astype(number), out=values)
    np.multiply(values, factor[:, None].astype(number), out=values)
    ecg = np.asarray(values, dtype=np.float32)
    marks = [_FORMATS[line.fmt][1] for line in lines]
    for mark in set(marks) - {None}:
        missing = samples == mark
        if missing.any():
            ecg[missing & np.array([[own == mark] for own in marks])] = np.nan
    for lead, line in enumerate(lines):
        if line.skew:  # rare: devices that sample one channel after the other
            skew = min(line.skew, header.n_samples)
            ecg[lead, : header.n_samples - skew] = ecg[lead, skew:].copy()
            ecg[lead, header.n_samples - skew :] = np.nan
    return ecg
