"""Write small MATLAB and NumPy files with their layouts, for tests and torture."""

import io
import json
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from lsemvae.core.leads import LEADS

Files = dict[str, bytes]
Counts = npt.NDArray[np.int16]


def matlab_files(counts: Counts, leads: Sequence[str] = LEADS, *, rate: float = 250) -> Files:
    """Return a MATLAB file with a structure, and the layout of its folder."""
    from scipy.io import savemat

    buffer = io.BytesIO()
    savemat(buffer, {"ECG": {"sex": "x", "data": counts * 5.0}}, do_compression=True)
    layout = {"leads": list(leads), "sampling_rate_hz": rate, "unit": "uV", "variable": "ECG.data"}
    return {"r1.mat": buffer.getvalue(), "layout.json": json.dumps(layout).encode()}


def numpy_files(counts: Counts, leads: Sequence[str] = LEADS, *, rate: float = 250) -> Files:
    """Return a NumPy array of one recording, samples first, and its layout."""
    buffer = io.BytesIO()
    np.save(buffer, counts.T)
    layout = {"leads": list(leads), "sampling_rate_hz": rate, "unit": "uV", "counts_per_unit": 0.2}
    return {"r1.npy": buffer.getvalue(), "layout.json": json.dumps(layout).encode()}


def hdf5_files(counts: Counts, leads: Sequence[str] = LEADS, *, rate: float = 250) -> Files:
    """Return an HDF5 file of one packed dataset in a group, and the layout of its folder."""
    import h5py

    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        file.create_dataset("ECG/data", data=counts.T, chunks=(500, len(leads)), compression="gzip")
        file["ECG/sex"] = np.array([[102]], np.uint16)
    layout = numpy_files(counts, leads, rate=rate)["layout.json"]
    return {"r1.h5": buffer.getvalue(), "layout.json": layout}


def numpy_archive_files(
    counts: Counts, leads: Sequence[str] = LEADS, *, rate: float = 250
) -> Files:
    """Return a packed NumPy archive of one array, and its layout."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, ecg=counts.T)
    return {"r1.npz": buffer.getvalue()} | {
        name: content
        for name, content in numpy_files(counts, leads, rate=rate).items()
        if name == "layout.json"
    }
