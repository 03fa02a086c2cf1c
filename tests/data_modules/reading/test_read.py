"""One door for every kind of file: same values, same checks, same codes."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from benchmarks.recording_files import (
    EIGHT,
    UV_PER_COUNT,
    WRITERS,
    csv_files,
    make_counts,
    philips_files,
    scp_files,
)
from data_modules.reading.kinds import format_of
from data_modules.reading.read import FORMATS, read_recording
from data_modules.reading.reasons import RecordError
from data_modules.reading.safe_files import check_record_name
from data_modules.signals.clean import SignalSettings, clean_ecg
from lsemvae.core.leads import LEADS

FILE_KINDS = [kind for kind in WRITERS if kind != "WFDB"]


def write(root: Path, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        (root / name).write_bytes(content)


def code_of(root: Path, record: str) -> str:
    with pytest.raises(RecordError) as caught:
        read_recording(root, record, amplitude="calibrated")
    assert f"record {record}: " in str(caught.value)
    return caught.value.code


def test_every_kind_is_tested() -> None:
    assert set(FILE_KINDS) == {one.name for one in FORMATS}


@pytest.mark.parametrize("kind", WRITERS)
def test_every_kind_gives_the_same_recording(kind: str, tmp_path: Path) -> None:
    record, leads, writer = WRITERS[kind]
    counts = make_counts(leads)
    write(tmp_path, writer(counts, leads))
    recording = read_recording(tmp_path, record, amplitude="calibrated")
    assert recording.leads == leads
    assert recording.unit == "mV"
    assert recording.sampling_rate_hz == pytest.approx(250)
    np.testing.assert_allclose(recording.ecg, counts * (UV_PER_COUNT / 1000), atol=1e-6)
    assert recording.warnings == ()


@pytest.mark.parametrize("kind", [kind for kind in WRITERS if len(WRITERS[kind][1]) > 6])
def test_every_kind_is_cleaned_to_twelve_leads_without_a_warning(kind: str, tmp_path: Path) -> None:
    record, leads, writer = WRITERS[kind]
    write(tmp_path, writer(make_counts(leads), leads))
    recording = read_recording(tmp_path, record, amplitude="calibrated")
    clean = clean_ecg(recording, SignalSettings(duration_s=6.0))
    assert clean.present.all()
    assert clean.warnings == []
    assert np.abs(clean.ecg[2] - clean.ecg[1] + clean.ecg[0]).max() <= 2  # counts of 1 uV


@pytest.mark.parametrize("differences", [0, 1, 2])
def test_scp_differences_and_huffman_codes_are_undone(differences: int, tmp_path: Path) -> None:
    counts = make_counts()
    counts[3, 100] += 3000  # needs the code's words of 16 bits
    write(tmp_path, scp_files(counts, differences=differences))
    recording = read_recording(tmp_path, "r1.scp", amplitude="calibrated")
    np.testing.assert_allclose(recording.ecg, counts * 0.005, atol=1e-6)


def test_philips_samples_may_be_plain(tmp_path: Path) -> None:
    counts = make_counts()
    write(tmp_path, philips_files(counts, compress=False))
    recording = read_recording(tmp_path, "r1.xml", amplitude="calibrated")
    np.testing.assert_allclose(recording.ecg, counts * 0.005, atol=1e-6)


def test_an_eight_lead_file_with_a_dead_lead_does_not_invent_the_others(tmp_path: Path) -> None:
    record, leads, writer = WRITERS["GE MUSE XML"]
    counts = make_counts(EIGHT)
    counts[0] = 0
    write(tmp_path, writer(counts, leads))
    recording = read_recording(tmp_path, record, amplitude="calibrated")
    clean = clean_ecg(recording, SignalSettings(duration_s=6.0))
    assert [lead for lead, there in zip(LEADS, clean.present, strict=True) if there] == [
        "II", "V1", "V2", "V3", "V4", "V5", "V6"
    ]  # fmt: skip
    assert {"lead_flat", "lead_missing"} == {code for code, _ in clean.warnings}


def replace(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    def spoil(content: bytes) -> bytes:
        assert old in content
        return content.replace(old, new)

    return spoil


def utf16(text: str) -> bytes:
    return text.encode("utf-16-le")


DEFLATED = b"1.2.840.10008.1.2.1.99"
ENTITY_BOMB = b'<!DOCTYPE a [<!ENTITY b "bb"><!ENTITY c "&b;&b;&b;">]><RestingECG>&c;</RestingECG>'
EXTERNAL = b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><RestingECG>&b;</RestingECG>'


@pytest.mark.parametrize(
    ("kind", "spoil", "code"),
    [
        ("GE MUSE XML", lambda _: ENTITY_BOMB, "file_invalid"),
        ("GE MUSE XML", lambda _: EXTERNAL, "file_invalid"),
        ("GE MUSE XML", lambda _: b"<RestingECG>" + b"<a/>" * 300_000, "file_limit"),
        ("GE MUSE XML", lambda raw: raw[:-20], "file_invalid"),
        ("GE MUSE XML", replace(b"<LeadDataCRC32>", b"<LeadDataCRC32>1"), "checksum_mismatch"),
        ("GE MUSE XML", replace(b">1500<", b">1501<"), "size_mismatch"),
        ("GE MUSE XML", replace(b">250<", b">0<"), "rate_invalid"),
        ("GE MUSE XML", replace(b"PerBit>5<", b"PerBit>4,88<"), "file_invalid"),
        ("GE MUSE XML", replace(b"PerBit>5<", b"PerBit>0<"), "gain_invalid"),
        ("GE MUSE XML", replace(b"PerBit>5<", b"PerBit>nan<"), "file_invalid"),
        ("GE MUSE XML", replace(b"MICROVOLTS", b"BANANAS"), "unit_unknown"),
        ("GE MUSE XML", replace(b">II<", b">I<"), "duplicate_lead"),
        ("GE MUSE XML", replace(b"<LeadID>", b"<LeadID>x"), "no_known_lead"),
        ("GE MUSE XML", replace(b"Rhythm", b"Other"), "layout_unsupported"),
        ("HL7 aECG", replace(b"<digits>", b"<digits>1e5 "), "file_invalid"),
        ("HL7 aECG", replace(b'value="5"', b'value="nan"'), "file_invalid"),
        ("HL7 aECG", replace(b'value="0.004"', b'value="0"'), "rate_invalid"),
        ("HL7 aECG", replace(b'value="0.004"', b'value="-1"'), "rate_invalid"),
        ("HL7 aECG", replace(b"RHYTHM", b"BEAT"), "layout_unsupported"),
        ("HL7 aECG", replace(b'unit="uV"/><scale', b'unit="s"/><scale'), "file_invalid"),
        ("Philips XML", replace(utf16("1.04"), utf16("9.99")), "format_unsupported"),
        ("Philips XML", replace(utf16('"XLI"'), utf16('"ZIP"')), "format_unsupported"),
        ("Philips XML", replace(utf16('"6000"'), utf16('"6004"')), "file_invalid"),
        ("Philips XML", replace(utf16('"6000"'), utf16('"6e99"')), "header_limit"),
        ("Philips XML", replace(utf16('"12"'), utf16('"13"')), "file_invalid"),
        ("SCP-ECG", lambda raw: raw[:-1], "size_mismatch"),
        ("SCP-ECG", lambda raw: raw[:-1] + b"\x7f", "checksum_mismatch"),
        ("EDF", lambda raw: raw[:-1], "size_mismatch"),
        ("EDF", replace(b"6       1       ", b"-1      1       "), "length_missing"),
        ("EDF", replace(b"6       1       ", b"0       1       "), "length_missing"),
        ("EDF", replace(b"6       1       ", b"6       0       "), "rate_invalid"),
        ("EDF", replace(b"163835  ", b"-163840 "), "gain_invalid"),
        ("EDF", replace(b"uV      ", b"        "), "unit_unknown"),
        ("DICOM", lambda raw: raw[:-7], "size_mismatch"),
        ("DICOM", replace(b"1.2.840.10008.1.2.1\0", DEFLATED), "format_unsupported"),
        ("DICOM", replace(b"Lead II ", b"Lead I  "), "file_invalid"),
        ("CSV", replace(b"aVR", b"I"), "duplicate_lead"),
        ("CSV", lambda raw: raw + b"\n1,2,x,4,5,6,7,8,9,10,11,12", "file_invalid"),
        ("CSV", lambda raw: raw + b"\n" + b"1," * 13, "file_invalid"),
        ("MATLAB", lambda raw: raw[:-9], "file_invalid"),
    ],
)  # fmt: skip
def test_a_spoilt_file_is_named_by_its_code(
    kind: str, spoil: Callable[[bytes], bytes], code: str, tmp_path: Path
) -> None:
    record, leads, writer = WRITERS[kind]
    files = writer(make_counts(leads), leads)
    write(tmp_path, files | {record: spoil(files[record])})
    assert code_of(tmp_path, record) == code


@pytest.mark.parametrize(
    ("layout", "code"),
    [
        (b"{", "file_invalid"),
        (b"[]", "file_invalid"),
        (b"[" * 60_000, "file_invalid"),
        (b" " * 100_000, "file_limit"),
        (b'{"sampling_rate_hz": 250}', "file_invalid"),
        (b'{"unit": "mV"}', "rate_invalid"),
        (b'{"unit": "mV", "sampling_rate_hz": 500, "unit": "uV"}', "file_invalid"),
        (b'{"unit": "mV", "sampling_rate_hz": true}', "rate_invalid"),
        (b'{"unit": "mV", "sampling_rate_hz": 1' + b"0" * 400 + b"}", "rate_invalid"),
        (b'{"unit": "mV", "sampling_rate_hz": NaN}', "rate_invalid"),
        (b'{"unit": "km", "sampling_rate_hz": 250, "leads": ["I"]}', "size_mismatch"),
        (b'{"unit": "mV", "sampling_rate_hz": 250, "counts_per_unit": 0}', "gain_invalid"),
        (b'{"unit": "mV", "sampling_rate_hz": 250, "leads": ["I"]}', "size_mismatch"),
        (b'{"unit": "mV", "sampling_rate_hz": 250, "rate": 1}', "file_invalid"),
    ],
)
def test_a_table_is_read_only_as_its_layout_says(layout: bytes, code: str, tmp_path: Path) -> None:
    files = csv_files(make_counts())
    files["r1.csv"] = files["r1.csv"].partition(b"\n")[2]
    write(tmp_path, files | {"r1.csv.layout.json": layout})
    assert code_of(tmp_path, "r1.csv") == code


def test_a_table_without_a_layout_says_which_file_to_write(tmp_path: Path) -> None:
    files = csv_files(make_counts())
    (tmp_path / "r1.csv").write_bytes(files["r1.csv"])
    with pytest.raises(RecordError, match=r"r1\.csv\.layout\.json or layout\.json") as caught:
        read_recording(tmp_path, "r1.csv", amplitude="calibrated")
    assert caught.value.code == "file_missing"


@pytest.mark.parametrize("kind", FILE_KINDS)
def test_links_out_pipes_and_giants_are_refused_for_every_kind(kind: str, tmp_path: Path) -> None:
    record, leads, writer = WRITERS[kind]
    root, path = tmp_path / "in", tmp_path / "in" / record
    root.mkdir()
    write(root, writer(make_counts(leads), leads))
    path.rename(tmp_path / record)
    path.symlink_to(tmp_path / record)
    assert code_of(root, record) == "path_unsafe"
    path.unlink()
    os.mkfifo(path)
    assert code_of(root, record) == "file_not_regular"
    path.unlink()
    path.mkdir()
    assert code_of(root, record) == "file_not_regular"
    path.rmdir()
    path.touch()
    os.truncate(path, 4_800_000_000)
    assert code_of(root, record) == "file_limit"


@pytest.mark.parametrize("content", [b"", b"<html>", b"PK\x03\x04", b"0000050\0" * 9, b"\xff\xfe<"])
def test_an_unknown_kind_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "r1.ECG").write_bytes(content)
    assert format_of(content, FORMATS) is None
    assert code_of(tmp_path, "r1.ECG") == "format_unknown"


def test_samples_without_their_header_say_which_file_is_missing(tmp_path: Path) -> None:
    (tmp_path / "r1.dat").write_bytes(bytes(range(1, 200)))
    with pytest.raises(RecordError, match=r"WFDB record, whose header r1\.hea is not beside it"):
        read_recording(tmp_path, "r1.dat", amplitude="calibrated")


@pytest.mark.parametrize(("skew", "refused"), [("0", False), ("0.002", True)])
def test_dicom_channels_that_are_skewed_are_refused(
    skew: str, refused: bool, tmp_path: Path
) -> None:
    pydicom = pytest.importorskip("pydicom")
    record, leads, writer = WRITERS["DICOM"]
    write(tmp_path, writer(make_counts(leads), leads))
    dataset = pydicom.dcmread(tmp_path / record)
    dataset.WaveformSequence[0].ChannelDefinitionSequence[1].ChannelTimeSkew = skew
    dataset.save_as(tmp_path / record)
    if refused:
        assert code_of(tmp_path, record) == "layout_unsupported"
    else:
        assert read_recording(tmp_path, record, amplitude="calibrated").leads == leads


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    assert code_of(tmp_path, "r1.xml") == "file_missing"
    assert code_of(tmp_path, "r1") == "file_missing"


@pytest.mark.parametrize("ending", ["hea", "dat", "HEA"])
def test_a_wfdb_record_may_be_named_by_one_of_its_files(ending: str, tmp_path: Path) -> None:
    record, leads, writer = WRITERS["WFDB"]
    counts = make_counts(leads)
    write(tmp_path, writer(counts, leads))
    (tmp_path / "r1.HEA").write_bytes(b"")  # as on a disk that knows no case
    recording = read_recording(tmp_path, f"{record}.{ending}", amplitude="calibrated")
    np.testing.assert_allclose(recording.ecg, counts * 0.005, atol=1e-6)
    assert recording.record == f"{record}.{ending}"


def test_a_missing_package_says_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for kind, package in (("DICOM", "pydicom"), ("GE MUSE XML", "defusedxml")):
        record, leads, writer = WRITERS[kind]
        write(tmp_path, writer(make_counts(leads), leads))
        with monkeypatch.context() as patched:
            patched.setitem(__import__("sys").modules, package, None)
            assert code_of(tmp_path, record) == "reader_missing"


@pytest.mark.parametrize("record", ["a\x1bb", "a\udcff", "a\u202eb"])
def test_a_name_that_cannot_be_shown_is_refused_as_that(record: str) -> None:
    with pytest.raises(RecordError, match="a name in UTF-8 without control characters") as found:
        check_record_name(record)
    assert found.value.code == "path_unsafe"
