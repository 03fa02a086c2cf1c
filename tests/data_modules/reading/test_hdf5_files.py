"""One recording in an HDF5 file or a MATLAB 7.3 file: values, what is meant, what is refused."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from benchmarks.recording_files import make_counts
from data_modules.reading.read import read_recording
from data_modules.reading.reasons import RecordError
from lsemvae.core.leads import LEADS

UV = 5.0 * make_counts()


def write(root: Path, build: Callable[[Any], object], name: str = "r1.h5", **layout: Any) -> str:
    """Write a file and its layout; `.mat` gets the head of MATLAB 7.3."""
    buffer = io.BytesIO()
    with h5py.File(buffer, "w", userblock_size=512 if name.endswith(".mat") else 0) as file:
        build(file)
    content = buffer.getvalue()
    head = b"MATLAB 7.3 MAT-file" if name.endswith(".mat") else b""
    (root / name).write_bytes(head + content[len(head) :])
    stated = {"leads": list(LEADS), "sampling_rate_hz": 250, "unit": "uV"} | layout
    (root / "layout.json").write_text(json.dumps(stated))
    return name


def matlab(file: Any) -> None:
    """Build what MATLAB saves: axes exchanged, text as whole numbers, cells behind references."""
    struct = file.create_group("ECG")
    struct.create_dataset("data", data=UV.T, chunks=(100, 12), compression="gzip")
    struct["data"].attrs["MATLAB_class"] = np.bytes_("double")
    file["rate"] = np.array([[250.0]])
    file["names"] = np.full((3, 12), 65, np.uint16)
    file["names"].attrs["MATLAB_class"] = np.bytes_("char")
    file["#refs#/a"] = UV.T * 7


@pytest.mark.parametrize(
    ("name", "build", "layout"),
    [
        ("r1.mat", matlab, {}),
        ("r1.mat", matlab, {"variable": "ECG.data"}),
        ("r1.mat", matlab, {"variable": "ECG/data"}),
        ("r1.h5", lambda file: file.update({"x": UV.astype(">f4")}), {}),
        ("r1.hdf5", lambda file: file.update({"x": make_counts()}), {"counts_per_unit": 0.2}),
        ("r1.h5", lambda file: file.update({"a": UV * 3, "b": UV[None]}), {"variable": "b"}),
        ("r1.h5", lambda file: file.update({"a": UV, "b": h5py.ExternalLink("/etc/passwd", "x"),
                                            "c": h5py.SoftLink("/a")}), {}),
    ],
)  # fmt: skip
def test_one_recording_is_read_from_its_matrix(
    name: str, build: Callable[[Any], object], layout: dict[str, Any], tmp_path: Path
) -> None:
    read = read_recording(tmp_path, write(tmp_path, build, name, **layout), amplitude="calibrated")
    assert (read.leads, read.sampling_rate_hz, read.unit) == (LEADS, 250, "mV")
    np.testing.assert_allclose(read.ecg, UV / 1000, rtol=0, atol=2e-6)


def external(file: Any) -> None:
    """Build a dataset whose values lie in another file of the machine."""
    file.create_dataset("x", (12, 100), "f4", external=[("/etc/passwd", 0, 4800)])


@pytest.mark.parametrize(
    ("build", "layout", "problem"),
    [
        (lambda file: file.update({"a": UV, "b": UV}), {}, "it holds a 12 x 1500, b 12 x 1500; "
         "write its path as variable"),
        (lambda file: file.update({"a": UV}), {"variable": "ecg"}, "matrix of numbers 'ecg'; it "
         "holds a 12 x 1500"),
        (lambda file: file.update({"a": np.stack([UV, UV])}), {}, "name one as r1.hdf5#0"),
        (lambda file: file.update({"a": UV[:5]}), {}, "it holds a 5 x 1500; write its path"),
        (lambda file: file.update({"a": UV}), {"leads": []}, 'write its "leads" into the layout'),
        (lambda file: file.update({"a": UV[:, :12]}), {}, "expected one axis of 12 leads"),
        (lambda file: file.update({"a": "text"}), {}, "it holds none"),
        (lambda file: file.update({"ecg/I": [1, 2], "ecg/II": [3, 4]}), {},
         "it holds none (leads x samples), but 2 vectors (ecg/I, ecg/II); save all leads as one"),
        (external, {"variable": "x"}, "lie in other files, which are not opened"),
        (lambda file: file.create_dataset("a", (12, 1 << 40), "f8", chunks=(12, 1 << 20)), {},
         "unpacks to 105,553,116,266,496"),
        (lambda file: file.create_dataset("a", (12, 5000), "f8", chunks=(4096, 4096),
                                          maxshape=(None, None)), {}, "unpacks to 268,435,456"),
    ],
)  # fmt: skip
def test_what_is_not_one_recording_or_too_large_is_refused(
    build: Callable[[Any], object], layout: dict[str, Any], problem: str, tmp_path: Path
) -> None:
    record = write(tmp_path, build, **layout)
    with pytest.raises(RecordError) as caught:
        read_recording(tmp_path, record, amplitude="calibrated")
    assert problem in caught.value.problem


def test_a_cut_file_is_refused_and_a_missing_layout_is_asked_for(tmp_path: Path) -> None:
    record = write(tmp_path, matlab, "r1.mat")
    content = (tmp_path / record).read_bytes()
    (tmp_path / record).write_bytes(content[: len(content) // 2])
    with pytest.raises(RecordError, match="cannot be read as HDF5"):
        read_recording(tmp_path, record, amplitude="calibrated")
    (tmp_path / "layout.json").unlink()
    with pytest.raises(RecordError, match=r"states no rate and unit; write them into r1\.mat\."):
        read_recording(tmp_path, record, amplitude="calibrated")
