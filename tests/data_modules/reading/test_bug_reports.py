"""Files that other readers were reported for, refused for their true cause."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.recording_files import make_counts, wfdb_files
from data_modules.reading.read import read_recording
from data_modules.reading.reasons import RecordError
from lsemvae.core.leads import LEADS

COUNTS = make_counts()


def write(root: Path, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        (root / name).write_bytes(content)


def test_a_record_name_with_its_folder_is_named(tmp_path: Path) -> None:
    files = wfdb_files(COUNTS)
    write(tmp_path, files | {"r1.hea": files["r1.hea"].replace(b"r1 12", b"medians/r1 12")})
    with pytest.raises(RecordError, match="write the record's name without its folder"):
        read_recording(tmp_path, "r1", amplitude="calibrated")


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (COUNTS + 1j, "complex, 12 x 1500"), (COUNTS > 0, "true and false, 12 x 1500"),
        (COUNTS[None], "numbers, 1 x 12 x 1500"), ("text", "text, 1 x 4"),
        (np.array([[1, COUNTS]], dtype=object), "a cell array, 1 x 2"),
        ({"a": {"b": COUNTS}}, "a structure, 1 x 1"),
    ],
)  # fmt: skip
def test_a_matlab_variable_that_is_no_matrix_is_named_by_its_kind(
    value: Any, kind: str, tmp_path: Path
) -> None:
    from scipy.io import savemat

    buffer = io.BytesIO()
    savemat(buffer, {"val": value})
    layout = {"leads": LEADS, "sampling_rate_hz": 250, "unit": "uV", "variable": "val"}
    write(tmp_path, {"r1.mat": buffer.getvalue(), "layout.json": json.dumps(layout).encode()})
    with pytest.raises(RecordError) as caught:
        read_recording(tmp_path, "r1.mat", amplitude="calibrated")
    assert f"(val is {kind})" in caught.value.problem


def test_commas_between_thousands_beside_decimal_points_are_named(tmp_path: Path) -> None:
    rows = [",".join(["0.5"] * 11 + ['"1,234.5"'])] * 1500
    layout = {"sampling_rate_hz": 250, "unit": "uV"}
    write(tmp_path, {"r1.csv": "\n".join([",".join(LEADS), *rows]).encode(),
                     "layout.json": json.dumps(layout).encode()})  # fmt: skip
    with pytest.raises(RecordError, match="write the numbers without commas"):
        read_recording(tmp_path, "r1.csv", amplitude="calibrated")


def test_a_matlab_file_that_is_cut_behind_its_matrix_is_refused(tmp_path: Path) -> None:
    from scipy.io import savemat

    buffer = io.BytesIO()
    savemat(buffer, {"val": COUNTS.astype(float), "notes": np.zeros((9, 9))})
    layout = {"leads": LEADS, "sampling_rate_hz": 250, "unit": "uV", "variable": "val"}
    content = buffer.getvalue()[:-100]
    write(tmp_path, {"r1.mat": content, "layout.json": json.dumps(layout).encode()})
    with pytest.raises(RecordError, match=r"its elements are damaged .an element is cut off"):
        read_recording(tmp_path, "r1.mat", amplitude="calibrated")
