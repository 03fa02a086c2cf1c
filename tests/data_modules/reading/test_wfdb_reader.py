"""The reader returns what the file holds, or a code that says why not."""

import os
import pickle
import shutil
import socket
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import wfdb

from data_modules.reading.reasons import RecordError
from data_modules.reading.wfdb import read_wfdb
from lsemvae.core.leads import LEADS, lead_indices
from tests.data_modules.conftest import MIMIC_ORDER, WriteRecord, make_ecg_mv


def code_of(root: Path, record: str = "r1", *, amplitude: str = "calibrated") -> str:
    with pytest.raises(RecordError) as caught:
        read_wfdb(root, record, amplitude=amplitude)  # type: ignore[arg-type]
    assert f"record {record}: " in str(caught.value)
    return caught.value.code


def test_samples_rate_and_leads_are_those_of_the_file(write_record: WriteRecord) -> None:
    ecg_mv = make_ecg_mv()
    recording = read_wfdb(write_record(ecg_mv=ecg_mv), "r1", amplitude="calibrated")
    assert recording.leads == LEADS
    assert recording.sampling_rate_hz == 500
    assert recording.ecg.dtype == np.float32
    np.testing.assert_allclose(recording.ecg, ecg_mv, atol=0.00051)


def test_leads_are_mapped_by_name_in_mimic_order(write_record: WriteRecord) -> None:
    ecg_mv = make_ecg_mv()
    stored = ecg_mv[lead_indices(MIMIC_ORDER)]
    root = write_record(ecg_mv=stored, leads=[lead.lower() for lead in MIMIC_ORDER])
    recording = read_wfdb(root, "r1", amplitude="calibrated")
    assert recording.leads == MIMIC_ORDER
    for lead, signal in zip(recording.leads, recording.ecg, strict=True):
        np.testing.assert_allclose(signal, ecg_mv[LEADS.index(lead)], atol=0.00051)


@pytest.mark.parametrize("fmt", ["16", "24", "32", "80", "212"])
def test_formats_agree_with_wfdb(tmp_path: Path, fmt: str) -> None:
    limit = {"80": 120, "212": 2000}.get(fmt, 30_000)
    counts = np.random.default_rng(0).integers(-limit, limit, (1000, 3))
    wfdb.wrsamp(
        "r1",
        fs=500,
        units=["mV", "uV", "V"],
        sig_name=["V1", "II", "aVL"],
        d_signal=counts,
        fmt=[fmt] * 3,
        adc_gain=[200.0, 0.5, 1e5],
        baseline=[0, 7, -5],
        write_dir=str(tmp_path),
    )
    recording = read_wfdb(tmp_path, "r1", amplitude="calibrated")
    physical = wfdb.rdrecord(str(tmp_path / "r1")).p_signal.T * [[1], [1e-3], [1e3]]
    np.testing.assert_allclose(recording.ecg, physical, rtol=1e-6)


def test_rare_formats_agree_with_wfdb(corpora: Path, tmp_path: Path) -> None:
    for path in (corpora / "wfdb_formats").glob("binformats.d*"):
        shutil.copy(path, tmp_path)
    lines = (corpora / "wfdb_formats" / "binformats.hea").read_text().splitlines()
    named = [line.partition("sig ")[0] + lead for line, lead in zip(lines[1:], LEADS, strict=False)]
    (tmp_path / "binformats.hea").write_text("\n".join([lines[0], *named]))
    recording = read_wfdb(tmp_path, "binformats", amplitude="calibrated")
    physical = wfdb.rdrecord(str(tmp_path / "binformats")).p_signal.T
    assert len(recording.leads) == 10
    np.testing.assert_allclose(recording.ecg, physical, rtol=1e-6)


def test_a_header_in_micro_signs_is_not_read_as_volt(write_record: WriteRecord) -> None:
    root = write_record(gain="1(0)/\u00b5V")
    recording = read_wfdb(root, "r1", amplitude="calibrated")
    np.testing.assert_allclose(recording.ecg, make_ecg_mv(), atol=0.00051)


def test_the_missing_sample_value_becomes_nan(write_record: WriteRecord) -> None:
    ecg_mv = make_ecg_mv()
    ecg_mv[3, 100:110] = np.nan
    recording = read_wfdb(write_record(ecg_mv=ecg_mv), "r1", amplitude="calibrated")
    np.testing.assert_array_equal(np.isnan(recording.ecg), np.isnan(ecg_mv))


def test_other_signals_are_left_out(write_record: WriteRecord) -> None:
    root = write_record(ecg_mv=make_ecg_mv()[:3], leads=["vx", "V5", "RESP"])
    recording = read_wfdb(root, "r1", amplitude="calibrated")
    assert recording.leads == ("V5",)
    assert recording.ecg.shape == (1, 5000)


@pytest.mark.parametrize(
    "line",
    [
        "other.dat 16x4 100/mmHg 16 0 0 0 0 ABP",
        "other.dat 16 100(99999999999)/ohm 12.5 n/a - x 0 Resp",
        "other.dat 16:x 0 0 0 0 0 0 SpO2",
        "~ 0 0 0 0 0 0 0 Pleth",
    ],
)
def test_no_fault_of_a_signal_in_another_file_sinks_the_leads(
    write_record: WriteRecord, line: str
) -> None:
    def add(text: str) -> str:
        return text.replace("r1 12 ", "r1 13 ").replace("\n# ", f"\n{line}\n# ")

    recording = read_wfdb(write_record(header=add), "r1", amplitude="calibrated")
    np.testing.assert_allclose(recording.ecg, make_ecg_mv(), atol=6e-4)
    assert [code for code, _ in recording.warnings] == ["signals_ignored"]


def test_several_samples_per_frame_among_the_leads_are_refused(write_record: WriteRecord) -> None:
    root = write_record(leads=[*LEADS[:11], "ABP"])
    header = root / "r1.hea"
    lines = header.read_text().splitlines()
    lines[12] = lines[12].replace(".dat 16 ", ".dat 16x4 ")
    header.write_text("\n".join(lines))
    with pytest.raises(RecordError, match=r"'ABP' in r1\.dat, among the leads"):
        read_wfdb(root, "r1", amplitude="calibrated")


def test_unit_nu_is_read_only_where_amplitudes_are_arbitrary(write_record: WriteRecord) -> None:
    root = write_record(gain="1000(0)/NU")
    assert code_of(root) == "unit_unknown"
    recording = read_wfdb(root, "r1", amplitude="arbitrary")
    assert recording.unit == "NU"
    np.testing.assert_allclose(recording.ecg, make_ecg_mv(), atol=0.00051)


def test_a_missing_unit_is_not_guessed(write_record: WriteRecord) -> None:
    root = write_record(gain="1000(0)")
    assert code_of(root) == "unit_unknown"
    assert read_wfdb(root, "r1", amplitude="arbitrary").unit == "NU"


def flip_a_bit(raw: bytes) -> bytes:
    return raw[:999] + bytes([raw[999] ^ 1]) + raw[1000:]


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (flip_a_bit, "checksum_mismatch"),
        (lambda raw: raw[1:] + raw[:1], "checksum_mismatch"),
        (lambda raw: bytes(len(raw)), "checksum_mismatch"),
        (lambda raw: raw[:-1], "size_mismatch"),
        (lambda raw: raw + b"<html>", "size_mismatch"),
        (lambda raw: b"", "size_mismatch"),
    ],
)
def test_damaged_samples_are_refused(
    write_record: WriteRecord, spoil: Callable[[bytes], bytes], code: str
) -> None:
    assert code_of(write_record(data=spoil)) == code


def test_checksums_may_be_signed_or_unsigned(write_record: WriteRecord) -> None:
    def signed(text: str) -> str:
        lines = text.splitlines()
        for i, line in enumerate(lines[1:13], start=1):
            fields = line.split()
            fields[6] = str((int(fields[6]) + 32768) % 65536 - 32768)
            lines[i] = " ".join(fields)
        return "\n".join(lines)

    assert read_wfdb(write_record(header=signed), "r1", amplitude="calibrated").leads == LEADS


@pytest.mark.parametrize(
    "record",
    ["", "../r1", "/etc/passwd", "a/../../r1", "s3://bucket/r1", "C:\\r1", "~/r1", "a//r1", "r\n1"],
)
def test_a_path_out_of_the_folder_is_refused(write_record: WriteRecord, record: str) -> None:
    assert code_of(write_record(), record) == "path_unsafe"


@pytest.mark.parametrize("name", ["../r1.dat", "/tmp/r1.dat", "-", "~"])
def test_a_signal_file_out_of_the_folder_is_refused(write_record: WriteRecord, name: str) -> None:
    root = write_record(header=lambda text: text.replace("r1.dat", name))
    assert code_of(root) == "path_unsafe"


@pytest.mark.parametrize("suffix", [".hea", ".dat"])
def test_links_are_followed_only_inside_the_folder(
    write_record: WriteRecord, tmp_path: Path, suffix: str
) -> None:
    root = write_record("in/r1") / "in"
    inside, outside = root / f"kept{suffix}", tmp_path / f"r1{suffix}"
    (root / f"r1{suffix}").rename(inside)
    (root / f"r1{suffix}").symlink_to(inside)
    assert read_wfdb(root, "r1", amplitude="calibrated").leads == LEADS
    inside.rename(outside)
    (root / f"r1{suffix}").unlink()
    (root / f"r1{suffix}").symlink_to(outside)
    assert code_of(root) == "path_unsafe"


def test_a_record_or_a_signal_file_that_is_not_there_is_named(write_record: WriteRecord) -> None:
    root = write_record()
    assert code_of(root, "r2") == "file_missing"
    (root / "r1.dat").unlink()
    assert code_of(root) == "file_missing"


@pytest.mark.parametrize("suffix", [".hea", ".dat"])
def test_a_pipe_or_folder_is_not_opened(write_record: WriteRecord, suffix: str) -> None:
    root = write_record()
    (root / f"r1{suffix}").unlink()
    os.mkfifo(root / f"r1{suffix}")
    assert code_of(root) == "file_not_regular"
    (root / f"r1{suffix}").unlink()
    (root / f"r1{suffix}").mkdir()
    assert code_of(root) == "file_not_regular"


def test_a_sparse_giant_is_refused_by_its_declared_size(write_record: WriteRecord) -> None:
    root = write_record(header=lambda text: text.replace(" 5000\n", " 200000000\n", 1))
    os.truncate(root / "r1.dat", 12 * 2 * 200_000_000)
    assert code_of(root) == "header_limit"


def test_lead_names_decide(write_record: WriteRecord) -> None:
    ecg_mv = make_ecg_mv()[:2]
    assert code_of(write_record(ecg_mv=ecg_mv, leads=["II", "ii"])) == "duplicate_lead"
    assert code_of(write_record(ecg_mv=ecg_mv, leads=["MLII", "RESP"])) == "no_known_lead"
    assert code_of(write_record(header=lambda text: "r1 0 500 5000\n")) == "no_known_lead"


def test_an_unknown_format_is_refused(write_record: WriteRecord) -> None:
    root = write_record(header=lambda text: text.replace(".dat 16 ", ".dat 999 "))
    assert code_of(root) == "layout_unsupported"


def test_no_record_reaches_the_network(
    write_record: WriteRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the reader opened a socket")

    monkeypatch.setattr(socket, "socket", refuse)
    root = write_record()
    for record in ("s3://b/r1", "http://h/r1", "gs:b"):
        assert code_of(root, record) == "path_unsafe"


def test_a_record_error_keeps_its_code_across_processes() -> None:
    error = RecordError("too_short", record="a/1", problem="it lasts 1 s")
    copy = pickle.loads(pickle.dumps(error))
    assert (copy.code, copy.record, str(copy)) == ("too_short", "a/1", str(error))


def test_another_patients_samples_are_refused(write_record: WriteRecord, tmp_path: Path) -> None:
    write_record("other", make_ecg_mv() * 1.1)
    root = write_record("r1")
    shutil.copy(root / "other.dat", root / "r1.dat")
    assert code_of(root) == "checksum_mismatch"


def test_a_sparse_giant_behind_a_modest_header_is_refused(write_record: WriteRecord) -> None:
    root = write_record()
    os.truncate(root / "r1.dat", 4_800_000_000)
    assert code_of(root) == "size_mismatch"


@pytest.mark.parametrize("segments", ["r1 5000", "r1 2500\nr1 2500", "a 1\nb 1"])
def test_a_list_of_segments_is_refused_at_once(write_record: WriteRecord, segments: str) -> None:
    root = write_record(header=lambda text: f"r1/2 12 500 5000\n{segments}\n")
    assert code_of(root) == "multi_segment"


@pytest.mark.parametrize(
    "name", ["s3://b/r1.dat", "http://h/r1.dat", "gs:r1.dat", "..", "../r1.dat"]
)
def test_a_signal_file_on_the_network_is_refused(write_record: WriteRecord, name: str) -> None:
    assert code_of(write_record(header=lambda text: text.replace("r1.dat", name))) == "path_unsafe"


def test_a_record_without_checksums_is_read_with_a_warning(write_record: WriteRecord) -> None:
    def drop(text: str) -> str:
        lines = text.splitlines()
        return "\n".join([lines[0], *(line.split()[0] + " 16 1000/mV" for line in lines[1:13])])

    # the lead's name is the last field, so without a checksum there is none
    assert code_of(write_record(header=drop)) == "no_known_lead"


def test_a_skewed_signal_is_aligned_as_wfdb_does(write_record: WriteRecord) -> None:
    root = write_record(header=lambda text: text.replace(".dat 16 ", ".dat 16:7 ", 2))
    recording = read_wfdb(root, "r1", amplitude="calibrated")
    physical = wfdb.rdrecord(str(root / "r1")).p_signal.T
    np.testing.assert_allclose(recording.ecg, physical, rtol=1e-6, atol=1e-9)
    assert np.isnan(recording.ecg[:2, -7:]).all()


def test_leads_without_a_unit_are_millivolts_only_on_request(write_record: WriteRecord) -> None:
    root = write_record(gain="1000(0)")
    recording = read_wfdb(root, "r1", amplitude="default_mv")
    assert recording.unit == "mV"
    assert [code for code, _ in recording.warnings] == ["unit_assumed"]
    np.testing.assert_allclose(recording.ecg, make_ecg_mv(), atol=0.00051)
    root = write_record(gain="1000(0)/NU")
    with pytest.raises(RecordError) as caught:
        read_wfdb(root, "r1", amplitude="default_mv")
    assert caught.value.code == "unit_unknown"


def test_signals_of_two_files_keep_their_order(tmp_path: Path) -> None:
    ecg = np.rint(make_ecg_mv()[:4] * 1000).astype("<i2")
    (tmp_path / "a.dat").write_bytes(ecg[[0, 3]].T.tobytes())
    (tmp_path / "b.dat").write_bytes(ecg[[1, 2]].T.tobytes())
    lines = ["r1 4 500 5000"]
    lines += [
        f"{name}.dat 16 1000/mV 16 0 0 {row.sum(dtype=np.int64) % 65536} 0 {lead}"
        for name, row, lead in zip("abba", ecg, LEADS, strict=False)
    ]
    (tmp_path / "r1.hea").write_text("\n".join(lines))
    recording = read_wfdb(tmp_path, "r1", amplitude="calibrated")
    np.testing.assert_allclose(recording.ecg, ecg / 1000, atol=1e-6)


@pytest.mark.parametrize("fmt", ["508", "516", "524"])
def test_flac_files_agree_with_wfdb_and_are_checked(tmp_path: Path, fmt: str) -> None:
    limit = 100 if fmt == "508" else 30_000
    counts = np.random.default_rng(0).integers(-limit, limit, (1000, 2))
    wfdb.wrsamp(
        "r1", fs=500, units=["mV", "mV"], sig_name=["V1", "II"], d_signal=counts, fmt=[fmt] * 2,
        adc_gain=[200.0] * 2, baseline=[0, 0], write_dir=str(tmp_path),
    )  # fmt: skip
    np.testing.assert_allclose(
        read_wfdb(tmp_path, "r1", amplitude="calibrated").ecg, counts.T / 200, rtol=1e-6
    )
    path = next(tmp_path.glob("r1.dat"))
    content = path.read_bytes()
    header = (tmp_path / "r1.hea").read_text()
    (tmp_path / "r1.hea").write_text(header.replace(" 1000\n", " 999\n", 1))
    assert code_of(tmp_path) == "size_mismatch"
    (tmp_path / "r1.hea").write_text(header)
    path.write_bytes(b"RIFF" + content[4:])
    assert code_of(tmp_path) == "unreadable"
    path.write_bytes(content[: len(content) // 2])
    assert code_of(tmp_path) in ("unreadable", "checksum_mismatch")
    path.write_bytes(content + bytes(100_000))
    assert code_of(tmp_path) == "size_mismatch"


def _packed(fmt: str, counts: npt.NDArray[np.int64]) -> bytes:
    """Write one signal as signal(5) describes the format, bit by bit."""
    if fmt in ("61", "160", "8"):
        steps = np.diff(counts, prepend=counts[:1])
        return {"61": counts.astype(">i2"), "160": (counts + (1 << 15)).astype("<u2"),
                "8": steps.astype("i1")}[fmt].tobytes()  # fmt: skip
    bits = np.append(counts & 0x3FF, [0] * (-len(counts) % 3))
    one, two, three = bits[::3], bits[1::3], bits[2::3]
    if fmt == "311":
        return bytes((one | two << 10 | three << 20).astype("<u4").tobytes())
    words = np.stack([one << 1 | (three & 31) << 11, two << 1 | (three >> 5) << 11], axis=1)
    return bytes(words.astype("<u2").tobytes())


@pytest.mark.parametrize("offset", [0, 512])
@pytest.mark.parametrize("fmt", ["8", "61", "160", "310", "311"])
def test_rare_formats_are_read_as_their_bits_say(fmt: str, offset: int, tmp_path: Path) -> None:
    counts = np.rint(make_ecg_mv(2501, 250)[:2] * 100 + np.array([[0], [7]])).astype(np.int64)
    lines = ["r1 2 250 2501"]
    for name, row in zip(("I", "II"), counts, strict=True):
        lines.append(f"{name}.dat {fmt}+{offset} 100/mV 16 0 {row[0]} {row.sum() % 65536} 0 {name}")
        (tmp_path / f"{name}.dat").write_bytes(bytes(offset) + _packed(fmt, row))
    (tmp_path / "r1.hea").write_text("\n".join(lines))
    read = read_wfdb(tmp_path, "r1", amplitude="calibrated")
    np.testing.assert_allclose(read.ecg, counts / 100, atol=1e-6)


def test_a_last_sample_of_format_310_that_is_cut_is_named(tmp_path: Path) -> None:
    counts = np.arange(1502) % 100
    (tmp_path / "r1.dat").write_bytes(_packed("310", counts)[:-1])
    (tmp_path / "r1.hea").write_text(f"r1 1 250 1502\nr1.dat 310 100/mV 10 0 0 {counts.sum()} 0 I")
    with pytest.raises(RecordError, match="has 2003 bytes; its header declares 2004"):
        read_wfdb(tmp_path, "r1", amplitude="calibrated")
