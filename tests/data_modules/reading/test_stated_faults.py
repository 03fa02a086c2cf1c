"""What files state about their own leads: off, late, at two rates; and names that were missed."""

import io
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.mutants import mend_crc
from benchmarks.recording_files import (
    EIGHT,
    Files,
    aecg_files,
    csv_files,
    dicom_files,
    make_counts,
    muse_files,
    philips_files,
    scp_files,
    wfdb_files,
)
from data_modules.reading.lead_names import known_lead
from data_modules.reading.read import read_recording
from data_modules.reading.reasons import RecordError
from data_modules.reading.recording import Recording

COUNTS = make_counts()
LATE = b"<LeadTimeOffset>2500</LeadTimeOffset>"


def read(root: Path, record: str, files: Files) -> Recording:
    for name, content in files.items():
        (root / name).write_bytes(content)
    return read_recording(root, record, amplitude="calibrated")


def refusal(root: Path, record: str, files: Files) -> RecordError:
    with pytest.raises(RecordError) as caught:
        read(root, record, files)
    return caught.value


def muse(old: bytes, new: bytes) -> Files:
    content = muse_files(make_counts(EIGHT))["r1.xml"]
    assert old in content
    return {"r1.xml": content.replace(old, new)}


def dicom(change: Callable[[Any], None], channels: slice = slice(None)) -> Files:
    import pydicom

    dataset = pydicom.dcmread(io.BytesIO(dicom_files(COUNTS)["r1.dcm"]))
    for channel in dataset.WaveformSequence[0].ChannelDefinitionSequence[channels]:
        change(channel)
    buffer = io.BytesIO()
    dataset.save_as(buffer)
    return {"r1.dcm": buffer.getvalue()}


def test_leads_of_muse_that_begin_at_other_times_are_refused(tmp_path: Path) -> None:
    error = refusal(tmp_path, "r1.xml", muse(b"<LeadID>V1<", LATE + b"<LeadID>V1<"))
    assert error.code == "layout_unsupported"
    assert "lead V1 2500" in error.problem
    same = read(tmp_path, "r1.xml", muse(b"<LeadID>", LATE + b"<LeadID>"))
    np.testing.assert_allclose(same.ecg, make_counts(EIGHT) * 0.005, atol=1e-6)


def test_an_electrode_that_was_off_by_the_file_is_told(tmp_path: Path) -> None:
    told = ("samples_filled", "the file says that the electrode was off: ")
    found = read(tmp_path, "r1.xml", muse(b"<LeadID>V1<", b"<LeadOff>TRUE</LeadOff><LeadID>V1<"))
    assert found.warnings == ((told[0], told[1] + "lead V1"),)

    def disconnect(channel: Any) -> None:
        channel.ChannelStatus = "DISCONNECTED"

    assert read(tmp_path, "r1.dcm", dicom(disconnect, slice(6, 7))).warnings == (
        (told[0], told[1] + "V1"),
    )


def edf_with_times(times: list[float], *, kind: bytes = b"EDF+C") -> Files:
    """Return an EDF file of one lead of 250 Hz with the time of each second."""
    names = (b"I", b"EDF Annotations")
    columns = ((16, names), (80, (b"", b"")), (8, (b"uV", b"")), (8, (b"-32768", b"-1")),
               (8, (b"32767", b"1")), (8, (b"-32768",) * 2), (8, (b"32767",) * 2),
               (80, (b"", b"")), (8, (b"250", b"20")), (32, (b"", b"")))  # fmt: skip
    head = b"0".ljust(184) + b"768".ljust(8) + kind.ljust(44)
    head += str(len(times)).encode().ljust(8) + b"1".ljust(8) + b"2".ljust(4)
    signals = b"".join(one.ljust(width) for width, pair in columns for one in pair)
    rows = [
        COUNTS[0, 250 * k : 250 * (k + 1)].tobytes()
        + f"+{time:g}\x14\x14".encode().ljust(40, b"\0")
        for k, time in enumerate(times)
    ]
    return {"r1.edf": head + signals + b"".join(rows)}


@pytest.mark.parametrize("kind", [b"EDF+C", b"EDF+D", b""])
def test_gaps_by_the_times_of_an_edf_are_refused_whatever_it_says(
    kind: bytes, tmp_path: Path
) -> None:
    whole = read(tmp_path, "r1.edf", edf_with_times([0, 1, 2, 3, 4, 5], kind=kind))
    np.testing.assert_allclose(whole.ecg[0], COUNTS[0] / 1000, atol=1e-6)
    assert "after 3 s" in str(
        refusal(tmp_path, "r1.edf", edf_with_times([0, 1, 2, 5, 6, 7], kind=kind))
    )


def test_an_edf_of_annotations_alone_says_so(tmp_path: Path) -> None:
    files = edf_with_times([0, 1])
    files["r1.edf"] = files["r1.edf"].replace(b"I".ljust(16), b"EDF Annotations ", 1)
    assert "annotations and no signal" in str(refusal(tmp_path, "r1.edf", files))


def test_a_dicom_channel_of_another_label_is_refused(tmp_path: Path) -> None:
    def label(text: str) -> Files:
        return dicom(lambda channel: setattr(channel, "ChannelLabel", text), slice(0, 1))

    assert read(tmp_path, "r1.dcm", label("Lead I")).leads[0] == "I"
    assert read(tmp_path, "r1.dcm", label("1")).leads[0] == "I"
    assert "I by its source and II by its label" in str(refusal(tmp_path, "r1.dcm", label("II")))


def test_philips_samples_beyond_the_declared_time_are_refused(tmp_path: Path) -> None:
    content = philips_files(COUNTS)["r1.xml"].decode("utf-16")
    shorter = content.replace('perchannel="6000"', 'perchannel="5900"').encode("utf-16")
    assert "unpacks to more than" in str(refusal(tmp_path, "r1.xml", {"r1.xml": shorter}))


@pytest.mark.parametrize(
    ("rows", "kind", "text"),
    [
        (len(COUNTS), 30, None),
        (COUNTS.shape[1], 30, "its matrix is 1500 x 12"),
        (len(COUNTS), 40, "holds unsigned 16-bit numbers"),
    ],
)
def test_a_matlab_4_matrix_that_is_not_its_headers_is_refused(
    rows: int, kind: int, text: str | None, tmp_path: Path
) -> None:
    files = wfdb_files(COUNTS)
    size = struct.pack("<5i", kind, rows, COUNTS.size // rows, 0, 4) + b"val\0"
    files["r1.mat"] = size + files.pop("r1.dat")
    files["r1.hea"] = files["r1.hea"].replace(b"r1.dat 16", b"r1.mat 16+24")
    if text is None:
        assert read(tmp_path, "r1", files).ecg.shape == COUNTS.shape
    else:
        assert text in str(refusal(tmp_path, "r1", files))


def test_what_stands_around_xml_is_no_wrong_encoding(tmp_path: Path) -> None:
    content = muse_files(make_counts(EIGHT))["r1.xml"]
    around = read(tmp_path, "r1.xml", {"r1.xml": b"\r\n " + content + b"\0\r\n\x1a"})
    assert "encoding_assumed" not in dict(around.warnings)
    assert "the sign 0x01 at byte" in str(
        refusal(tmp_path, "r1.xml", muse(b"</RestingECG>", b"<a>\x01</a></RestingECG>"))
    )


def test_two_rates_in_one_aecg_are_refused(tmp_path: Path) -> None:
    content = aecg_files(COUNTS)["r1.xml"]
    start, end = content.index(b"<component><sequence>"), content.index(b"</sequence>")
    time = content[start:end] + b"</sequence></component>"
    other = time.replace(b'value="0.004"', b'value="0.002"')
    both = content.replace(b"</sequenceSet>", other + b"</sequenceSet>")
    error = refusal(tmp_path, "r1.xml", {"r1.xml": both})
    assert error.code == "rate_invalid"
    assert "250 and at 500 Hz" in error.problem
    read(
        tmp_path, "r1.xml", {"r1.xml": content.replace(b"</sequenceSet>", time + b"</sequenceSet>")}
    )


@pytest.mark.parametrize("field", ["ChannelTimeSkew", "ChannelSampleSkew", "ChannelOffset"])
def test_one_skew_for_all_channels_moves_nothing_and_another_for_one_does(
    field: str, tmp_path: Path
) -> None:
    def late(channel: Any) -> None:
        setattr(channel, field, "2")

    found = read(tmp_path, "r1.dcm", dicom(late))
    np.testing.assert_allclose(found.ecg, COUNTS * 0.005, atol=1e-6)
    error = refusal(tmp_path, "r1.dcm", dicom(late, slice(11, 12)))
    assert error.code == "layout_unsupported"
    assert "not sampled at once" in error.problem


@pytest.mark.parametrize(
    ("name", "lead"),
    [("LI", "I"), ("LIII", "III"), ("L2", "II"), ("aV-R", "aVR"), ("aV.L", "aVL"), ("V01", "V1"),
     ("V-6", "V6"), ("V0", None), ("V07", None), ("-aVR", None), ("V4R", None), ("L4", None)],
)  # fmt: skip
def test_further_spellings_of_leads(name: str, lead: str | None) -> None:
    assert known_lead(name) == lead


def test_a_signal_file_without_its_ending_in_the_header_is_found_in_the_message(
    tmp_path: Path,
) -> None:
    files = wfdb_files(COUNTS)
    files["r1.hea"] = files["r1.hea"].replace(b"r1.dat 16", b"r1 16")
    error = refusal(tmp_path, "r1", files)
    assert error.code == "file_missing"
    assert "r1.dat is there: name it in the header" in error.problem


def test_a_utf_16_file_that_is_cut_within_a_character_is_called_cut(tmp_path: Path) -> None:
    content = philips_files(COUNTS)["r1.xml"][:-1]
    assert (
        "it is cut off; copy it again" in refusal(tmp_path, "r1.xml", {"r1.xml": content}).problem
    )


def clocks(step_s: float, pattern: str) -> Files:
    """Return a table with a column of times of day, one for each sample."""
    files = csv_files(COUNTS)
    names, *rows = files["r1.csv"].decode().splitlines()
    times = (np.datetime64("2020-01-01T09:59:58") + np.arange(len(rows)) * np.timedelta64(
        round(step_s * 1e6), "us")).astype(object)  # fmt: skip
    lines = [f"{time.strftime(pattern)},{row}" for time, row in zip(times, rows, strict=True)]
    return files | {"r1.csv": "\n".join([f"timestamp,{names}", *lines]).encode()}


@pytest.mark.parametrize("pattern", ["%Y-%m-%d %H:%M:%S.%f", "%H:%M:%S", "%Y-%m-%dT%H:%M:%S.%fZ"])
def test_times_of_day_that_contradict_the_rate_are_refused(pattern: str, tmp_path: Path) -> None:
    found = read(tmp_path, "r1.csv", clocks(1 / 250, pattern))
    np.testing.assert_allclose(found.ecg, COUNTS * 0.005, atol=1e-6)
    error = refusal(tmp_path, "r1.csv", clocks(1 / 500, pattern))
    assert error.code == "rate_invalid"
    assert "1500 samples last 5.996 s at the layout's 250 Hz" in error.problem


def test_leads_of_scp_ecg_that_begin_at_other_samples_are_refused(tmp_path: Path) -> None:
    content = bytearray(scp_files(COUNTS)["r1.scp"])
    row = content.index(struct.pack("<IIB", 1, 1500, 3))
    struct.pack_into("<II", content, row, 1501, 3000)
    error = refusal(tmp_path, "r1.scp", {"r1.scp": mend_crc(bytes(content), "SCP-ECG")})
    assert error.code == "layout_unsupported"
    assert "V1 samples 1501 to 3000" in error.problem
