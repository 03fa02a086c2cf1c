"""Read a matrix of samples from a MATLAB 5 file; its layout file says what the numbers mean.

The file's structure: MAT-File Format, The MathWorks, chapter 1 (level 5). Only numbers are read; a
compressed element is unpacked to a bounded size.
"""

import contextlib
import struct
import zlib
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from data_modules.reading.formats.layout import Layout
from data_modules.reading.formats.layout_checks import (
    check_stated_leads,
    check_stated_rates,
    check_stated_unit,
    check_whole,
    is_rate_name,
    only_with_leads,
)
from data_modules.reading.limits import MAX_FILE_BYTES, check_extent
from data_modules.reading.reasons import RecordError
from data_modules.reading.recording import RawRecording
from data_modules.reading.stated_numbers import invalid
from lsemvae.core.counted import counted

_HEADER = 128
_DTYPES = {1: "i1", 2: "u1", 3: "<i2", 4: "<u2", 5: "<i4", 6: "<u4", 7: "<f4", 9: "<f8"}
_DTYPES |= {12: "<i8", 13: "<u8"}
_MATRIX, _COMPRESSED = 14, 15
_CELL, _STRUCT, _TEXT, _NUMBERS = 1, 2, 4, range(6, 16)  # array classes
_LETTERS = {1: "latin-1", 2: "latin-1", 4: "utf-16-le", 16: "utf-8", 17: "utf-16-le"}  # of texts
_MOST_TEXT = 8192  # bytes of a list of names
_COMPLEX, _LOGICAL = 0x0800, 0x0200
_CLASSES = {1: "a cell array", 2: "a structure", 3: "an object", 4: "text", 5: "a sparse matrix"}
_MOST_ELEMENTS = 1000
_MOST_LISTED = 12
_SMALL = 1024  # bytes of a single number
_MOST_UNPACKED = 4 * MAX_FILE_BYTES


def read_matlab(content: bytes, layout: Layout, *, record: str) -> RawRecording:
    """Read the matrix that the layout names, or the only one with its leads on an axis.

    Args:
        content: the file.
        layout: what the matrix is; `leads` must be stated.
        record: the record as the user names it.

    Raises:
        RecordError: no such matrix, another shape, or a damaged file.
    """
    if content[126:128] != b"IM":
        problem = "it is a big-endian MATLAB 5 file, or damaged; save it again as MATLAB 5 (-v7)"
        raise RecordError("format_unsupported", record=record, problem=problem)
    try:
        return _read(content, layout, record=record)
    except RecordError:
        raise
    except (struct.error, zlib.error, ValueError, IndexError) as error:
        raise invalid(f"its elements are damaged ({str(error)[:80]})", record=record) from error


def _read(content: bytes, layout: Layout, *, record: str) -> RawRecording:
    """Read the matrix, and compare what else the file states with the layout."""
    if not layout.variable:
        shapes = dict(_matrices(content, record=record))
        layout = layout._replace(variable=only_with_leads(shapes, layout))
    name, _, field = layout.variable.partition(".")
    matrix = _find(content, name, field, record=record)
    if matrix is None or not layout.leads:
        raise _not_found(content, layout, record=record)
    signals = matrix if matrix.shape[0] == len(layout.leads) else matrix.T
    if signals.shape[0] != len(layout.leads):
        problem = (
            f"{layout.variable} is {matrix.shape} for the {counted(len(layout.leads), 'lead')} of "
            "the layout; name every row or column in its leads"
        )
        raise RecordError("file_invalid", record=record, problem=problem)
    check_extent(signals.shape[0], signals.shape[1], layout.sampling_rate_hz, record=record)
    stated = _single_numbers(content, name if field else "", record=record)
    check_stated_rates(stated.items(), layout, record=record)
    for _, body in _variables(content, record=record):
        lists: list[list[str]] = []
        # a text that is damaged names no lead
        with contextlib.suppress(ValueError, LookupError, struct.error):
            lists = list(_texts_within(body))
        for names in lists:
            check_stated_leads(names, layout, record=record)
            if len(set(names)) == 1 and names[0].casefold() != "v":  # which may be a lead's place
                check_stated_unit(names[0], layout, record=record)
    check_whole(signals, layout, record=record)
    return RawRecording(
        names=layout.leads,
        signals=signals.astype(np.float64) / layout.counts_per_unit,
        units=(layout.unit,) * len(layout.leads),
        sampling_rate_hz=layout.sampling_rate_hz,
    )


def _single_numbers(content: bytes, structure: str, *, record: str) -> dict[str, float]:
    """Return the variables of one number each, and such fields of a structure."""
    found = {}
    for parts, _ in _variables(content, record=record) if structure else ():
        for name in filter(is_rate_name, _field_names(parts)):
            one = _field(parts, name)
            if parts[2].decode("latin-1") == structure and one is not None and one.size == 1:
                found[name] = float(one.item())
    for kind, part in _elements(content[_HEADER:]):
        if len(part) > _SMALL:
            continue
        body = _unpack(part, record=record) if kind == _COMPRESSED else part
        parts = [one for _, one in _elements(body)] if kind in (_MATRIX, _COMPRESSED) else []
        if len(parts) > 2 and (plain := _matrix(body)) is not None and plain.size == 1:
            found[parts[2].decode("latin-1")] = float(plain.item())
    return found


def _not_found(content: bytes, layout: Layout, *, record: str) -> RecordError:
    """Say what the layout lacks, or which matrices of numbers the file holds in its place."""
    found = [f"{name} {shape[0]} x {shape[1]}" for name, shape in _matrices(content, record=record)]
    listed = ", ".join(found[:_MOST_LISTED]) or "none (leads x samples)"
    kind = _kind_of(content, layout.variable, record=record)
    lacking = [name for name in ("variable", "leads") if not getattr(layout, name)]
    problem = (
        f"the layout file states no {' and no '.join(lacking)}; the file's matrices are {listed}"
        if lacking
        else f"it holds no matrix of numbers {layout.variable[:60]!r}{kind}; its matrices are "
        f"{listed}; correct the layout's variable (STRUCT.FIELD for a field), or save the matrix "
        "by itself, real and full"
    )
    return RecordError("file_invalid", record=record, problem=problem)


def _kind_of(content: bytes, variable: str, *, record: str) -> str:
    """Say what a variable is that is no matrix; empty where there is none of that name."""
    name = variable.partition(".")[0]
    for parts, _ in _variables(content, record=record):
        if parts[2].decode("latin-1") == name:
            flags = int.from_bytes(parts[0][:4], "little")
            shape = " x ".join(map(str, np.frombuffer(parts[1], dtype="<i4")))
            kind = (
                "complex"
                if flags & _COMPLEX
                else "true and false"
                if flags & _LOGICAL
                else _CLASSES.get(flags & 0xFF, "numbers")
            )
            return f" ({name[:60]} is {kind}, {shape})"
    return ""


def _matrices(content: bytes, *, record: str) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Yield name and shape of each matrix of numbers, fields of structures too."""
    for parts, body in _variables(content, record=record):
        name = parts[2].decode("latin-1")[:60]
        plain = _matrix(body)
        if plain is not None:
            yield name, plain.shape
        for field in _field_names(parts):
            matrix = _field(parts, field)
            if matrix is not None:
                yield f"{name}.{field}", matrix.shape


def _variables(content: bytes, *, record: str) -> Iterator[tuple[list[bytes], bytes]]:
    """Yield the parts and the body of each variable."""
    for kind, found in _elements(content[_HEADER:]):
        body = _unpack(found, record=record) if kind == _COMPRESSED else found
        parts = [part for _, part in _elements(body)] if kind in (_MATRIX, _COMPRESSED) else []
        if len(parts) > 2:
            yield parts, body


def _find(content: bytes, name: str, field: str, *, record: str) -> npt.NDArray[np.generic] | None:
    """Return the named variable, or a field of it, if it is a matrix of numbers."""
    for parts, body in _variables(content, record=record):
        if parts[2].decode("latin-1") == name:
            return _field(parts, field) if field else _matrix(body)
    return None


def _unpack(compressed: bytes, *, record: str) -> bytes:
    """Return the body of the one matrix in a compressed element."""
    unpacker = zlib.decompressobj()
    content = unpacker.decompress(compressed, _MOST_UNPACKED)
    if unpacker.unconsumed_tail:
        raise invalid("a compressed element unpacks to too much", record=record)
    kind, body = next(_elements(content), (0, b""))
    return body if kind == _MATRIX else b""


def _field(parts: list[bytes], field: str) -> npt.NDArray[np.generic] | None:
    """Return a field of a structure of one element."""
    names = _field_names(parts)
    return _matrix(parts[5 + names.index(field)]) if field in names else None


def _field_names(parts: list[bytes]) -> list[str]:
    """Return the names of the fields of a structure of one element; none of anything else."""
    width = int.from_bytes(parts[3][:4], "little") if len(parts) > 4 else 0
    if parts[0][:1] != bytes([_STRUCT]) or not 0 < width <= 64:
        return []
    if len(parts[4]) // width != len(parts) - 5:
        return []
    places = range(0, len(parts[4]), width)
    return [parts[4][i : i + width].split(b"\0")[0].decode("latin-1") for i in places]


def _matrix(body: bytes) -> npt.NDArray[np.generic] | None:
    """Return a real numeric matrix of two dimensions; None for any other array."""
    elements = list(_elements(body))
    if len(elements) != 4:
        return None
    flags, dims = elements[0][1], np.frombuffer(elements[1][1], dtype="<i4")
    kind, data = elements[3]
    marks = int.from_bytes(flags[:4], "little") & (_COMPLEX | _LOGICAL)
    if marks or flags[0] not in _NUMBERS or len(dims) != 2 or kind not in _DTYPES or min(dims) < 1:
        return None
    values = np.frombuffer(data, dtype=_DTYPES[kind])
    return values.reshape(int(dims[1]), int(dims[0])).T


def _texts_within(body: bytes) -> Iterator[list[str]]:
    """Yield the texts of a variable, and of each field of a structure of one element."""
    parts = [part for _, part in _elements(body)]
    if parts[0][:1] == bytes([_STRUCT]):
        yield from (_texts(parts[5 + i]) for i in range(len(_field_names(parts))))
    else:
        yield _texts(body)


def _texts(body: bytes) -> list[str]:
    """Return the rows of a small matrix of text or the texts of a cell array, none else."""
    elements = list(_elements(body))
    if len(elements) < 4 or len(body) > _MOST_TEXT:
        return []
    kind = elements[0][1][0]
    if kind == _CELL:
        return [text for _, part in elements[3:] for text in (_texts(part) or [""])]
    code, data = elements[3]
    dims = np.frombuffer(elements[1][1], dtype="<i4")
    if kind != _TEXT or len(dims) != 2 or code not in _LETTERS:
        return []
    letters = data.decode(_LETTERS[code], errors="replace")
    if not 0 < dims[0] <= len(letters):
        return []
    return [letters[row :: dims[0]].strip() for row in range(dims[0])]


def _elements(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield type and bytes of each data element."""
    position = 0
    for _ in range(_MOST_ELEMENTS):
        if position + 8 > len(content):
            return
        kind, size = struct.unpack_from("<II", content, position)
        if kind >> 16:  # a small element: size and type share a word, up to four bytes follow
            kind, size, start, step = kind & 0xFFFF, kind >> 16, position + 4, 8
        else:
            start = position + 8
            step = 8 + (size if kind == _COMPRESSED else (size + 7) // 8 * 8)
        if start + size > len(content):
            raise ValueError("an element is cut off")
        yield kind, content[start : start + size]
        position += step
