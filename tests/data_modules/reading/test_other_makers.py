"""Files of other makers' programs: the right millivolts, or the field that is wrong."""

import io
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
    dicom_files,
    edf_files,
    make_counts,
    muse_files,
    philips_files,
    scp_files,
    wfdb_files,
)
from data_modules.reading.read import read_recording
from data_modules.reading.reasons import RecordError
from lsemvae.core.leads import LEADS

MV_PER_COUNT = 0.005


def put(root: Path, files: Files) -> str:
    for name, content in files.items():
        (root / name).write_bytes(content)
    return next(iter(files))


def agrees(root: Path, record: str, leads: tuple[str, ...] = LEADS) -> None:
    recording = read_recording(root, record, amplitude="calibrated")
    assert recording.leads == leads
    assert recording.sampling_rate_hz == 250
    np.testing.assert_allclose(recording.ecg, make_counts(leads) * MV_PER_COUNT, atol=2e-6)


def refusal(root: Path, record: str) -> RecordError:
    with pytest.raises(RecordError) as caught:
        read_recording(root, record, amplitude="calibrated")
    return caught.value


def respelt(content: bytes, old: str, new: str, encoding: str = "utf-8") -> bytes:
    text = content.decode(encoding)
    assert old in text
    return text.replace(old, new).encode(encoding)


LABELS = "I II III aVR aVL aVF V1 V2 V3 V4 V5 V6"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (LABELS, LABELS.upper()),
        (LABELS, LABELS.replace("V", "C").replace("aC", "aV")),
        ("I II III", "DI DII DIII"),
        (LABELS, LABELS.replace(" ", ", ")),
        ('compression="XLI"', 'compressMethod="x" compression="xli"'),
        ("Base64", "base64"),
    ],
)
def test_philips_limb_leads_are_restored_however_they_are_named(
    old: str, new: str, tmp_path: Path
) -> None:
    content = respelt(philips_files(make_counts())["r1.xml"], old, new, "utf-16")
    agrees(tmp_path, put(tmp_path, {"r1.xml": content}))


def test_philips_limb_leads_in_another_order_are_refused(tmp_path: Path) -> None:
    content = philips_files(make_counts())["r1.xml"]
    content = respelt(content, "I II III aVR aVL aVF", "aVL I aVR II aVF III", "utf-16")
    error = refusal(tmp_path, put(tmp_path, {"r1.xml": content}))
    assert error.code == "layout_unsupported"
    assert "in the order aVL, I, aVR, II, aVF, III" in error.problem


def test_edf_texts_may_be_utf_8_or_filled_with_nul(tmp_path: Path) -> None:
    content = edf_files(make_counts())["r1.edf"]
    for sign in ("\u00b5", "\u03bc"):
        unit = f"{sign}V".encode().ljust(8)
        agrees(tmp_path, put(tmp_path, {"r1.edf": content.replace(b"uV      ", unit)}))
    header = content[: 256 * 13].replace(b" ", b"\0")
    agrees(tmp_path, put(tmp_path, {"r1.edf": header + content[256 * 13 :]}))


def test_scp_without_a_rhythm_says_what_it_holds(tmp_path: Path) -> None:
    content = bytearray(scp_files(make_counts())["r1.scp"])
    for position in range(22, 142, 10):  # the pointers of section 0
        if content[position] == 6:
            start = int.from_bytes(content[position + 6 : position + 10], "little") - 1
            content[position] = content[start + 2] = 5
    files = {"r1.scp": mend_crc(bytes(content), "SCP-ECG")}
    error = refusal(tmp_path, put(tmp_path, files))
    assert error.code == "layout_unsupported"
    assert "no rhythm (section 6), only a reference beat" in error.problem


def test_a_time_step_of_another_unit_is_shown(tmp_path: Path) -> None:
    content = aecg_files(make_counts())["r1.xml"]
    seconds = respelt(content, '"0.004" unit="s"', '"0.004" unit="sec"')
    agrees(tmp_path, put(tmp_path, {"r1.xml": seconds}))
    minutes = respelt(content, '"0.004" unit="s"', '"0.004" unit="min"')
    error = refusal(tmp_path, put(tmp_path, {"r1.xml": minutes}))
    assert error.code == "rate_invalid"
    assert "0.004 min; expected it in s, ms or us" in error.problem


def test_a_hl7_lead_may_be_named_by_its_plain_name(tmp_path: Path) -> None:
    content = respelt(
        aecg_files(make_counts())["r1.xml"], 'code="MDC_ECG_LEAD_V1"', 'code="7" displayName="V1"'
    )
    agrees(tmp_path, put(tmp_path, {"r1.xml": content}))


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ('code="TIME_RELATIVE"', 'code="OTHER"', "no sequence of times"),
        ('value="0.004"', 'value="-0.004"', "the time increment is -0.004 s; expected one above 0"),
    ],
)
def test_hl7_without_a_rate_says_why(old: str, new: str, text: str, tmp_path: Path) -> None:
    content = respelt(aecg_files(make_counts())["r1.xml"], old, new)
    error = refusal(tmp_path, put(tmp_path, {"r1.xml": content}))
    assert error.code == "rate_invalid"
    assert text in error.problem


@pytest.mark.parametrize(("kind", "read_it"), [("", True), ("Rhythm Strip", True),
                                               ("Average Beat", False)])  # fmt: skip
def test_a_long_part_without_the_usual_label_is_the_rhythm(
    kind: str, read_it: bool, tmp_path: Path
) -> None:
    muse = muse_files(make_counts(EIGHT))["r1.xml"].replace(b">Rhythm<", f">{kind}<".encode())
    aecg = aecg_files(make_counts())["r1.xml"].replace(b'"RHYTHM"', f'"{kind}"'.encode())
    for content, leads in ((muse, EIGHT), (aecg, LEADS)):
        record = put(tmp_path, {"r1.xml": content})
        if read_it:
            agrees(tmp_path, record, leads)
        else:
            assert "no rhythm" in refusal(tmp_path, record).problem


def dicom(change: Callable[[Any], None]) -> Files:
    """Return the DICOM file with its waveform group changed."""
    pydicom = pytest.importorskip("pydicom")
    data = pydicom.dcmread(io.BytesIO(dicom_files(make_counts())["r1.dcm"]))
    change(data.WaveformSequence[0])
    buffer = io.BytesIO()
    data.save_as(buffer)
    return {"r1.dcm": buffer.getvalue()}


def unit_in_words(group: Any) -> None:
    for channel in group.ChannelDefinitionSequence:
        unit = channel.ChannelSensitivityUnitsSequence[0]
        unit.CodeMeaning = "microvolt"
        del unit.CodeValue


def leads_by_mdc_code(group: Any) -> None:
    for channel, lead in zip(group.ChannelDefinitionSequence, LEADS, strict=True):
        source = channel.ChannelSourceSequence[0]
        source.CodeValue, source.CodeMeaning = f"MDC_ECG_LEAD_{lead.upper()}", ""


def unsigned(group: Any) -> None:
    for channel in group.ChannelDefinitionSequence:
        channel.ChannelBaseline = "-163840"
    group.WaveformSampleInterpretation = "US"
    group.WaveformData = (make_counts().T.astype(np.int32) + 32768).astype("<u2").tobytes()


def unit_by_another_code(group: Any) -> None:
    for channel in group.ChannelDefinitionSequence:
        unit = channel.ChannelSensitivityUnitsSequence[0]
        unit.CodeValue, unit.CodeMeaning = "266838", "microvolt"


@pytest.mark.parametrize(
    "change", [unit_in_words, unit_by_another_code, leads_by_mdc_code, unsigned]
)
def test_dicom_of_other_makers_is_read(change: Callable[[Any], None], tmp_path: Path) -> None:
    agrees(tmp_path, put(tmp_path, dicom(change)))


def test_dicom_of_big_endian_is_read(tmp_path: Path) -> None:
    pydicom = pytest.importorskip("pydicom")
    data = pydicom.dcmread(io.BytesIO(dicom_files(make_counts())["r1.dcm"]))
    data.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRBigEndian
    data.WaveformSequence[0].WaveformData = make_counts().T.astype(">i2").tobytes()
    buffer = io.BytesIO()
    pydicom.dcmwrite(buffer, data, little_endian=False, implicit_vr=False)
    agrees(tmp_path, put(tmp_path, {"r1.dcm": buffer.getvalue()}))


@pytest.mark.parametrize(
    "name", ["SamplingFrequency", "WaveformData", "NumberOfWaveformSamples",
             "ChannelDefinitionSequence", "WaveformSampleInterpretation"],
)  # fmt: skip
def test_a_field_that_a_dicom_group_lacks_is_named(name: str, tmp_path: Path) -> None:
    error = refusal(tmp_path, put(tmp_path, dicom(lambda group: group.__delattr__(name))))
    assert error.code == "file_invalid"
    assert f"states no {name};" in error.problem


def test_a_muse_lead_without_its_number_of_samples_is_proved_by_its_crc(tmp_path: Path) -> None:
    content = muse_files(make_counts(EIGHT))["r1.xml"]
    content = content.replace(b"<LeadSampleCountTotal>1500</LeadSampleCountTotal>", b"")
    agrees(tmp_path, put(tmp_path, {"r1.xml": content}), EIGHT)
    unproved = content.replace(b"LeadDataCRC32", b"Other")
    assert "LeadSampleCountTotal must be stated" in refusal(
        tmp_path, put(tmp_path, {"r1.xml": unproved})
    ).problem  # fmt: skip


def wfdb(header: bytes | None = None) -> Files:
    files = wfdb_files(make_counts())
    return files if header is None else files | {"r1.hea": header}


def test_a_wfdb_header_may_be_utf_16_and_end_with_the_mark_of_dos(tmp_path: Path) -> None:
    header = wfdb()["r1.hea"]
    put(tmp_path, wfdb(header.decode().encode("utf-16")))
    agrees(tmp_path, "r1")
    put(tmp_path, wfdb(header + b"\x1a"))
    assert read_recording(tmp_path, "r1", amplitude="calibrated").warnings == ()


@pytest.mark.parametrize("name", ["R1.DAT", "r1.dat.gz"])
def test_a_missing_file_names_the_one_that_may_be_meant(name: str, tmp_path: Path) -> None:
    files = wfdb()
    put(tmp_path, {"r1.hea": files["r1.hea"], name: files["r1.dat"]})
    error = refusal(tmp_path, "r1")
    assert error.code == "file_missing"
    assert f"{name} is there: rename or unpack it" in error.problem


@pytest.mark.parametrize(
    ("header", "text"),
    [
        (b"r1/3 12 250 1500\nr1_layout 0\nr1_1 750\n~ 10\nr1_2 740\n", "records: r1_1, r1_2"),
        (b"r1 1 250 1500\nr1.dat 16 0/mV 16 0 0 0 0 aVF\n", "the gain of aVF is '0/mV'"),
    ],
)
def test_a_wfdb_header_that_is_not_read_says_which_part(
    header: bytes, text: str, tmp_path: Path
) -> None:
    put(tmp_path, wfdb(header))
    assert text in refusal(tmp_path, "r1").problem


@pytest.mark.parametrize(
    ("name", "content", "text"),
    [
        ("a.xml", muse_files(make_counts(EIGHT))["r1.xml"][:-900], "ends before its last tag"),
        ("a.xml", b'<!DOCTYPE RestingECG [<!ENTITY a "b">]><RestingECG/>', "declares entities"),
        ("a.dat", bytes(900), "only zero bytes"),
        ("a.dcm", b"", "holds nothing (0 bytes)"),
        ("a.text", wfdb()["r1.hea"], "a WFDB header; name it NAME.hea"),
        ("a.bin", b"\0\0\0\x18ftypheic", "a picture"),
        ("._a.xml", b"\0\5\x16\7\0\2\0\0", "a file of macOS beside the true one"),
        ("a.dcm", b"# Dicom-File-Format\n", "a DICOM text dump"),
        ("a.xml", b"<RestingECG><L>A & B</L></RestingECG>", "a bare & must be &amp;"),
        ("a.json", b'[{"a": 1}]', "it is JSON and no Kardia recording"),
        ("a.json", b'{"recordedAt": "x", "data": {}}', "without the unfiltered leads"),
        ("a.rds", b"X\n\0\0\0\x03", "an R object"),
        ("a.json", b'{"recordedAt": "x", "data": {"raw": {"frequency": "300"}}}',
         'frequency is the text "300"; write the number without quotes'),
    ],
)  # fmt: skip
def test_the_cause_is_named(name: str, content: bytes, text: str, tmp_path: Path) -> None:
    assert text in refusal(tmp_path, put(tmp_path, {name: content})).problem


LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 36000\n"


@pytest.mark.parametrize("name", ["r1.hea", "r1.dat"])
@pytest.mark.parametrize(
    ("content", "text"), [(LFS, "git lfs pull"), (b"<html>404</html>", "a failed download")]
)
def test_what_came_in_place_of_a_file_is_named(
    name: str, content: bytes, text: str, tmp_path: Path
) -> None:
    put(tmp_path, wfdb() | {name: content})
    assert text in refusal(tmp_path, "r1").problem


def test_signals_without_names_are_counted(tmp_path: Path) -> None:
    lines = wfdb()["r1.hea"].decode().splitlines()
    header = "\n".join([lines[0], *(line.rpartition(" ")[0] for line in lines[1:])])
    put(tmp_path, wfdb(header.encode()))
    assert "12 signals without a name; where they are leads" in refusal(tmp_path, "r1").problem
