"""Read the one recording of an HDF5 file, MATLAB 7.3 among them; its layout says what it means."""

import io
import math
import os
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from data_modules.reading.formats.array_rows import layout_recording, leads_first
from data_modules.reading.formats.layout import Layout
from data_modules.reading.formats.layout_checks import (
    check_packing,
    check_stated_leads,
    check_stated_rates,
    check_stated_unit,
    is_rate_name,
    is_unit_name,
    without_templates,
)
from data_modules.reading.limits import MAX_FILE_BYTES, check_values
from data_modules.reading.reasons import RecordError
from data_modules.reading.recording import RawRecording
from lsemvae.core.counted import counted

MATLAB_73 = b"MATLAB 7.3 MAT-file"
_MOST_UNPACKED = 4 * MAX_FILE_BYTES
_MOST_LISTED = 12
_MOST_OBJECTS = 1000
_MOST_BESIDE = 1 << 20  # bytes of a dataset beside the samples
_MOST_LETTERS = 1000  # of a list of leads or units
_MANY = 3  # axes of a dataset of many recordings
_NO_NUMBERS = ("char", "logical")  # of MATLAB, which stores them as whole numbers


def read_hdf5(content: bytes, layout: Layout, *, record: str) -> RawRecording:
    """Read the dataset that the layout names, or the only one of two axes with its leads on one.

    Args:
        content: the file.
        layout: leads, rate and unit; its `variable` is `GROUP/NAME`, or `STRUCT.FIELD`.
        record: the record as the user names it.

    Raises:
        RecordError: no such dataset, several, another shape, or a damaged file.
    """
    import h5py

    name = os.path.basename(record)
    try:
        with h5py.File(io.BytesIO(content), "r") as file:
            matrices = dict(_arrays(file))
            vectors = [] if matrices else [path for path, _ in _arrays(file, axes=(1,))]
            found = _wanted(matrices, vectors, layout, name, record=record)
            numbers = _numbers(file, found, record=record)
            check_stated_rates(_stated(file, found).items(), layout, record=record)
            check_packing(_packing(file[found]), layout, record=record)
            check_stated_unit(_unit(file[found]), layout, record=record)
            for name_of_texts, texts in _texts(file, found):
                check_stated_leads(texts, layout, record=record)
                for unit in texts if is_unit_name(name_of_texts) else ():
                    check_stated_unit(unit, layout, record=record)
    except RecordError:
        raise
    except Exception as error:  # the library's names, sizes and filters may raise anything
        reason = " ".join(str(error).split())[:80]
        problem = f"{name} cannot be read as HDF5 ({reason}); save it again, or as MATLAB 5 (-v7)"
        raise RecordError("file_invalid", record=record, problem=problem) from error
    return layout_recording(leads_first(numbers, layout, name, record=record), layout,
                            record=record)  # fmt: skip


def _arrays(
    file: Any, *, axes: tuple[int, ...] = (2, _MANY)
) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Yield path and shape of each dataset of numbers with so many axes; links are not followed."""
    import h5py

    groups, seen = [("", file)], 0
    while groups:
        path, group = groups.pop()
        for name in group:
            seen += 1
            if seen > _MOST_OBJECTS:
                raise ValueError(f"more than {_MOST_OBJECTS} objects")
            if name.startswith("#") or not isinstance(group.get(name, getlink=True), h5py.HardLink):
                continue
            one = group[name]
            if isinstance(one, h5py.Group):
                groups.append((f"{path}{name}/", one))
            elif _is_array(one, axes):
                yield f"{path}{name}", tuple(map(int, one.shape))


def _is_array(one: Any, axes: tuple[int, ...]) -> bool:
    numbers = one.dtype.kind in "iuf" and _matlab_class(one) not in _NO_NUMBERS
    return numbers and len([size for size in one.shape or () if size != 1]) in axes


def _wanted(
    matrices: dict[str, tuple[int, ...]], vectors: list[str], layout: Layout, name: str, *,
    record: str,
) -> str:  # fmt: skip
    """Return the path of the matrix that is meant."""
    named = [path for path in matrices
             if layout.variable in ("", path, f"/{path}", path.replace("/", "."))]  # fmt: skip
    fitting = [path for path in named if len(matrices[path]) - matrices[path].count(1) < _MANY]
    if layout.leads and not layout.variable:
        with_leads = [path for path in fitting if len(layout.leads) in matrices[path]]
        fitting = without_templates(with_leads, matrices, layout)
    if len(fitting) == 1:
        return fitting[0]
    listed = [f"{path} {' x '.join(map(str, shape))}" for path, shape in matrices.items()]
    found = "one matrix of numbers" + (
        f" {layout.variable[:60]!r}"
        if layout.variable
        else f" with {counted(len(layout.leads), 'lead')}"
    )
    step = "write its path as variable, and its leads, into the layout"
    if not matrices:
        step = "save all leads as one dataset of two axes"
    if named and all(len(matrices[path]) - matrices[path].count(1) == _MANY for path in named):
        step = f"of many recordings name one as {os.path.splitext(name)[0]}.hdf5#0, with variable"
    held = ", ".join(listed[:_MOST_LISTED]) or "none (leads x samples)"
    if vectors:
        shown = ", ".join(vectors[:_MOST_LISTED])[:200]
        held += f", but {counted(len(vectors), 'vector')} ({shown})"
    problem = f"{name} does not hold {found}; it holds {held}; {step}"
    raise RecordError("file_invalid", record=record, problem=problem)


def _unit(one: Any) -> str:
    """Return the unit that a dataset states, empty where it states none."""
    value = next((one.attrs[name] for name in one.attrs if is_unit_name(name)), "")
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _packing(one: Any) -> tuple[float, float]:
    """Return what a sample of 1 and of 0 are by netCDF's attributes of a dataset."""
    scale, zero = (np.asarray(one.attrs.get(name, plain)) for name, plain in
                   (("scale_factor", 1.0), ("add_offset", 0.0)))  # fmt: skip
    plain = all(value.size == 1 and value.dtype.kind in "iuf" for value in (scale, zero))
    return (float(scale.item()), float(zero.item())) if plain else (1.0, 0.0)


def _stated(file: Any, path: str) -> dict[str, float]:
    """Return what may be rates: attributes of the dataset and its groups, datasets beside it."""
    import h5py

    stated: dict[str, Any] = {}
    groups = [file, *([file[path].parent] if "/" in path else [])]
    for holder in (*groups, file[path]):
        stated |= {name: holder.attrs[name] for name in holder.attrs if is_rate_name(name)}
    for group in groups:
        for name in filter(is_rate_name, group):
            if (
                isinstance(group.get(name, getlink=True), h5py.HardLink)
                and (isinstance(group[name], h5py.Dataset) and group[name].size == 1)
                and _is_small(group[name])
            ):
                stated[name] = group[name][()]
    numbers = {name: np.asarray(value) for name, value in stated.items()}
    return {name: float(one.item()) for name, one in numbers.items()
            if one.size == 1 and one.dtype.kind in "iuf"}  # fmt: skip


def _texts(file: Any, path: str) -> Iterator[tuple[str, list[str]]]:
    """Yield name and value of the short lists of texts beside a dataset, attributes or datasets."""
    import h5py

    groups = [file, *([file[path].parent] if "/" in path else [])]
    for holder in (*groups, file[path]):
        yield from ((name, _as_texts(holder.attrs[name])) for name in holder.attrs)
    for group in groups:
        for name in group:
            plain = isinstance(group.get(name, getlink=True), h5py.HardLink)
            one = group[name] if plain else None
            if isinstance(one, h5py.Dataset):
                yield name, _texts_of(file, one)


def _texts_of(file: Any, one: Any) -> list[str]:
    """Return the texts of a small dataset: plain ones, MATLAB's letters, or its cells of them."""
    import h5py

    if not 0 < (one.size or 0) <= _MOST_LETTERS or not _is_small(one):
        return []
    if _matlab_class(one) == "char":
        if one.dtype.kind != "u" or one.dtype.itemsize > 2 or not one.ndim:
            return []  # an empty text holds its sizes
        letters = np.asarray(one[()]).reshape(len(one), -1).T  # a column for each text
        return ["".join(map(chr, row)).strip() for row in letters.tolist()]
    if h5py.check_ref_dtype(one.dtype) is h5py.Reference and one.size <= _MOST_LISTED:
        cells = [file[reference] for reference in np.asarray(one[()]).ravel() if reference]
        texts = [_texts_of(file, cell) for cell in cells if _matlab_class(cell) == "char"]
        return [text[0] for text in texts if len(text) == 1]
    return _as_texts(one[()]) if one.size <= _MOST_LISTED else []


def _is_small(one: Any) -> bool:
    """Whether a dataset lies in the file itself and unpacks to little."""
    packed = math.prod(one.chunks or ()) * one.dtype.itemsize
    return not one.external and not one.is_virtual and packed <= _MOST_BESIDE


def _matlab_class(one: Any) -> str:
    """Return what MATLAB calls the kind of a dataset, empty where it did not write it."""
    kind = one.attrs.get("MATLAB_class", b"")
    return kind.decode("latin-1") if isinstance(kind, bytes) else ""


def _as_texts(value: object) -> list[str]:
    """Return an array of texts as a list, empty for any other value."""
    found = np.asarray(value)
    cells = found.ravel().tolist() if found.dtype.kind in "OSU" else []
    texts = [one.decode("latin-1") if isinstance(one, bytes) else one for one in cells]
    return texts if all(isinstance(one, str) for one in texts) else []


def _numbers(file: Any, path: str, *, record: str) -> npt.NDArray[Any]:
    """Return the values of a dataset after its size was checked."""
    from data_modules.hdf5_parts import own_dataset

    data = own_dataset(file, path)
    axes = sorted(int(size) for size in data.shape if size != 1)
    check_values(axes[0], axes[1], record=record)
    chunks = data.chunks or data.shape
    touched = (math.ceil(size / chunk) for size, chunk in zip(data.shape, chunks, strict=True))
    unpacked = math.prod(touched) * math.prod(chunks) * data.dtype.itemsize
    if unpacked > _MOST_UNPACKED:
        raise ValueError(f"{path[:40]} unpacks to {unpacked:,} bytes")
    return np.asarray(data[()])
