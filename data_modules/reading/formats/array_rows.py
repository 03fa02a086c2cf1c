"""Read one recording of a NumPy array file that holds many: the record `NAME.npy#ROW`."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from data_modules.reading.formats.layout import Layout
from data_modules.reading.limits import check_extent
from data_modules.reading.reasons import RecordError
from data_modules.reading.recording import RawRecording
from data_modules.reading.safe_files import regular_file

_MARK = ".npy#"


def parse_array_row(record: str) -> tuple[str, int] | None:
    """Return file and row of a record such as `waves.npy#17`; None where it is no such name."""
    name, mark, row = record.rpartition(_MARK)
    if not (name and mark and row.isascii() and row.isdigit() and len(row) <= 12):
        return None
    return name + _MARK[:-1], int(row)


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
    array = _mapped(regular_file(root, name, record=record)[0], record=record)
    if row >= len(array):
        problem = f"{name} holds the rows 0 to {len(array) - 1}; correct the record's name"
        raise RecordError("file_missing", record=record, problem=problem)
    counts = _leads_first(array[row], layout, name, record=record)
    n_signals, n_samples = counts.shape
    check_extent(n_signals, n_samples, layout.sampling_rate_hz, record=record)
    signals = np.asarray(counts, dtype=np.float64) / layout.counts_per_unit
    units = (layout.unit,) * len(signals)
    return RawRecording(layout.leads, signals, units, layout.sampling_rate_hz)


def _mapped(path: str, *, record: str) -> npt.NDArray[Any]:
    """Map an array of numbers; what would have to be unpickled is refused."""
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError) as error:
        problem = f"{os.path.basename(path)} is no whole NumPy array ({str(error)[:80]})"
        raise RecordError("file_invalid", record=record, problem=problem) from error
    if not isinstance(array, np.ndarray) or array.ndim < 3 or array.dtype.kind not in "iuf":
        found = f"{getattr(array, 'shape', '?')} of {getattr(array, 'dtype', '?')}"
        problem = f"{os.path.basename(path)} holds {found}; expected numbers (N, leads, samples)"
        raise RecordError("file_invalid", record=record, problem=problem)
    return array


def _leads_first(
    row: npt.NDArray[Any], layout: Layout, name: str, *, record: str
) -> npt.NDArray[Any]:
    """Return (L, T), with the axis that is as long as the list of leads in front."""
    axes = tuple(size for size in row.shape if size != 1)
    n_leads = len(layout.leads)
    if len(axes) != 2 or axes.count(n_leads) != 1:
        problem = (
            f"a row of {name} has the shape {row.shape}; expected one axis of {n_leads} leads, as "
            "the layout file lists them, and one of samples"
        )
        raise RecordError("file_invalid", record=record, problem=problem)
    plain = row.reshape(axes)
    return plain if axes[0] == n_leads else plain.T
