"""Judge checksums independently of the reader: by the wfdb library, and by the book."""

import base64
import re
from pathlib import Path

from data_modules.reading.lead_names import known_lead


def checksum_matches(folder: Path, kind: str, record: str) -> bool | None:
    """Tell whether an accepted recording's checksum is right; None where there is no telling.

    Args:
        folder: where its files lie.
        kind: a key of `benchmarks.recording_files.WRITERS`.
        record: its name.
    """
    if kind == "WFDB":
        return _wfdb(folder / record)
    content = (folder / record).read_bytes()
    # damage may have put another kind of file in place
    if kind == "SCP-ECG" and content[16:22] == b"SCPECG":
        return _crc(content[2:], 0x1021, 16, 0xFFFF) == int.from_bytes(content[:2], "little")
    if kind == "GE MUSE XML" and content.count(b"<WaveformType>Rhythm<") == 1:
        strip = content.partition(b"<WaveformType>Rhythm<")[2].partition(b"</Waveform>")[0]
        stated = re.findall(rb"<LeadDataCRC32>\s*(\d+)\s*<", strip)
        samples = re.findall(rb"<WaveFormData>([^<]*)<", strip)
        found = [_crc32(base64.b64decode(one)) for one in samples]
        none_computed = not any(map(int, stated))
        return None if none_computed else [int(one) for one in stated] == found
    return None


def _wfdb(stem: Path) -> bool | None:
    import wfdb

    try:
        record = wfdb.rdrecord(str(stem), physical=False, ignore_skew=True)
        stated, found = record.checksum, record.calc_checksum()
    except Exception:  # a header that wfdb does not understand: nothing to compare with
        return None
    # the reader vouches for the leads alone, and 0 in all fields means that none was computed
    if not any(stated):
        return None
    names = [name or "" for name in record.sig_name]
    rows = zip(names, stated, found, strict=True)
    return all(
        a is None or (int(a) - int(b)) % 65_536 == 0 for name, a, b in rows if known_lead(name)
    )


def _crc(content: bytes, polynomial: int, width: int, value: int) -> int:
    """Return a CRC, high bit first, by long division."""
    top, mask = 1 << (width - 1), (1 << width) - 1
    for byte in content:
        value ^= byte << (width - 8)
        for _ in range(8):
            value = (value << 1 ^ polynomial if value & top else value << 1) & mask
    return value


def _crc32(content: bytes) -> int:
    """Return the CRC-32 of ISO 3309, low bit first, by long division."""
    value = 0xFFFFFFFF
    for byte in content:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0xEDB88320 if value & 1 else 0)
    return value ^ 0xFFFFFFFF
