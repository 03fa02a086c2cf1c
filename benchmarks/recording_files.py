"""Write small ECG files of every kind that the readers know, for tests and torture."""

import base64
import io
import json
import struct
import zlib
from binascii import crc_hqx
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from benchmarks.array_files import hdf5_files, matlab_files, numpy_archive_files, numpy_files
from benchmarks.holter_files import ishne_files, kardia_files
from lsemvae.core.leads import LEADS, LIMB_LEADS

Files = dict[str, bytes]
Counts = npt.NDArray[np.int16]

UV_PER_COUNT = 5
EIGHT = ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")
SCP_NUMBERS = {"I": 1, "II": 2, "III": 61, "aVR": 62, "aVL": 63, "aVF": 64}
SCP_NUMBERS |= {f"V{k}": 2 + k for k in range(1, 7)}


def make_counts(
    leads: Sequence[str] = LEADS, *, n_samples: int = 1500, rate: float = 250
) -> Counts:
    """Return a beat each second in counts of 5 uV (L, T), Einthoven and Goldberger exact."""
    phase = (np.arange(n_samples) / rate) % 1.0
    qrs = np.exp(-0.5 * ((phase - 0.4) / 0.02) ** 2)
    wave = np.exp(-0.5 * ((phase - 0.65) / 0.05) ** 2)
    one = 2 * np.rint(60 * qrs + 10 * wave)
    two = 2 * np.rint(110 * qrs + 30 * wave)
    ecg = {"I": one, "II": two, "III": two - one, "aVR": -(one + two) / 2}
    ecg |= {"aVL": one - two / 2, "aVF": two - one / 2}
    ecg |= {f"V{k}": np.rint((k - 3.5) * 60 * qrs + 20 * k * wave) for k in range(1, 7)}
    return np.stack([ecg[lead] for lead in leads]).astype(np.int16)


def wfdb_files(counts: Counts, leads: Sequence[str] = LEADS, *, rate: float = 250) -> Files:
    """Return header and signal file of a format-16 record `r1`."""
    sums = counts.sum(axis=1, dtype=np.int64) % 65536
    lines = [f"r1 {len(leads)} {rate:g} {counts.shape[1]}"]
    lines += [
        f"r1.dat 16 200(0)/mV 16 0 {row[0]} {total} 0 {lead}"
        for lead, row, total in zip(leads, counts, sums, strict=True)
    ]
    return {"r1.hea": "\n".join([*lines, ""]).encode(), "r1.dat": counts.T.astype("<i2").tobytes()}


def muse_files(counts: Counts, leads: Sequence[str] = EIGHT, *, rate: float = 250) -> Files:
    """Return a GE MUSE XML file of a median beat and a rhythm strip."""
    strips = []
    for kind, part in (("Median", counts[:, :100]), ("Rhythm", counts)):
        rows = [
            f"<LeadData><LeadSampleCountTotal>{len(row)}</LeadSampleCountTotal>"
            "<LeadAmplitudeUnitsPerBit>5</LeadAmplitudeUnitsPerBit>"
            "<LeadAmplitudeUnits>MICROVOLTS</LeadAmplitudeUnits>"
            f"<LeadID>{lead}</LeadID><LeadSampleSize>2</LeadSampleSize>"
            f"<LeadDataCRC32>{zlib.crc32(row.astype('<i2').tobytes())}</LeadDataCRC32>"
            f"<WaveFormData>\n{base64.b64encode(row.astype('<i2').tobytes()).decode()}\n"
            "</WaveFormData></LeadData>"
            for lead, row in zip(leads, part, strict=True)
        ]
        strips.append(
            f"<Waveform><WaveformType>{kind}</WaveformType><SampleBase>{rate:g}</SampleBase>"
            f"<SampleExponent>0</SampleExponent>{''.join(rows)}</Waveform>"
        )
    head = '<?xml version="1.0" encoding="ISO-8859-1"?>\n<!DOCTYPE RestingECG SYSTEM "restecg.dtd">'
    return {"r1.xml": f"{head}\n<RestingECG>{''.join(strips)}</RestingECG>".encode("latin-1")}


def aecg_files(counts: Counts, leads: Sequence[str] = LEADS, *, rate: float = 250) -> Files:
    """Return an HL7 annotated ECG."""
    rows = [
        "<component><sequence>"
        f'<code code="MDC_ECG_LEAD_{lead}"/><value><origin value="0" unit="uV"/>'
        f'<scale value="5" unit="uV"/><digits>{" ".join(map(str, row))}</digits></value>'
        "</sequence></component>"
        for lead, row in zip(leads, counts.tolist(), strict=True)
    ]
    time = (
        '<component><sequence><code code="TIME_RELATIVE"/><value><head value="0" unit="s"/>'
        f'<increment value="{1 / rate:g}" unit="s"/></value></sequence></component>'
    )
    body = f"<component><sequenceSet>{time}{''.join(rows)}</sequenceSet></component>"
    series = f'<component><series><code code="RHYTHM"/>{body}</series></component>'
    return {"r1.xml": f'<AnnotatedECG xmlns="urn:hl7-org:v3">{series}</AnnotatedECG>'.encode()}


def philips_files(
    counts: Counts, leads: Sequence[str] = LEADS, *, rate: float = 250, compress: bool = True
) -> Files:
    """Return a Philips XML file 1.04, samples as XLI or plain."""
    stored = counts.astype(np.int64)
    one, two, three = stored[0], stored[1], stored[2]
    stored = stored.copy()
    stored[2] = two - one - counts[2]
    stored[3] = -((one + two) // 2) - counts[3]
    stored[4] = (one - three) // 2 - counts[4]
    stored[5] = (two + three) // 2 - counts[5]
    raw = b"".join(map(_xli_chunk, stored)) if compress else stored.astype("<i2").tobytes()
    method = 'compression="XLI"' if compress else ""
    text = (
        '<?xml version="1.0" encoding="utf-16"?><restingecgdata xmlns="http://www3.medical.philips'
        '.com"><documentinfo><documenttype>PhilipsECG</documenttype><documentversion>1.04'
        "</documentversion></documentinfo><dataacquisition><signalcharacteristics>"
        f"<samplingrate>{rate:g}</samplingrate><bitspersample>16</bitspersample>"
        "<signaloffset>0</signaloffset><signalsigned>True</signalsigned></signalcharacteristics>"
        f'</dataacquisition><waveforms><parsedwaveforms dataencoding="Base64" {method} '
        f'numberofleads="{len(leads)}" leadlabels="{" ".join(leads)}" '
        f'durationperchannel="{1000 * counts.shape[1] / rate:g}" resolution="5">'
        f"{base64.b64encode(raw).decode()}</parsedwaveforms></waveforms></restingecgdata>"
    )
    return {"r1.xml": text.encode("utf-16")}


def _xli_chunk(row: npt.NDArray[np.int64]) -> bytes:
    """Pack one lead; every byte becomes a 10-bit code of its own, as a lazy LZW coder may do."""
    seconds = 2 * row[1:-1] - row[:-2] - row[2:]
    stored = np.concatenate([row[:2], seconds[1:] + 64, [0]]).astype(np.int16).view(np.uint16)
    codes = np.concatenate([stored >> 8, stored & 255, [1023]]).astype(np.uint16)
    bits = np.unpackbits(codes.astype(">u2").view(np.uint8)).reshape(-1, 16)[:, 6:]
    packed = np.packbits(bits.ravel()).tobytes()
    return struct.pack("<ihh", len(packed), 0, int(seconds[0])) + packed


def scp_files(
    counts: Counts, leads: Sequence[str] = LEADS, *, rate: float = 250, differences: int = 0,
    patient: dict[int, bytes] | None = None,
) -> Files:  # fmt: skip
    """Return an SCP-ECG file; with first or second differences the Huffman code is used.

    Fields of section 1, which is about the patient, are given by their tags.
    """
    rows = [struct.pack("<IIB", 1, counts.shape[1], SCP_NUMBERS[lead]) for lead in leads]
    bodies = {3: struct.pack("<BB", len(leads), len(leads) << 3 | 4) + b"".join(rows)}
    if patient is not None:
        fields = [struct.pack("<BH", tag, len(text)) + text for tag, text in patient.items()]
        bodies = {1: b"".join(fields) + b"\xff\0\0"} | bodies
    packed = [row.astype("<i2").tobytes() for row in counts]
    if differences:
        bodies[2] = struct.pack("<H", 19999)
        packed = [_huffman(_differences(row.astype(np.int64), differences)) for row in counts]
    head = struct.pack("<HHBB", 1000 * UV_PER_COUNT, round(1e6 / rate), differences, 0)
    sizes = struct.pack(f"<{len(packed)}H", *map(len, packed))
    bodies[6] = head + sizes + b"".join(packed)
    length, position, table, sections = 16 + 10 * 12, 7 + 16 + 10 * 12, b"", b""
    for number, body in bodies.items():
        section = _scp_section(number, body)
        table += struct.pack("<HII", number, len(section), position)
        sections, position = sections + section, position + len(section)
    pointers = _scp_section(0, table.ljust(length - 16, b"\0"), name=b"SCPECG")
    content = struct.pack("<I", 6 + len(pointers) + len(sections)) + pointers + sections
    return {"r1.scp": struct.pack("<H", crc_hqx(content, 0xFFFF)) + content}


def _scp_section(number: int, body: bytes, *, name: bytes = bytes(6)) -> bytes:
    rest = struct.pack("<HIBB6s", number, 16 + len(body), 20, 20, name) + body
    return struct.pack("<H", crc_hqx(rest, 0xFFFF)) + rest


def _differences(row: npt.NDArray[np.int64], order: int) -> list[int]:
    return [*row[:order].tolist(), *np.diff(row, order).tolist()]


def _huffman(values: Sequence[int]) -> bytes:
    """Encode values with the default table of SCP-ECG."""
    words = []
    for value in values:
        if abs(value) <= 8:
            words.append("1" * abs(value) + "0" + ("" if value == 0 else "01"[value < 0]))
        elif -128 <= value < 128:
            words.append("1" * 9 + "0" + f"{value & 0xFF:08b}")
        else:
            words.append("1" * 10 + f"{value & 0xFFFF:016b}")
    bits = "".join(words)
    bits += "0" * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8, "big")


def dicom_files(counts: Counts, leads: Sequence[str] = LEADS, *, rate: float = 250) -> Files:
    """Return a DICOM waveform object."""
    from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian

    def item(**fields: object) -> Dataset:
        dataset = Dataset()
        for name, value in fields.items():
            setattr(dataset, name, value)
        return dataset

    channels = [
        item(
            ChannelSourceSequence=[
                item(CodeValue=f"5.6.3-9-{SCP_NUMBERS[lead]}", CodingSchemeDesignator="SCPECG",
                     CodeMeaning=f"Lead {lead}")
            ],
            ChannelSensitivity=str(UV_PER_COUNT),
            ChannelSensitivityUnitsSequence=[item(CodeValue="uV", CodingSchemeDesignator="UCUM")],
            ChannelSensitivityCorrectionFactor="1",
            ChannelBaseline="0",
            WaveformBitsStored=16,
        )
        for lead in leads
    ]  # fmt: skip
    group = item(
        WaveformOriginality="ORIGINAL",
        NumberOfWaveformChannels=len(leads),
        NumberOfWaveformSamples=counts.shape[1],
        SamplingFrequency=f"{rate:g}",
        ChannelDefinitionSequence=channels,
        WaveformBitsAllocated=16,
        WaveformSampleInterpretation="SS",
        WaveformData=counts.T.astype("<i2").tobytes(),
    )
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.9.1.1"
    meta.MediaStorageSOPInstanceUID = "1.2.3"
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset = FileDataset("r1.dcm", {}, file_meta=meta, preamble=bytes(128))
    dataset.WaveformSequence = [group]
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return {"r1.dcm": buffer.getvalue()}


def edf_files(counts: Counts, leads: Sequence[str] = LEADS, *, rate: float = 250) -> Files:
    """Return an EDF file with one second in each data record."""
    per_record, n = round(rate), len(leads)
    n_records = counts.shape[1] // per_record
    columns = [
        (16, list(leads)), (80, [""] * n), (8, ["uV"] * n), (8, ["-163840"] * n),
        (8, ["163835"] * n), (8, ["-32768"] * n), (8, ["32767"] * n), (80, [""] * n),
        (8, [str(per_record)] * n), (32, [""] * n),
    ]  # fmt: skip
    fixed = [("0", 8), ("", 80), ("", 80), ("01.01.20", 8), ("00.00.00", 8)]
    fixed += [(str(256 * (n + 1)), 8), ("", 44), (str(n_records), 8), ("1", 8), (str(n), 4)]
    header = "".join(text.ljust(width) for text, width in fixed)
    header += "".join(text.ljust(width) for width, texts in columns for text in texts)
    blocks = counts[:, : n_records * per_record].reshape(n, n_records, per_record)
    data = blocks.transpose(1, 0, 2).astype("<i2").tobytes()
    return {"r1.edf": header.encode("ascii") + data}


def bdf_files(counts: Counts, leads: Sequence[str] = LEADS, *, rate: float = 250) -> Files:
    """Return a BDF file of 24 bits, the counts in the upper 16 of them."""
    content, n = edf_files(counts, leads, rate=rate)["r1.edf"], len(leads)
    size = 256 * (n + 1)
    header = bytearray(b"\xffBIOSEMI" + content[8:size])
    header[192:236] = b"24BIT".ljust(44)
    limits = 256 + n * (16 + 80 + 8 + 16)
    header[limits : limits + 16 * n] = b"-8388608" * n + b"8388352 " * n
    wide = np.frombuffer(content[size:], "<i2").astype("<i4") << 8
    return {"r1.bdf": bytes(header) + wide[:, None].view(np.uint8)[:, :3].tobytes()}


def csv_files(counts: Counts, leads: Sequence[str] = LEADS, *, rate: float = 250) -> Files:
    """Return a CSV file and its layout."""
    lines = [",".join(leads), *(",".join(map(str, row)) for row in counts.T.tolist())]
    layout = {"sampling_rate_hz": rate, "unit": "uV", "counts_per_unit": 1 / UV_PER_COUNT}
    return {"r1.csv": "\n".join(lines).encode(), "r1.csv.layout.json": json.dumps(layout).encode()}


WRITERS: dict[str, tuple[str, tuple[str, ...], Callable[..., Files]]] = {
    "WFDB": ("r1", LEADS, wfdb_files),
    "GE MUSE XML": ("r1.xml", EIGHT, muse_files),
    "HL7 aECG": ("r1.xml", LEADS, aecg_files),
    "Philips XML": ("r1.xml", LEADS, philips_files),
    "SCP-ECG": ("r1.scp", LEADS, scp_files),
    "DICOM": ("r1.dcm", LEADS, dicom_files),
    "EDF": ("r1.edf", LEADS, edf_files),
    "BDF": ("r1.bdf", LEADS, bdf_files),
    "ISHNE": ("r1.ecg", LEADS, ishne_files),
    "Kardia JSON": ("r1.json", LIMB_LEADS, kardia_files),
    "CSV": ("r1.csv", LEADS, csv_files),
    "MATLAB": ("r1.mat", LEADS, matlab_files),
    "NumPy": ("r1.npy", LEADS, numpy_files),
    "NumPy archive": ("r1.npz", LEADS, numpy_archive_files),
    "HDF5": ("r1.h5", LEADS, hdf5_files),
}
"""For each kind the record's name, its leads, and the function that writes it."""
