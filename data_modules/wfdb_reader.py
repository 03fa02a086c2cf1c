"""Read one WFDB recording: the only door through which foreign bytes enter.

The wfdb library follows links out of the folder, reaches for the network, hangs on a pipe and never
compares a checksum. So a record's paths, header and file sizes are checked before a sample is read,
and its checksums after it.
"""

import stat
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from data_modules.reasons import RecordError
from data_modules.signal_settings import Amplitude
from data_modules.wfdb_header import MAX_HEADER_BYTES, Header, SignalLine, parse_header
from lsemvae.errors import InputError
from lsemvae.leads import canonical_lead

# Two code points are in use for the mu; CinC 2021 writes `mv`. `MV` would be a megavolt.
_MV_PER_UNIT = {"mV": 1.0, "mv": 1.0, "V": 1e3, "uV": 1e-3, "uv": 1e-3}
_MV_PER_UNIT |= {"\N{MICRO SIGN}V": 1e-3, "\N{GREEK SMALL LETTER MU}V": 1e-3}

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
}
_PACKED = ("212", "310", "311")  # several samples share bytes: up to 3 bytes of padding


class Recording(NamedTuple):
    """One recording as its file holds it, before any cleaning.

    Attributes:
        record: the record as the user names it.
        ecg: the known leads, shape (L, T), float32, in `unit`; NaN where a sample is missing.
        leads: canonical lead names in the order of the file.
        sampling_rate_hz: samples per second.
        unit: `mV`, or `NU` where amplitudes are arbitrary.
        comments: the header's comment lines.
    """

    record: str
    ecg: npt.NDArray[np.float32]
    leads: tuple[str, ...]
    sampling_rate_hz: float
    unit: str
    comments: tuple[str, ...]


def read_recording(root: Path, record: str, *, amplitude: Amplitude) -> Recording:
    """Read and check one single-segment WFDB record.

    Args:
        root: the folder that the record must lie in.
        record: the record's path below `root`, with `/` and without extension.
        amplitude: `calibrated` wants a unit of mV, uV or V in every lead; `arbitrary` also takes
            other units (z-scored sets state `NU`) and promises nothing about amplitudes.

    Raises:
        RecordError: the record is unsafe, damaged, unsupported or no ECG; `code` says which.
    """
    try:
        return _read_checked(root, record, amplitude=amplitude)
    except OSError as error:
        problem = f"it cannot be read: {error.strerror or error}"
        raise RecordError("unreadable", record=record, problem=problem) from error


def _read_checked(root: Path, record: str, *, amplitude: Amplitude) -> Recording:
    """Check paths, header and sizes, then read, then compare checksums."""
    stem = _safe_stem(root, record)
    with _regular_file(root, f"{record}.hea", record=record).open("rb") as file:
        header = parse_header(file.read(MAX_HEADER_BYTES + 1), record=record)
    leads = _find_leads(header, record=record)
    scales = [
        _mv_per_unit(header.signals[i], amplitude=amplitude, record=record) for i in leads.values()
    ]
    _check_files(root, header, record=record)
    counts = _read_counts(stem, header, record=record)
    _compare_checksums(counts, header, record=record)
    ecg = _to_physical(counts, header, channels=list(leads.values()), scales=scales)
    unit = "mV" if amplitude == "calibrated" else "NU"
    return Recording(record, ecg, tuple(leads), header.sampling_rate_hz, unit, header.comments)


def _safe_stem(root: Path, record: str) -> Path:
    """Join root and record after checking that the record's name cannot leave the root."""
    parts = record.split("/")
    unsafe = not record or "\\" in record or ":" in record or not record.isprintable()
    if unsafe or any(part in ("", ".", "..", "~") for part in parts):
        problem = "expected a path below the source folder such as files/p1/s2/2, no URL and no .."
        raise RecordError("path_unsafe", record=record, problem=problem)
    return root / record


def _regular_file(root: Path, name: str, *, record: str) -> Path:
    """Return the path of a regular file that lies inside the root, links resolved."""
    try:
        path = (root / name).resolve(strict=True)
        mode = path.stat().st_mode
    except (OSError, RuntimeError, ValueError) as error:
        problem = f"{name} is not in the source folder; give record names without extension"
        raise RecordError("file_missing", record=record, problem=problem) from error
    if not path.is_relative_to(root.resolve()):
        problem = f"{name} is a link out of the source folder"
        raise RecordError("path_unsafe", record=record, problem=problem)
    if not stat.S_ISREG(mode):
        problem = f"{name} is not a regular file"
        raise RecordError("file_not_regular", record=record, problem=problem)
    return path


def _find_leads(header: Header, *, record: str) -> dict[str, int]:
    """Map each canonical lead in the file to its channel; other signals are left out."""
    leads: dict[str, int] = {}
    for channel, line in enumerate(header.signals):
        try:
            lead = canonical_lead(line.description)
        except InputError:
            continue
        if lead in leads:
            problem = f"lead {lead} occurs twice"
            raise RecordError("duplicate_lead", record=record, problem=problem)
        leads[lead] = channel
    if not leads:
        names = ", ".join(line.description or "(no name)" for line in header.signals)
        problem = f"no signal is one of the twelve leads; the file has {names[:200] or 'none'}"
        raise RecordError("no_known_lead", record=record, problem=problem)
    return leads


def _mv_per_unit(line: SignalLine, *, amplitude: Amplitude, record: str) -> float:
    if line.unit in _MV_PER_UNIT:
        return _MV_PER_UNIT[line.unit]
    if amplitude == "arbitrary":
        return 1.0
    problem = (
        f"lead {line.description} has the unit {line.unit or '(none)'}; expected mV, uV or V; "
        "set amplitude to arbitrary if the amplitudes mean nothing"
    )
    raise RecordError("unit_unknown", record=record, problem=problem)


def _check_files(root: Path, header: Header, *, record: str) -> None:
    """Check that each signal file is a regular file of exactly the declared size."""
    folder = record.rpartition("/")[0]
    for file_name, lines in _by_file(header, record=record).items():
        if "/" in file_name or "\\" in file_name or file_name in ("-", "~", ".", ".."):
            problem = f"the header names the signal file {file_name!r}; expected a plain file name"
            raise RecordError("path_unsafe", record=record, problem=problem)
        path = _regular_file(root, f"{folder}/{file_name}".lstrip("/"), record=record)
        line, size = lines[0], path.stat().st_size
        bits = _FORMATS[line.fmt][0] * len(lines) * header.n_samples
        declared = line.offset + int(np.ceil(round(bits, 3) / 8))
        if not declared <= size <= declared + (3 if line.fmt in _PACKED else 0):
            problem = f"{file_name} has {size} bytes; its header declares {declared}"
            raise RecordError("size_mismatch", record=record, problem=problem)


def _by_file(header: Header, *, record: str) -> dict[str, list[SignalLine]]:
    """Group the signal lines by file; one file has one known format and one offset."""
    files: dict[str, list[SignalLine]] = {}
    for line in header.signals:
        group = files.setdefault(line.file_name, [])
        mixed = any((line.fmt, line.offset) != (other.fmt, other.offset) for other in group)
        if line.fmt not in _FORMATS or mixed:
            problem = (
                f"{line.file_name} has format {line.fmt}{' among others' if mixed else ''}; "
                f"readable are {', '.join(_FORMATS)}, one in each file"
            )
            raise RecordError("layout_unsupported", record=record, problem=problem)
        group.append(line)
    return files


def _read_counts(stem: Path, header: Header, *, record: str) -> npt.NDArray[np.integer]:
    """Read the ADC counts of all signals, shape (signals, T)."""
    first = header.signals[0]
    if first.fmt == "16" and all(line.file_name == first.file_name for line in header.signals):
        samples = np.fromfile(stem.with_name(first.file_name), dtype="<i2", offset=first.offset)
        return samples.reshape(header.n_samples, -1).T
    import wfdb  # only for the rarer layouts: importing it costs a second

    try:
        counts = wfdb.rdrecord(str(stem.resolve().parent / stem.name), physical=False).d_signal
    except Exception as error:  # the library documents no exceptions; a bad file may raise any
        reason = " ".join(str(error).split())[:200]
        problem = f"wfdb cannot decode it: {type(error).__name__}: {reason}"
        raise RecordError("unreadable", record=record, problem=problem) from error
    return np.asarray(counts, dtype=np.int64).T


def _compare_checksums(counts: npt.NDArray[np.integer], header: Header, *, record: str) -> None:
    """Compare the 16-bit sums of the samples with the header's, signed or unsigned."""
    sums = counts.sum(axis=1, dtype=np.int64)
    for found, line in zip(sums, header.signals, strict=True):
        if line.checksum is not None and (int(found) - line.checksum) % 65_536:
            problem = (
                f"the samples of {line.description or line.file_name} do not match the header's "
                "checksum; the file is damaged or belongs to another header; copy it again"
            )
            raise RecordError("checksum_mismatch", record=record, problem=problem)


def _to_physical(
    counts: npt.NDArray[np.integer],
    header: Header,
    *,
    channels: list[int],
    scales: list[float],
) -> npt.NDArray[np.float32]:
    """Convert the chosen channels from counts to physical units, shape (L, T)."""
    lines = [header.signals[channel] for channel in channels]
    chosen = counts[channels]
    baseline = np.array([[line.baseline] for line in lines], dtype=np.float64)
    factor = np.array([[scale / line.gain] for scale, line in zip(scales, lines, strict=True)])
    ecg = ((chosen - baseline) * factor).astype(np.float32)
    # no sample of a format without a "missing" value reaches 2**40
    missing = np.array([[_FORMATS[line.fmt][1] or 1 << 40] for line in lines])
    ecg[chosen == missing] = np.nan
    return np.asarray(ecg)
