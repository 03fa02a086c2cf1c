"""Read short recordings in the ISHNE standard for Holter ECGs.

Badilini, Ann Noninvasive Electrocardiol 1998;3:263-266: eight bytes of magic, a checksum, a header
of 512 bytes, a block of free length, then samples of 16 bits, lead by lead in turn.
"""

import struct
from binascii import crc_hqx
from typing import NamedTuple

import numpy as np

from data_modules.reading.lead_names import known_lead
from data_modules.reading.limits import check_extent, check_rate
from data_modules.reading.reasons import RecordError
from data_modules.reading.recording import RawRecording
from data_modules.reading.stated_numbers import invalid
from lsemvae.core.counted import counted

FIXED = 522  # bytes before the block of free length
MAX_LEADS = 12
LEAD_CODES = dict(
    enumerate(("bipolar", "X", "Y", "Z", "I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3",
               "V4", "V5", "V6", "ES", "AS", "AI"), start=1)
)  # fmt: skip
FAULT = -32768  # a sample taken while the lead was off
NV_PER_MV = 1e6


class Header(NamedTuple):
    """What the samples are.

    Attributes:
        data: place of the first sample in bytes.
        n_declared: samples of each lead.
        names: of the leads in the file's order.
        nv_per_count: resolution of each lead in nV.
        rate_hz: sampling rate as stated.
        checked: whether the stored checksum is that of the header.
    """

    data: int
    n_declared: int
    names: tuple[str, ...]
    nv_per_count: tuple[int, ...]
    rate_hz: int
    checked: bool


def read_ishne(content: bytes, *, record: str) -> RawRecording:
    """Read the leads.

    Args:
        content: the file.
        record: the record as the user names it.

    Raises:
        RecordError: a damaged file, a resolution or a rate that no ECG has.
    """
    header = parse_header(content, record=record)
    rate = check_rate(float(header.rate_hz), record=record)
    n_leads = len(header.names)
    n_samples, rest = divmod(len(content) - header.data, 2 * n_leads)
    if rest or header.n_declared not in (n_samples, n_samples * n_leads):  # writers count both ways
        problem = (
            f"it declares {header.n_declared} samples of {counted(n_leads, 'lead')} and holds "
            f"{len(content) - header.data} bytes of them; copy it again if the source's own file "
            "has another size, else export it anew"
        )
        raise RecordError("size_mismatch", record=record, problem=problem)
    check_extent(n_leads, n_samples, rate, record=record)
    counts = np.frombuffer(content, "<i2", offset=header.data).reshape(n_samples, n_leads).T
    leads = [i for i, name in enumerate(header.names) if known_lead(name)]
    for i in leads:
        if header.nv_per_count[i] <= 0:
            problem = (
                f"{header.names[i]} has the resolution {header.nv_per_count[i]} nV; expected one "
                "above 0"
            )
            raise RecordError("gain_invalid", record=record, problem=problem)
    scale = np.array([header.nv_per_count[i] for i in leads]).reshape(-1, 1) / NV_PER_MV
    signals = np.where(counts[leads] == FAULT, np.nan, counts[leads] * scale)
    missing = "its header's checksum is absent or of another kind"
    return RawRecording(
        names=tuple(header.names[i] for i in leads),
        signals=signals,
        units=("mV",) * len(leads),
        sampling_rate_hz=rate,
        warnings=() if header.checked else (("checksum_missing", missing),),
        ignored=tuple(name for name in header.names if not known_lead(name)),
    )


def parse_header(content: bytes, *, record: str) -> Header:
    """Read what the samples are.

    Raises:
        RecordError: the header is cut off or contradicts itself.
    """
    if len(content) < FIXED:
        raise invalid(f"it has {len(content)} bytes; the header alone takes {FIXED}", record=record)
    n_free, n_declared, free, data = struct.unpack_from("<4i", content, 10)
    (n_leads,) = struct.unpack_from("<h", content, 156)
    if free != FIXED or n_free < 0 or data != FIXED + n_free or data > len(content):
        raise invalid(
            f"its blocks are stated at {free} and {data} (size {n_free}) of {len(content)} bytes",
            record=record,
        )
    if not 1 <= n_leads <= MAX_LEADS:
        raise invalid(
            f"it states {counted(n_leads, 'lead')}; expected 1 to {MAX_LEADS}", record=record
        )
    codes = struct.unpack_from(f"<{n_leads}h", content, 158)
    (stored,) = struct.unpack_from("<H", content, 8)
    computed = crc_hqx(content[10:data], 0xFFFF)
    return Header(
        data=data,
        n_declared=n_declared,
        names=tuple(LEAD_CODES.get(code, f"code {code}") for code in codes),
        nv_per_count=struct.unpack_from(f"<{n_leads}h", content, 206),
        rate_hz=struct.unpack_from("<h", content, 272)[0],
        checked=stored in (computed, (computed & 0xFF) << 8 | computed >> 8),
    )
