"""Odd but legal files give the values that they hold; unclear ones say what is there."""

import base64
import json
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest

from benchmarks.mutants import mend_crc
from benchmarks.recording_files import (
    EIGHT,
    SCP_NUMBERS,
    WRITERS,
    Counts,
    Files,
    aecg_files,
    csv_files,
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
from data_modules.reading.recording import Recording
from lsemvae.core.leads import LEADS


def write(root: Path, files: Files) -> None:
    for name, content in files.items():
        (root / name).write_bytes(content)


def read(root: Path, record: str) -> Recording:
    return read_recording(root, record, amplitude="calibrated")


def refused(root: Path, record: str) -> RecordError:
    with pytest.raises(RecordError) as caught:
        read(root, record)
    return caught.value


def agree(recording: Recording, counts: Counts) -> None:
    np.testing.assert_allclose(recording.ecg, counts * 0.005, atol=1e-6)


def changed(files: Files, name: str, *pairs: tuple[bytes, bytes]) -> Files:
    content = files[name]
    for old, new in pairs:
        assert old in content
        content = content.replace(old, new)
    return files | {name: content}


@pytest.mark.parametrize(
    "pairs",
    [
        [(b"r1 12 ", b"r1.mat 12 ")],
        [(b"r1 12 ", b"r1.dat 12 ")],
        [(b" 0 V6\n", b" 0 V6\nr1.dat 16 200/mV 16 0 0 0 0 extra\n")],
        [(b" 0 II\n", b" 0 II (mV)\n")],
        [(b" 0 II\n", b" 0 D2\n"), (b" 0 I\n", b" 0 II-REF (mV)\n"), (b"II-REF", b"I-REF")],
        [(b"200(0)/mV", b"0.2(0)/UV")],
        [(b"200(0)/mV", b"0.2(0)/microvolts")],
        [(b"200(0)/mV", b"200")] + [(f" 0 {lead}\n".encode(), f" 0 {lead} [mV]\n".encode())
                                    for lead in LEADS],
    ],
)  # fmt: skip
def test_headers_of_other_writers_are_read(
    pairs: list[tuple[bytes, bytes]], tmp_path: Path
) -> None:
    counts = make_counts()
    write(tmp_path, changed(wfdb_files(counts), "r1.hea", *pairs))
    recording = read(tmp_path, "r1")
    assert recording.leads == LEADS
    agree(recording, counts)


@pytest.mark.parametrize(
    ("pairs", "code", "text"),
    [
        ([(b"r1 12 ", b"r2.dat 12 ")], "header_invalid", "names the record 'r2.dat'"),
        ([(b" 0 II\n", b" 0 II (uV)\n")], "unit_unknown", "uV in its name"),
        ([(b"200(0)/mV", b"200(0)/MV")], "unit_unknown", "could mean more than one size"),
        ([(b"r1 12 ", b"r1 11 ")], "header_invalid", "describes lead V6"),
        ([(b"r1.dat 16 200(0)/mV 16 0 0", b"r1.dat 16 0(0)/mV 16 0 0")], "gain_invalid", "gain"),
    ],
)
def test_headers_that_could_mean_two_things_are_refused(
    pairs: list[tuple[bytes, bytes]], code: str, text: str, tmp_path: Path
) -> None:
    write(tmp_path, changed(wfdb_files(make_counts()), "r1.hea", *pairs))
    error = refused(tmp_path, "r1")
    assert error.code == code
    assert text in error.problem


def without_checksums(header: bytes, keep: int | None = None) -> bytes:
    lines = header.decode().splitlines()
    for i in range(1, len(lines)):
        fields = lines[i].split()
        fields[6] = fields[6] if i == keep else "0"
        lines[i] = " ".join(fields)
    return "\n".join(lines).encode()


def test_checksums_that_are_all_zero_were_left_out(tmp_path: Path) -> None:
    counts, files = make_counts(), wfdb_files(make_counts())
    write(tmp_path, files | {"r1.hea": without_checksums(files["r1.hea"])})
    recording = read(tmp_path, "r1")
    agree(recording, counts)
    assert "all checksums" in dict(recording.warnings)["checksum_missing"]
    write(tmp_path, files | {"r1.hea": without_checksums(files["r1.hea"], keep=3)})
    assert refused(tmp_path, "r1").code == "checksum_mismatch"


def test_a_signal_beside_the_leads_may_lack_gain_file_and_checksum(tmp_path: Path) -> None:
    counts, files = make_counts(), wfdb_files(make_counts())
    header = files["r1.hea"].replace(b"r1 12 ", b"r1 13 ")
    # header(5): the rate and the length are those of frames, so these leads are not moved
    for other in (b"lost.dat 16x4 0/ 16 0 0 7 0 Resp", b"lost.dat 999 nan/L 16 0 0 7 0 Resp"):
        write(tmp_path, files | {"r1.hea": header + other + b"\n"})
        recording = read(tmp_path, "r1")
        agree(recording, counts)
        assert "Resp" in dict(recording.warnings)["signals_ignored"]


def test_muse_files_of_other_exporters_are_read(tmp_path: Path) -> None:
    counts, files = make_counts(EIGHT), muse_files(make_counts(EIGHT))
    spellings = [
        [(b">Rhythm<", b">RHYTHM<"), (b">Median<", b">MEDIAN<")],
        [(b"<LeadSampleSize>2</LeadSampleSize>", b"")],
        [(b"<RestingECG>", b"<RestingECG><LastName>M\xfcller</LastName>"),
         (b"ISO-8859-1", b"UTF-8")],
        [(b"MICROVOLTS", b"uV")],
        [(b">1500<", b">1500.0<")],
        [(b"<?xml", b"\n<?xml")],
    ]  # fmt: skip
    for pairs in spellings:
        write(tmp_path, changed(files, "r1.xml", *pairs))
        agree(read(tmp_path, "r1.xml"), counts)
    write(tmp_path, changed(files, "r1.xml", *spellings[2]))
    assert "WINDOWS-1252" in dict(read(tmp_path, "r1.xml").warnings)["encoding_assumed"]
    signed = files["r1.xml"]
    for row in counts:
        crc = zlib.crc32(row.astype("<i2").tobytes())
        signed = signed.replace(b">%d<" % crc, b">%d<" % (crc - (1 << 32)))
    write(tmp_path, {"r1.xml": signed})
    agree(read(tmp_path, "r1.xml"), counts)


def test_a_damaged_median_beat_does_not_matter(tmp_path: Path) -> None:
    counts, files = make_counts(EIGHT), muse_files(make_counts(EIGHT))
    head, _, rest = files["r1.xml"].partition(b"<WaveFormData>")
    write(tmp_path, {"r1.xml": head + b"<WaveFormData>!!" + rest})
    agree(read(tmp_path, "r1.xml"), counts)


def test_files_without_one_rhythm_say_what_they_hold(tmp_path: Path) -> None:
    files = muse_files(make_counts(EIGHT))
    write(tmp_path, changed(files, "r1.xml", (b">Rhythm<", b">Median<")))
    error = refused(tmp_path, "r1.xml")
    assert error.code == "layout_unsupported"
    assert "'Median' with I, II, V1" in error.problem
    assert "250 Hz, 6 s (1500 samples)" in error.problem
    strip = b"<Waveform>" + files["r1.xml"].split(b"<Waveform>")[2].partition(b"</RestingECG>")[0]
    write(tmp_path, changed(files, "r1.xml", (b"</RestingECG>", strip + b"</RestingECG>")))
    error = refused(tmp_path, "r1.xml")
    assert error.code == "layout_unsupported"
    assert "2 parts hold all its leads" in error.problem


def test_a_hl7_file_with_prefixes_decimals_or_small_letters_is_read(tmp_path: Path) -> None:
    counts, files = make_counts(), aecg_files(make_counts())
    text = files["r1.xml"].decode()
    prefixed = text.replace("</", "\0").replace("<", "<ns0:").replace("\0", "</ns0:")
    decimals = text.replace("<digits>", "<digits> ").replace(" 0 ", " 0.00 ")
    for one in (prefixed.replace("xmlns=", "xmlns:ns0="), decimals):
        write(tmp_path, {"r1.xml": one.encode()})
        agree(read(tmp_path, "r1.xml"), counts)
    write(tmp_path, {"r1.xml": text.replace(" 0 ", " 0,").encode()})
    error = refused(tmp_path, "r1.xml")
    assert error.code == "file_invalid"
    assert "MDC_ECG_LEAD_I hold" in error.problem
    assert "0,0" in error.problem


def test_leads_recorded_in_turn_are_listed(tmp_path: Path) -> None:
    text = aecg_files(make_counts())["r1.xml"].decode()
    one = text[text.index("<component><sequenceSet>") : text.index("</series>")]
    halves = [
        one.replace("LEAD_V", "LEAD_X"),
        *[one.replace("LEAD_I", "LEAD_X").replace("LEAD_aV", "LEAD_X")],
    ]
    (tmp_path / "r1.xml").write_text(text.replace(one, "".join(halves)))
    error = refused(tmp_path, "r1.xml")
    assert error.code == "layout_unsupported"
    assert "recorded in turn" in error.problem
    assert "'RHYTHM' with I, II, III, aVR, aVL, aVF, 250 Hz, 6 s" in error.problem


def test_the_dicom_group_of_all_leads_is_taken(tmp_path: Path) -> None:
    pydicom = pytest.importorskip("pydicom")
    from copy import deepcopy

    counts = make_counts()
    write(tmp_path, dicom_files(counts))
    data = pydicom.dcmread(tmp_path / "r1.dcm")
    rhythm = data.WaveformSequence[0]
    rhythm.ChannelDefinitionSequence[1].ChannelBaseline = None
    rhythm.ChannelDefinitionSequence[2].ChannelSensitivityCorrectionFactor = None
    beat, strip = deepcopy(rhythm), deepcopy(rhythm)
    beat.MultiplexGroupLabel, beat.NumberOfWaveformSamples = "MEDIAN BEAT", 300
    beat.WaveformData = counts.T[:300].astype("<i2").tobytes()
    strip.NumberOfWaveformChannels = 3
    strip.ChannelDefinitionSequence = rhythm.ChannelDefinitionSequence[:3]
    strip.WaveformData = counts.T[:, :3].astype("<i2").tobytes()
    for groups in ([rhythm], [beat, rhythm], [rhythm, strip], [strip, rhythm, beat]):
        data.WaveformSequence = groups
        data.save_as(tmp_path / "r1.dcm")
        agree(read(tmp_path, "r1.dcm"), counts)
    whole = (tmp_path / "r1.dcm").read_bytes()
    (tmp_path / "r1.dcm").write_bytes(whole[132:])  # without the preamble of Part 10
    agree(read(tmp_path, "r1.dcm"), counts)
    data.WaveformSequence = [rhythm, deepcopy(rhythm)]
    data.save_as(tmp_path / "r1.dcm")
    assert "2 parts hold all its leads" in refused(tmp_path, "r1.dcm").problem


def edf_with(counts: Counts, label: str, physical: tuple[str, str], unit: str = "") -> bytes:
    """Return an EDF file with a thirteenth signal of its own physical range."""
    files = edf_files(np.vstack([counts, counts[:1]]), [*LEADS, label])
    raw = bytearray(files["r1.edf"])
    n, last = 13, 12
    for width, start, text in ((8, 96, unit), (8, 104, physical[0]), (8, 112, physical[1])):
        position = 256 + start * n + width * last
        raw[position : position + width] = text.ljust(width).encode()
    return bytes(raw)


@pytest.mark.parametrize(("low", "high"), [("0", "0"), ("100", "-100"), ("x", "")])
def test_ranges_of_signals_that_are_no_lead_do_not_matter(
    low: str, high: str, tmp_path: Path
) -> None:
    counts = make_counts()
    (tmp_path / "r1.edf").write_bytes(edf_with(counts, "Resp", (low, high)))
    recording = read(tmp_path, "r1.edf")
    agree(recording, counts)
    assert "Resp" in dict(recording.warnings)["signals_ignored"]


def test_a_reversed_range_of_edf_is_a_negative_gain(tmp_path: Path) -> None:
    counts, files = make_counts(), edf_files(make_counts())
    mirrored = (b"-163840 ", b"low     "), (b"163835  ", b"-163840 "), (b"low     ", b"163835  ")
    write(tmp_path, changed(files, "r1.edf", *mirrored))
    np.testing.assert_allclose(read(tmp_path, "r1.edf").ecg, -(counts + 1) * 0.005, atol=1e-6)


@pytest.mark.parametrize(("third", "read_it"), [(2.0, True), (7.5, False), (None, False)])
def test_a_discontinuous_edf_is_read_where_its_times_have_no_gap(
    third: float | None, read_it: bool, tmp_path: Path
) -> None:
    counts = make_counts()
    times = [0.0, 1.0, third, 3.0, 4.0, 5.0]
    notes = np.zeros((6, 250), dtype="<i2")
    for row, onset in zip(notes, times, strict=True):
        text = b"" if onset is None else b"+%g\x14\x14\0" % onset
        row.view("u1")[: len(text)] = np.frombuffer(text, dtype="u1")
    raw = edf_files(np.vstack([counts, notes.reshape(1, -1)]), [*LEADS, "EDF Annotations"])
    content = bytearray(raw["r1.edf"])
    content[192:197] = b"EDF+D"
    (tmp_path / "r1.edf").write_bytes(bytes(content))
    if read_it:
        agree(read(tmp_path, "r1.edf"), counts)
    else:
        error = refused(tmp_path, "r1.edf")
        assert error.code == "layout_unsupported"
        assert "EDF+C" in error.problem


def table(
    delimiter: str = ",", decimal: str = ".", head: str = ",".join(LEADS), quote: str = ""
) -> str:
    rows = [
        delimiter.join(f"{quote}{value * 0.005:.4f}{quote}".replace(".", decimal) for value in row)
        for row in make_counts().T.tolist()
    ]
    return "\n".join([head.replace(",", delimiter), *rows])


MV = {"sampling_rate_hz": 250, "unit": "mV"}
TEXT = "% made by a device\n% 250 Hz\n"


@pytest.mark.parametrize(
    ("name", "content", "layout"),
    [
        ("r1.csv", table(";", ","), MV),
        ("r1.csv", table("\t", ","), MV),
        ("r1.csv", table(",", ",", quote='"'), MV),
        ("r1.txt", table("\t"), MV),
        ("r1.dat.asc", table(" "), MV),
        ("r1.log", table("|"), MV),
        ("r1.csv", table().replace("\n", "\r\n"), MV),
        ("r1.csv", table().replace("\n", "\r"), MV),
        ("r1.csv", "sep=;\n" + table(";", ","), MV),
        ("r1.csv", table(head=",".join(f"{lead} (mV)" for lead in LEADS)), MV),
        ("r1.csv", table(head=",".join(f"'{lead}'" for lead in LEADS)), MV),
        ("r1.csv", table(head=",".join(LEADS) + "\n" + ",".join(["mV"] * 12)), MV),
        ("r1.csv", TEXT + table(), MV | {"skip_lines": 2}),
        ("r1.csv", TEXT + table().partition("\n")[2], MV | {"skip_lines": 2, "leads": LEADS}),
        ("r1.csv", table(), MV | {"leads": LEADS}),
    ],
)
def test_text_tables_of_other_writers_are_read(
    name: str, content: str, layout: dict[str, object], tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(content.encode())
    (tmp_path / f"{name}.layout.json").write_text(json.dumps(layout))
    recording = read(tmp_path, name)
    assert recording.leads == LEADS
    agree(recording, make_counts())


def test_a_table_in_utf_16_with_times_and_words_for_missing_is_read(tmp_path: Path) -> None:
    lines = table().split("\n")
    timed = ["'Elapsed time'," + lines[0], "'hh:mm:ss'," + ",".join(["mV"] * 12)]
    timed += [f"'0:00:{i / 250:06.3f}',{line}" for i, line in enumerate(lines[1:])]
    timed[7] = timed[7].rpartition(",")[0] + ",NaN"
    (tmp_path / "r1.csv").write_bytes("\n".join(timed).encode("utf-16"))
    (tmp_path / "layout.json").write_text(json.dumps(MV))
    recording = read(tmp_path, "r1.csv")
    expected = make_counts() * 0.005
    expected[11, 5] = np.nan
    np.testing.assert_allclose(recording.ecg, expected, atol=1e-6)
    assert "Elapsed time" in dict(recording.warnings)["signals_ignored"]


@pytest.mark.parametrize(
    ("content", "layout", "text"),
    [
        (TEXT + table(), MV, r"line 1 is no row of names .* line 3: write \"skip_lines\": 2"),
        ("Name,X\nRate,\"512,3 Hz\"\n\n" + "0.5\n" * 900, MV | {"leads": ["I"]},
         r"the numbers begin in line 4: write \"skip_lines\": 3"),
        (table(";").replace("0.0000", "1,234", 1), MV, "decimal or between thousands"),
        (table(head=",".join(LEADS) + "\n" + ",".join(["uV"] * 12)), MV,
         "line 2 gives I in uV, the layout in mV"),
        (table() + "\n0.1,0.2", MV, "line 1502 has 2 cells for 12 columns"),
        (table().replace("\n0.0", "\nbad", 1), MV, "line 2 holds 'bad"),
        (table(), MV | {"sampling_rate_hz": "250"}, "write the number without quotes"),
        (table(), MV | {"counts_per_unit": "1"}, "counts_per_unit .* without quotes"),
        (table(), MV | {"skip_lines": -1}, "skip_lines"),
        (table(), MV | {"decimal": ";"}, "decimal"),
    ],
)  # fmt: skip
def test_an_unclear_table_names_the_line_and_what_to_write(
    content: str, layout: dict[str, object], text: str, tmp_path: Path
) -> None:
    (tmp_path / "r1.csv").write_text(content)
    (tmp_path / "r1.csv.layout.json").write_text(json.dumps(layout))
    with pytest.raises(RecordError, match=text):
        read(tmp_path, "r1.csv")


@pytest.mark.parametrize("leads", [[], ["I"]])
def test_text_above_a_table_is_not_repeated(leads: list[str], tmp_path: Path) -> None:
    (tmp_path / "r1.csv").write_text("Name,Jane Doe\nBorn,1970\nLead,I\n\n" + "0.5\n" * 900)
    (tmp_path / "r1.csv.layout.json").write_text(json.dumps(MV | {"leads": leads}))
    error = refused(tmp_path, "r1.csv")
    assert "in line 5" in error.problem
    assert "Jane" not in str(error)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"<?xml version='1.0'?><CardiologyXML/>", "CardiologyXML"),
        (b"<a:Unheard xmlns:a='b'></a:Unheard>", "XML with the root Unheard"),
        (b"<ECG><Study/></ECG>", "Mortara ELI or Schiller"),
        (b"<examdescript/>", "Schiller"),
        (b"ANN  1.0" + bytes(600), "ISHNE annotation"),
        (b"@ MFR standard" + bytes(20), "MFER"),
        (b"PK\x03\x04..xl/workbook.xml", "Excel"),
        (b"%PDF-1.4", "PDF"),
        (b"X\n\x00\x00\x00\x03", "R object"),
        (b"\x1f\x8b\x08", "gzip"),
        (b"\x80\x05", "pickle"),
        (b"\x08\x00\x05\x00CS", "without preamble"),
        (b"EEG-1100C V01.00" + bytes(600), "Nihon Kohden"),
        (b"GDF 2.20" + bytes(300), "GDF"),
        (b"CDF\x01" + bytes(30), "netCDF"),
        (b"MSH|^~\\&|ECG\rPID|1\r", "HL7 version 2"),
        (b'{"resourceType": "Observation", "valueSampledData": {}}', "FHIR"),
        (bytes(12) + b"\xc2\xea\x81\x60" + bytes(90), "SAS"),
    ],
)
def test_kinds_that_are_not_read_are_named_with_the_next_step(
    content: bytes, text: str, tmp_path: Path
) -> None:
    for name in ("r1.bin", "r1.csv"):
        (tmp_path / name).write_bytes(content)
        error = refused(tmp_path, name)
        assert error.code == "format_unknown"
        assert text in error.problem


def test_a_name_without_its_extension_says_which_file_is_there(tmp_path: Path) -> None:
    record, leads, writer = WRITERS["GE MUSE XML"]
    write(tmp_path, writer(make_counts(leads), leads))
    error = refused(tmp_path, "r1")
    assert error.code == "file_missing"
    assert f"{record} is there: name it with its extension" in error.problem


def test_the_signal_file_of_a_challenge_record_means_the_record(tmp_path: Path) -> None:
    counts = make_counts()
    files = wfdb_files(counts)
    matrix = struct.pack("<5I", 30, 12, counts.shape[1], 0, 4) + b"val\0"
    header = files["r1.hea"].replace(b"r1.dat 16 ", b"r1.mat 16+24 ")
    write(tmp_path, {"r1.hea": header, "r1.mat": matrix + files["r1.dat"]})
    agree(read(tmp_path, "r1.mat"), counts)
    agree(read(tmp_path, "r1"), counts)


@pytest.mark.parametrize("differences", [0, 2])
def test_another_channel_of_scp_may_have_another_length(
    differences: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lead 20 is none of the twelve; its samples are fewer, or cannot be decoded."""
    monkeypatch.setitem(SCP_NUMBERS, "X", 20)
    counts = make_counts()
    files = scp_files(np.vstack([counts, counts[:1]]), [*LEADS, "X"], differences=differences)
    row = struct.pack("<IIB", 1, counts.shape[1], 20)
    assert files["r1.scp"].count(row) == 1
    other = files["r1.scp"].replace(row, struct.pack("<IIB", 1, 700, 20))
    write(tmp_path, {"r1.scp": mend_crc(other, "SCP-ECG")})
    recording = read(tmp_path, "r1.scp")
    agree(recording, counts)
    assert dict(recording.warnings)["signals_ignored"] == "none of the twelve leads: lead 20"


def test_another_channel_of_philips_may_be_damaged(tmp_path: Path) -> None:
    counts = make_counts()
    files = philips_files(np.vstack([counts, counts[:1]]), [*LEADS, "PACE"])
    text = files["r1.xml"].decode("utf-16")
    samples = text.partition('resolution="5">')[2].partition("<")[0]
    raw = bytearray(base64.b64decode(samples))
    raw[-40:] = bytes(40)
    broken = text.replace(samples, base64.b64encode(raw).decode())
    write(tmp_path, {"r1.xml": broken.encode("utf-16")})
    recording = read(tmp_path, "r1.xml")
    agree(recording, counts)
    assert dict(recording.warnings)["signals_ignored"] == "none of the twelve leads: PACE"


def test_csv_files_of_the_writer_are_not_changed(tmp_path: Path) -> None:
    write(tmp_path, csv_files(make_counts()))
    agree(read(tmp_path, "r1.csv"), make_counts())


def test_a_folder_named_from_elsewhere_is_the_folder_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`view r1` in one folder, then in another, by one process."""
    for name, first in (("a", 0), ("b", 10)):
        (tmp_path / name).mkdir()
        write(tmp_path / name, wfdb_files(make_counts() + first))
        monkeypatch.chdir(tmp_path / name)
        agree(read_recording(Path(), "r1", amplitude="calibrated"), make_counts() + first)


def test_a_text_table_with_nul_bytes_says_so(tmp_path: Path) -> None:
    (tmp_path / "r1.csv").write_bytes(table().encode("utf-16-le"))
    (tmp_path / "layout.json").write_text(json.dumps(MV))
    assert "holds a NUL byte (at 1): UTF-16 without its mark" in refused(tmp_path, "r1.csv").problem


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("cyrillic", table(head=",".join(LEADS).replace("I", "\u0406").replace("aV", "\u0430V"))),
        ("units", table(head=",".join(f"{lead}_mV" for lead in LEADS))),
        ("german", table(";", ",", head=",".join(f"Ableitung {lead}" for lead in LEADS))),
        ("iec", table(head=",".join([*LEADS[:6], *(f"C{k} (V{k})" for k in range(1, 7))]))),
        ("mdc", table(head=",".join(f"MDC_ECG_LEAD_{lead.upper()}" for lead in LEADS))),
        ("bom", "\ufeff" + table()),
        ("trailing", table().replace("\n", ",\n") + ","),
        ("header only trailing", table().replace("\n", ",\n", 1)),
        ("crlf", table().replace("\n", "\r\n") + "\r\n\r\n"),
        ("exponents", table().replace("0.0000", "0.0E+00")),
    ],
)  # fmt: skip
def test_tables_of_many_writers_hold_the_same_millivolts(
    name: str, content: str, tmp_path: Path
) -> None:
    (tmp_path / "r1.csv").write_text(content, encoding="utf-8")
    (tmp_path / "layout.json").write_text(json.dumps(MV))
    recording = read(tmp_path, "r1.csv")
    assert recording.leads == LEADS
    agree(recording, make_counts())
