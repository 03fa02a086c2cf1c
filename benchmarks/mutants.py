"""Damage recordings in repeatable ways: mutant `i` of a seed is always the same."""

import base64
import binascii
import os
import re
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.recording_files import WRITERS, Files, make_counts, philips_files, scp_files
from lsemvae.core.leads import LEADS

Rng = np.random.Generator

HOSTILE = [
    b"", b"0", b"-1", b"1", b"nan", b"inf", b"1e999", b"-1e-300", b"4,88", b"9" * 20, b"65535",
    b"2147483648", b"-32768", b"../r1.dat", b"/etc/passwd", b"s3://bucket/key", b"~", b"-",
    b"r1", b"r1/2", b"16x2", b"16:3", b"16+24", b"8", b"212", b"310", b"516", b"200/mV",
    b"200(0)/\xb5V", b"uV", b"NU", b"\xc2\xb5V", b"II", b"aVR", b"x" * 20_000, b"\0", b"\n",
    b"\xff\xfe", b"&a;", b"<!--", b"<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]>",
    b"<html>", b'"', b"[" * 3000,
]  # fmt: skip
_TOKEN = re.compile(rb"[^\s<>\"'=,]{1,40}")
_NUMBER = re.compile(rb"[-+]?\d+(?:\.\d+)?")


class Origin(NamedTuple):
    """A sound recording to damage: its kind, its record name, and its files."""

    kind: str
    record: str
    files: Files


def make_origins(corpora: Path | None) -> list[Origin]:
    """Return synthetic recordings of every kind, and genuine ones where the corpora are there."""
    origins = []
    for kind, (record, leads, writer) in WRITERS.items():
        for n_samples in (1500, 1750):
            counts = make_counts(leads, n_samples=n_samples)
            origins.append(Origin(kind, record, writer(counts, leads)))
    counts = make_counts()
    origins.append(Origin("Philips XML", "r1.xml", philips_files(counts, compress=False)))
    origins.append(Origin("SCP-ECG", "r1.scp", scp_files(counts, differences=2)))
    return origins + (_genuine(corpora) if corpora else [])


def _genuine(corpora: Path) -> list[Origin]:
    """Return short public recordings of rarer formats and of the makers' own kinds."""
    formats, vendor = corpora / "wfdb_formats", corpora / "vendor_formats"
    wfdb = [(formats, "100_3chan"), (formats, "3000003_0003"), (formats, "s0010_re")]
    wfdb += [(corpora / "cinc2021", "E07500"), (corpora / "cpsc2018/cinc2020_style", "A0001")]
    origins = [
        Origin(
            "WFDB", record, {path.name: path.read_bytes() for path in folder.glob(f"{record}.*")}
        )
        for folder, record in wfdb
    ]
    for name in ("binformats", "flacformats"):  # their signals need leads' names to be read at all
        files = {path.name: path.read_bytes() for path in formats.glob(f"{name}.*")}
        header, *lines = files[f"{name}.hea"].splitlines()
        named = [
            line.rpartition(b" 0 sig")[0] + b" 0 " + lead.encode()
            for line, lead in zip(lines, LEADS, strict=False)
        ]
        files[f"{name}.hea"] = b"\n".join([header, *named])
        origins.append(Origin("WFDB", name, files))
    paths = [
        ("GE MUSE XML", "ge_muse_xml/example1.xml"),
        ("Philips XML", "philips_sierra_xml/1_03_129DYPRG.XML"),
        ("HL7 aECG", "hl7_aecg/ecgkit_ecg_hl7.xml"),
        ("SCP-ECG", "scp_ecg/Example.scp"),
        ("DICOM", "dicom/ECGToolkit_Example.dcm"),
    ]
    origins += [
        Origin(
            kind, path.rpartition("/")[2], {path.rpartition("/")[2]: (vendor / path).read_bytes()}
        )
        for kind, path in paths
    ]
    return origins


def make_mutant(origins: list[Origin], seed: int, index: int) -> Origin:
    """Return mutant `index`: one recording with one to three kinds of damage."""
    rng = np.random.default_rng([seed, index])
    origin = origins[index % len(origins)]
    files = dict(origin.files)
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        # the smallest file is the header or the layout; half of the damage goes there
        names = sorted(files, key=lambda name: len(files[name]))
        name = names[0] if rng.random() < 0.5 else names[rng.integers(len(names))]
        other = origins[rng.integers(len(origins))].files
        donor = list(other.values())[rng.integers(len(other))]
        files[name] = DAMAGES[rng.integers(len(DAMAGES))](files[name], donor, rng)
    if rng.random() < 0.5:  # half of the damaged files pass their CRC, to reach what is behind it
        files = {name: mend_crc(content, origin.kind) for name, content in files.items()}
    return Origin(origin.kind, origin.record, files)


def _cut(content: bytes, rng: Rng) -> tuple[int, int]:
    """Return a random slice, mostly short."""
    start = int(rng.integers(len(content) + 1))
    return start, min(len(content), start + int(2 ** rng.uniform(0, 12)))


def _flip_bits(content: bytes, _: bytes, rng: Rng) -> bytes:
    raw = bytearray(content)
    for position in rng.integers(len(raw), size=rng.integers(1, 4)) if raw else ():
        raw[position] ^= 1 << int(rng.integers(8))
    return bytes(raw)


def _overwrite(content: bytes, _: bytes, rng: Rng) -> bytes:
    start, stop = _cut(content, rng)
    return content[:start] + rng.bytes(stop - start) + content[stop:]


def _extreme_word(content: bytes, _: bytes, rng: Rng) -> bytes:
    start = int(rng.integers(len(content) + 1))
    word = [b"\xff" * 4, bytes(4), b"\xff\xff\xff\x7f", b"\0\0\0\x80", b"\x01\0\0\0"][
        rng.integers(5)
    ]
    return content[:start] + word + content[start + 4 :]


def _delete(content: bytes, _: bytes, rng: Rng) -> bytes:
    start, stop = _cut(content, rng)
    return content[:start] + content[stop:]


def _repeat(content: bytes, _: bytes, rng: Rng) -> bytes:
    start, stop = _cut(content, rng)
    return content[:stop] + content[start:stop] * int(rng.integers(1, 5)) + content[stop:]


def _insert(content: bytes, donor: bytes, rng: Rng) -> bytes:
    start, (a, b) = int(rng.integers(len(content) + 1)), _cut(donor, rng)
    return content[:start] + donor[a:b] + content[start:]


def _truncate(content: bytes, _: bytes, rng: Rng) -> bytes:
    return content[: int(rng.integers(len(content) + 1))]


def _pad(content: bytes, _: bytes, rng: Rng) -> bytes:
    return (
        content
        + [bytes(100), b"<html></html>\n" * 9, rng.bytes(int(rng.integers(4096)))][rng.integers(3)]
    )


def _rotate(content: bytes, _: bytes, rng: Rng) -> bytes:
    shift = int(rng.integers(1, 4))
    return content[shift:] + content[:shift]


def _foreign(content: bytes, donor: bytes, rng: Rng) -> bytes:
    """Take another recording's bytes, cut or padded to the same size."""
    return donor[: len(content)].ljust(len(content), b"\0") if rng.random() < 0.5 else donor


def _replace(pattern: re.Pattern[bytes]) -> Callable[[bytes, bytes, Rng], bytes]:
    def damage(content: bytes, _: bytes, rng: Rng) -> bytes:
        found = list(pattern.finditer(content[:20_000]))
        if not found:
            return content
        start, stop = found[rng.integers(len(found))].span()
        return content[:start] + HOSTILE[rng.integers(len(HOSTILE))] + content[stop:]

    return damage


DAMAGES = [
    _flip_bits, _overwrite, _extreme_word, _delete, _repeat, _insert, _truncate, _pad, _rotate,
    _foreign, _replace(_TOKEN), _replace(_TOKEN), _replace(_NUMBER), _replace(_NUMBER),
]  # fmt: skip


def mend_crc(content: bytes, kind: str) -> bytes:
    """Write the CRCs that belong to the damaged bytes."""
    if kind == "GE MUSE XML":
        return _mend_muse(content)
    if kind != "SCP-ECG" or len(content) < 200:
        return content
    raw = bytearray(content)
    struct.pack_into("<I", raw, 2, len(raw))
    for position in range(22, 142, 10):
        _, size, index = struct.unpack_from("<HII", raw, position)
        if index >= 1 and 16 <= size <= len(raw) - index + 1:
            crc = binascii.crc_hqx(raw[index + 1 : index - 1 + size], 0xFFFF)
            struct.pack_into("<H", raw, index - 1, crc)
    struct.pack_into("<H", raw, 0, binascii.crc_hqx(raw[2:], 0xFFFF))
    return bytes(raw)


def _mend_muse(content: bytes) -> bytes:
    def lead(match: re.Match[bytes]) -> bytes:
        try:
            crc = zlib.crc32(base64.b64decode(match[3]))
        except binascii.Error:
            return match[0]
        return b"<LeadDataCRC32>%d</LeadDataCRC32>%s<WaveFormData>%s<" % (crc, match[2], match[3])

    pattern = rb"<LeadDataCRC32>(\d+)</LeadDataCRC32>([^<]*)<WaveFormData>([^<]*)<"
    return re.sub(pattern, lead, content)


def corpora_folder() -> Path | None:
    """Return the folder of public recordings, None where ECG_CORPORA is unset."""
    folder = os.environ.get("ECG_CORPORA")
    return Path(folder) if folder else None
