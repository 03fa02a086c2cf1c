"""Read one recording of an array file: `NAME.npy` or, of many, `NAME.npy#ROW`, `NAME.hdf5#ROW`.

`NAME.npz` is a zip of `.npy` files, of which one is read.
"""

import contextlib
import io
import math
import os
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.lib.format import read_array_header_1_0, read_array_header_2_0, read_magic

from data_modules.reading.formats.layout import Layout
from data_modules.reading.formats.layout_checks import (
    check_stated_leads,
    check_stated_rates,
    check_stated_unit,
    check_whole,
    holds_leads,
    is_unit_name,
    only_with_leads,
)
from data_modules.reading.limits import MAX_FILE_BYTES, check_extent, check_values
from data_modules.reading.reasons import RecordError
from data_modules.reading.recording import RawRecording
from data_modules.reading.safe_files import regular_file
from data_modules.reading.stated_numbers import wrong_size

HDF5 = ".hdf5"
_SMALL = 1024  # bytes of a single number and its header
_MARKS = (".npy#", HDF5 + "#")


def parse_array_row(record: str) -> tuple[str, int] | None:
    """Return file and row of a record such as `waves.npy#17`; None where it is no such name."""
    for ending in _MARKS:
        name, mark, row = record.rpartition(ending)
        if name and mark and row.isascii() and row.isdigit() and len(row) <= 12:
            return name + ending[:-1], int(row)
    return None


def read_array_row(root: Path, name: str, row: int, layout: Layout, *, record: str) -> RawRecording:
    """Read a row of an array (N, L, T) or (N, T, L), further axes of length one left out.

    The file is mapped, not read: a record costs its own samples.

    Args:
        root: the folder that the file must lie in.
        name: of the file below it.
        row: of the recording.
        layout: leads, rate and unit of all rows.
        record: the record as the user names it.

    Raises:
        RecordError: no array of numbers, no such row, or a shape that does not fit the leads.
        OSError: the file may not be read.
    """
    path = regular_file(root, name, record=record)[0]
    if name.endswith(HDF5):
        found = _without_padding(_hdf5_row(path, layout.variable, row, record=record))
    else:
        array = _mapped(path, record=record)
        _check_row(row, len(array), name, record=record)
        found = array[row]
    return layout_recording(leads_first(found, layout, name, record=record), layout, record=record)


def read_numpy(content: bytes, layout: Layout, *, record: str) -> RawRecording:
    """Read an array (L, T) or (T, L), further axes of length one left out.

    Args:
        content: the file.
        layout: leads, rate and unit.
        record: the record as the user names it.

    Raises:
        RecordError: no array of numbers, several recordings, or a shape unlike the leads.
    """
    name = os.path.basename(record)
    array = _array(content, name, record=record)
    if len([size for size in array.shape if size != 1]) == 3:
        saved = name if name.endswith(".npy") else f"{os.path.splitext(name)[0]}.npy"
        first = "" if saved == name else f"save them with numpy.save as {saved}, and "
        problem = (
            f"{name} holds {array.shape}, many recordings; {first}name one of them as {saved}#0 to "
            f"{saved}#{len(array) - 1}"
        )
        raise RecordError("layout_unsupported", record=record, problem=problem)
    return layout_recording(leads_first(array, layout, name, record=record), layout, record=record)


def read_numpy_archive(content: bytes, layout: Layout, *, record: str) -> RawRecording:
    """Read the one array of a `.npz` with its leads on an axis, or the layout's `variable`.

    Args:
        content: the file.
        layout: leads, rate and unit.
        record: the record as the user names it.

    Raises:
        RecordError: no such array, a damaged zip, or what `read_numpy` refuses.
    """
    name = os.path.basename(record)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            held = {one.filename.removesuffix(".npy"): one for one in archive.infolist()}
            shapes = {name: _shape(archive, member) for name, member in held.items()}
            wanted = layout.variable or (next(iter(held)) if len(held) == 1 else "")
            wanted = wanted or only_with_leads(shapes, layout)
            unpacked = _unpack(archive, held[wanted]) if wanted in held else None
            small = {one: _unpack(archive, member) for one, member in held.items()
                     if one != wanted and member.file_size < _SMALL}  # fmt: skip
    # a password is a RuntimeError, an unknown compression a NotImplementedError
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, ValueError) as error:
        raise _no_array(name, error, record=record) from error
    if unpacked is None:
        which = f"no array {wanted[:40]!r}, but" if wanted else "the arrays"
        listed = ", ".join(f"{one} {' x '.join(map(str, shapes[one]))}".rstrip() for one in held)
        problem = f"{name} holds {which} {listed[:200]}; name one as the layout's variable"
        raise RecordError("file_invalid", record=record, problem=problem)
    if len(unpacked) > MAX_FILE_BYTES:
        problem = f"{wanted} of {name} unpacks to more than {MAX_FILE_BYTES} bytes; save it alone"
        raise RecordError("file_limit", record=record, problem=problem)
    check_stated_rates(_single_numbers(small, record=record), layout, record=record)
    for member, body in small.items():
        texts = _texts(body)
        check_stated_leads(texts, layout, record=record)
        for unit in texts if is_unit_name(member) else ():
            check_stated_unit(unit, layout, record=record)
    return read_numpy(unpacked, layout, record=record)


def _single_numbers(members: dict[str, bytes], *, record: str) -> Iterator[tuple[str, float]]:
    """Yield the members that are a number; what else they are does not matter."""
    for name, content in members.items():
        with contextlib.suppress(RecordError):
            array = _array(content, name, record=record)
            if array.size == 1:
                yield name, float(array.item())


def _texts(content: bytes) -> list[str]:
    """Return a small array of texts, none where it is something else."""
    buffer = io.BytesIO(content)
    with contextlib.suppress(Exception):  # the header is a Python literal
        if read_magic(buffer) == (1, 0):
            shape, _, dtype = read_array_header_1_0(buffer)
            held = content[buffer.tell() :]
            if dtype.kind in "US" and math.prod(shape) * dtype.itemsize == len(held):
                found = np.frombuffer(held, dtype=dtype).tolist()
                return [one.decode("latin-1") if isinstance(one, bytes) else one for one in found]
    return []


def _unpack(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    """Return the contents of a member, cut above the limit whatever its size is stated to be."""
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError("a compression that NumPy does not write")
    with archive.open(member) as file:
        return file.read(MAX_FILE_BYTES + 1)


def _shape(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> tuple[int, ...]:
    """Return the shape that a member of numbers declares, empty where it is something else."""
    with contextlib.suppress(Exception), archive.open(member) as file:  # a Python literal
        head = io.BytesIO(file.read(_SMALL))
        if read_magic(head) == (1, 0):
            shape, _, dtype = read_array_header_1_0(head)
            return shape if dtype.kind in "iuf" else ()
    return ()


def _array(content: bytes, name: str, *, record: str) -> npt.NDArray[Any]:
    """Return the numbers of a file; nothing is allocated by what its header declares."""
    buffer = io.BytesIO(content)
    try:
        readers = {(1, 0): read_array_header_1_0, (2, 0): read_array_header_2_0}
        version = read_magic(buffer)
        if version not in readers:
            raise ValueError(f"version {version}")
        shape, fortran, dtype = readers[version](buffer)
    except Exception as error:  # the header is a Python literal: tokens and nesting raise anything
        raise _no_array(name, error, record=record) from error
    if dtype.kind not in "iuf":
        problem = f"{name} holds {shape} of {dtype!s:.60}; expected plain numbers"
        raise RecordError("file_invalid", record=record, problem=problem)
    declared, held = math.prod(shape) * dtype.itemsize, len(content) - buffer.tell()
    if declared != held or min(shape, default=1) < 1:
        problem = f"{name} holds {held} bytes of numbers; it declares {shape} of {dtype}"
        raise wrong_size(problem, record=record)
    flat = np.frombuffer(content, dtype=dtype, offset=buffer.tell())
    return flat.reshape(shape, order="F" if fortran else "C")


def layout_recording(counts: npt.NDArray[Any], layout: Layout, *, record: str) -> RawRecording:
    """Return the recording of an array (L, T) in the unit of the layout."""
    n_signals, n_samples = counts.shape
    check_extent(n_signals, n_samples, layout.sampling_rate_hz, record=record)
    check_whole(counts, layout, record=record)
    signals = np.asarray(counts, dtype=np.float64) / layout.counts_per_unit
    units = (layout.unit,) * len(signals)
    return RawRecording(layout.leads, signals, units, layout.sampling_rate_hz)


def _no_array(name: str, error: Exception, *, record: str) -> RecordError:
    reason = str(error).partition("\n")[0][:80]
    problem = f"{name} is no whole NumPy array of numbers ({reason}); save it again"
    return RecordError("file_invalid", record=record, problem=problem)


def _check_row(row: int, n_rows: int, name: str, *, record: str) -> None:
    if row >= n_rows:
        problem = f"{name} holds the rows 0 to {n_rows - 1}; correct the record's name"
        raise RecordError("file_missing", record=record, problem=problem)


def _hdf5_row(path: str, variable: str, row: int, *, record: str) -> npt.NDArray[Any]:
    """Read one row (T, L) of a dataset of an HDF5 file; the others are not read."""
    import h5py

    from data_modules.hdf5_parts import HDF5_ERRORS, own_dataset

    name = os.path.basename(path)
    try:
        with h5py.File(path, "r") as file:
            data = own_dataset(file, variable)
            if data.ndim != 3 or data.dtype.kind not in "iuf":
                raise ValueError(f"{data.shape} of {data.dtype}, expected numbers (N, T, leads)")
            _check_row(row, len(data), name, record=record)
            check_values(data.shape[2], data.shape[1], record=record)
            return np.asarray(data[row])
    except RecordError:
        raise
    except HDF5_ERRORS as error:
        problem = f"{name} has no numbers {variable!r} ({' '.join(str(error).split())[:80]})"
        raise RecordError("file_invalid", record=record, problem=problem) from error


def _without_padding(row: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Take away samples at both ends in which every lead is exactly zero, (T, L)."""
    filled = np.flatnonzero((row != 0).any(axis=1))
    return row[filled[0] : filled[-1] + 1] if len(filled) else row


def _mapped(path: str, *, record: str) -> npt.NDArray[Any]:
    """Map an array of numbers; what would have to be unpickled is refused."""
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise _no_array(os.path.basename(path), error, record=record) from error
    if not isinstance(array, np.ndarray) or array.ndim < 3 or array.dtype.kind not in "iuf":
        name = os.path.basename(path)
        found = f"{getattr(array, 'shape', '?')} of {getattr(array, 'dtype', '?')}"
        problem = (
            f"{name} holds {found}; expected numbers (N, leads, samples), or {name} without # for "
            "one recording (leads, samples)"
        )
        raise RecordError("file_invalid", record=record, problem=problem)
    return array


def leads_first(
    row: npt.NDArray[Any], layout: Layout, name: str, *, record: str
) -> npt.NDArray[Any]:
    """Return (L, T), with the axis that is as long as the list of leads in front.

    Raises:
        RecordError: another shape.
    """
    axes = tuple(size for size in row.shape if size != 1)
    n_leads = len(layout.leads)
    if not holds_leads(axes, n_leads):
        problem = (
            f"a recording of {name} has the shape {row.shape}; expected one axis of {n_leads} "
            "leads, as the layout file lists them, and one of samples"
            if n_leads
            else f'{name} holds {row.shape}; write its "leads" into the layout file'
        )
        raise RecordError("file_invalid", record=record, problem=problem)
    plain = row.reshape(axes)
    return plain if axes[0] == n_leads else plain.T
