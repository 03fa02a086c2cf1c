"""Files that other readers were reported for: read, or refused for their true cause."""

import base64
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.recording_files import (
    EIGHT,
    Files,
    aecg_files,
    make_counts,
    muse_files,
    philips_files,
    wfdb_files,
)
from data_modules.reading.read import read_recording
from data_modules.reading.reasons import RecordError
from lsemvae.core.leads import LEADS

COUNTS = make_counts()


def write(root: Path, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        (root / name).write_bytes(content)


def agrees(root: Path, record: str, ecg_mv: "np.typing.NDArray[Any]" = COUNTS * 0.005) -> None:
    recording = read_recording(root, record, amplitude="calibrated")
    assert recording.leads == LEADS
    np.testing.assert_allclose(recording.ecg, ecg_mv, atol=1e-6)


@pytest.mark.parametrize("name", ["./r1.dat", "signals/r1.dat"])
def test_a_wfdb_signal_file_may_lie_below_its_header(name: str, tmp_path: Path) -> None:
    files = wfdb_files(COUNTS)
    (tmp_path / "signals").mkdir()
    header = files["r1.hea"].replace(b"r1.dat", name.encode())
    write(tmp_path, {"r1.hea": header, name: files["r1.dat"]})
    agrees(tmp_path, "r1")


def test_a_signal_file_below_its_header_is_refused_where_the_library_decodes_it(
    tmp_path: Path,
) -> None:
    files = wfdb_files(COUNTS)
    (tmp_path / "signals").mkdir()
    header = files["r1.hea"].replace(b"r1.dat 16", b"signals/r1.dat 61")
    write(tmp_path, {"r1.hea": header, "signals/r1.dat": files["r1.dat"]})
    with pytest.raises(RecordError, match="must lie beside it"):
        read_recording(tmp_path, "r1", amplitude="calibrated")


def test_format_32_with_a_far_baseline_is_read(tmp_path: Path) -> None:
    stored = COUNTS.astype("<i4") * 100_000 - 2_000_000_000
    lines = [f"r1.dat 32 2e7(-2000000000)/mV 32 0 0 0 0 {lead}" for lead in LEADS]
    header = "\n".join([f"r1 12 250 {COUNTS.shape[1]}", *lines]) + "\n"
    write(tmp_path, {"r1.hea": header.encode(), "r1.dat": stored.T.tobytes()})
    agrees(tmp_path, "r1")


@pytest.mark.parametrize("name", ["/r1.dat", "../r1.dat", "a//r1.dat", "a/../r1.dat", "D:r1.dat"])
def test_a_wfdb_signal_file_elsewhere_is_refused(name: str, tmp_path: Path) -> None:
    files = wfdb_files(COUNTS)
    write(tmp_path, files | {"r1.hea": files["r1.hea"].replace(b"r1.dat", name.encode())})
    with pytest.raises(RecordError, match="without drive and folders"):
        read_recording(tmp_path, "r1", amplitude="calibrated")


def philips(old: str, new: str, samples: "np.typing.NDArray[Any] | None" = None) -> Files:
    """Return a Philips file whose samples are not compressed, or are written as numbers."""
    text = philips_files(COUNTS, compress=False)["r1.xml"].decode("utf-16").replace(old, new)
    if samples is not None:
        stored = samples.astype("<i2")
        numbers = "\n".join(" ".join(map(str, row)) for row in stored)
        packed = base64.b64encode(stored.tobytes()).decode()
        start, end = text.index('resolution="5">') + 15, text.index("</parsedwaveforms>")
        text = text[:start] + (numbers if '"Plain"' in text else packed) + text[end:]
    return {"r1.xml": text.encode("utf-16")}


@pytest.mark.parametrize("new", ['"Base64"', '"Plain"', '"Plain" compressflag="False"'])
def test_philips_leads_that_are_not_stored_as_differences_stay(new: str, tmp_path: Path) -> None:
    write(tmp_path, philips('"Base64"', new, COUNTS))
    agrees(tmp_path, "r1.xml")


@pytest.mark.parametrize(("put", "text"), [("7 ", "numbers for 12 leads"), ("x", "hold 'x")])
def test_plain_philips_samples_that_are_none_are_named(put: str, text: str, tmp_path: Path) -> None:
    content = philips('"Base64"', '"Plain"', COUNTS)["r1.xml"].decode("utf-16")
    content = content.replace('resolution="5">', f'resolution="5">{put}')
    write(tmp_path, {"r1.xml": content.encode("utf-16")})
    with pytest.raises(RecordError, match=text):
        read_recording(tmp_path, "r1.xml", amplitude="calibrated")


def test_a_philips_file_that_calls_fewer_channels_valid_is_told(tmp_path: Path) -> None:
    text = philips_files(COUNTS)["r1.xml"].decode("utf-16")
    for stated, told in (("8", True), ("12", False)):
        new = f"<numberchannelsvalid>{stated}</numberchannelsvalid><signaloffset>"
        content = text.replace("<signaloffset>", new)
        write(tmp_path, {"r1.xml": content.encode("utf-16")})
        found = read_recording(tmp_path, "r1.xml", amplitude="calibrated").warnings
        assert any("8 channels are valid" in message for _, message in found) == told


def test_a_philips_recorder_of_16_channels_without_labels_is_read(tmp_path: Path) -> None:
    spare = [f"X{place}" for place in range(4)]
    counts = np.vstack([COUNTS, np.zeros((4, COUNTS.shape[1]), COUNTS.dtype)])
    text = philips_files(counts, [*LEADS, *spare])["r1.xml"].decode("utf-16")
    labels = f'numberofleads="16" leadlabels="{" ".join([*LEADS, *spare])}"'
    assert labels in text
    stated = "<acquisitiontype>STD-12</acquisitiontype><numberchannelsallocated>16"
    text = text.replace(labels, "").replace(
        "<signaloffset>", f"{stated}</numberchannelsallocated><signaloffset>"
    )
    write(tmp_path, {"r1.xml": text.encode("utf-16")})
    agrees(tmp_path, "r1.xml")


def test_an_origin_in_another_unit_than_the_scale_is_converted(tmp_path: Path) -> None:
    content = aecg_files(COUNTS)["r1.xml"]
    origin = b'origin value="1" unit="mV"'
    write(tmp_path, {"r1.xml": content.replace(b'origin value="0" unit="uV"', origin)})
    agrees(tmp_path, "r1.xml", COUNTS * 0.005 + 1)


def test_a_muse_lead_that_begins_later_is_refused(tmp_path: Path) -> None:
    content = muse_files(make_counts(EIGHT))["r1.xml"]
    at = content.rindex(b"<LeadID>V6")
    field = b"<LeadOffsetFirstSample>40</LeadOffsetFirstSample>"
    write(tmp_path, {"r1.xml": content[:at] + field + content[at:]})
    with pytest.raises(RecordError, match="LeadOffsetFirstSample: lead I 0"):
        read_recording(tmp_path, "r1.xml", amplitude="calibrated")


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
