"""Read SCP-ECG files (EN 1064): the rhythm data of section 6, every CRC compared."""

import binascii
import struct
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from data_modules.reading.formats.scp_huffman import (
    decode_huffman,
    decode_with_tables,
    parse_tables,
)
from data_modules.reading.formats.scp_leads import SCP_LEADS
from data_modules.reading.lead_names import known_lead
from data_modules.reading.limits import MAX_SIGNALS, check_extent, check_gain, check_rate
from data_modules.reading.reasons import RecordError
from data_modules.reading.recording import IMPLIED_BY_I_AND_II, RawRecording
from data_modules.reading.stated_numbers import invalid, wrong_size
from lsemvae.core.counted import counted

_SECTION_HEADER = 16
_DEFAULT_HUFFMAN = 19_999
_NEEDED = (2, 3, 6)  # Huffman tables, leads, rhythm
_MOST_BYTES = 65_534  # what a lead's size field holds: longer leads are cut there by some makers


class _Leads(NamedTuple):
    """Section 3: the leads' names, whether a reference beat was subtracted, declared samples."""

    names: tuple[str, ...]
    subtracted: bool
    n_samples: tuple[int, ...]


def read_scp_ecg(content: bytes, *, record: str) -> RawRecording:
    """Read the rhythm data.

    Args:
        content: the file.
        record: the record as the user names it.

    Raises:
        RecordError: a CRC differs, a size is wrong, or the data use a scheme that is not read:
            bimodal compression, a subtracted reference beat.
    """
    try:
        sections = read_sections(content, record=record)
        _check_rhythm(sections, record=record)
        leads = _leads(sections.get(3, b""), record=record)
        return _rhythm(sections, leads, record=record)
    except struct.error as error:
        raise invalid("a section is cut off", record=record) from error


def _check_rhythm(sections: dict[int, bytes], *, record: str) -> None:
    """Refuse a file without rhythm, and say what it has in its place."""
    if 3 in sections and 6 in sections:
        return
    lacking = " and ".join(
        name for number, name in ((3, "leads (section 3)"), (6, "rhythm (section 6)"))
        if number not in sections
    )  # fmt: skip
    beat = ", only a reference beat (section 5)" if 5 in sections else ""
    problem = f"it holds no {lacking}{beat}; export the rhythm of all leads"
    raise RecordError("layout_unsupported", record=record, problem=problem)


def read_sections(content: bytes, *, record: str) -> dict[int, bytes]:
    """Return the bodies of the sections by number, after comparing sizes and CRCs.

    Raises:
        RecordError: a size or a CRC differs.
    """
    _, size = struct.unpack_from("<HI", content)
    if size != len(content):
        problem = f"it has {len(content)} bytes; it declares {size}"
        raise wrong_size(problem, record=record)
    sound = _crc_matches(content)
    (length,) = struct.unpack_from("<I", content, 10)
    found: dict[int, bytes] = {}
    for position in range(22, min(6 + length, 6 + 16 + 10 * 64, len(content)), 10):
        number, size, index = struct.unpack_from("<HII", content, position)
        if not size or not number:
            continue
        section = content[index - 1 : index - 1 + size] if index else b""
        if len(section) != size or size < _SECTION_HEADER or number in found:
            raise invalid(f"section {number} lies outside the file", record=record)
        if number in _NEEDED and not _crc_matches(section):
            problem = f"the CRC of section {number} does not match; the file is damaged"
            raise RecordError("checksum_mismatch", record=record, problem=problem)
        if struct.unpack_from("<HI", section, 2) != (number, size):
            raise invalid(f"section {number} is not where the file says", record=record)
        found[number] = section[_SECTION_HEADER:]
    if not sound:
        problem = "the CRC of the file does not match; the file is damaged"
        raise RecordError("checksum_mismatch", record=record, problem=problem)
    return found


def _crc_matches(part: bytes) -> bool:
    stated: int = struct.unpack_from("<H", part)[0]
    return binascii.crc_hqx(part[2:], 0xFFFF) == stated


def _leads(section: bytes, *, record: str) -> _Leads:
    n_leads, flags = struct.unpack_from("<BB", section)
    if not 0 < n_leads <= MAX_SIGNALS:
        problem = f"it declares {counted(n_leads, 'lead')}; accepted are 1 to {MAX_SIGNALS}"
        raise RecordError("header_limit", record=record, problem=problem)
    rows = [struct.unpack_from("<IIB", section, 2 + 9 * k) for k in range(n_leads)]
    # bit 2: all leads were recorded at once; files of a single lead may leave it out
    starts = {start for start, _, lead in rows if lead in SCP_LEADS}
    if (not flags & 4 and n_leads > 1) or len(starts) > 1:
        held = ", ".join(
            f"{SCP_LEADS.get(lead, lead)} samples {start} to {end}" for start, end, lead in rows
        )
        problem = f"its leads were not recorded at the same time ({held[:300]}); expected at once"
        raise RecordError("layout_unsupported", record=record, problem=problem)
    names = tuple(SCP_LEADS.get(lead, f"lead {lead}") for _, _, lead in rows)
    # the first sample is number 1; some makers count from 0 up to the number of samples
    lengths = tuple(end - start + (start > 0) for start, end, _ in rows)
    return _Leads(names, bool(flags & 1), lengths)


def _rhythm(sections: dict[int, bytes], leads: _Leads, *, record: str) -> RawRecording:
    section, n_leads = sections.get(6, b""), len(leads.names)
    nanovolts, microseconds, differences, bimodal = struct.unpack_from("<HHBB", section)
    known = [i for i, name in enumerate(leads.names) if known_lead(name)] or [*range(n_leads)]
    n_samples = declared = leads.n_samples[known[0]]
    if {leads.n_samples[i] for i in known} != {n_samples} or n_samples <= 0:
        raise invalid("its leads have different or no lengths", record=record)
    rate = check_rate(1e6 / microseconds if microseconds else 0.0, record=record)
    check_extent(n_leads, n_samples, rate, record=record)
    check_gain(1e6 / nanovolts if nanovolts else 0.0, record=record, text=f"{nanovolts} nV")
    compressed = 2 in sections
    uses = {
        "bimodal compression": bimodal,
        "a subtracted reference beat": leads.subtracted,
        f"differences of order {differences}": differences > 2,
    }
    if any(uses.values()):
        named = " and ".join(what for what, used in uses.items() if used)
        problem = f"it uses {named}; export it uncompressed, or as DICOM, HL7 aECG or WFDB"
        raise RecordError("format_unsupported", record=record, problem=problem)
    sizes = struct.unpack_from(f"<{n_leads}H", section, 6)
    data = section[6 + 2 * n_leads :]
    if set(sizes) == {_MOST_BYTES} and not compressed:
        n_samples = min(n_samples, _MOST_BYTES // 2)
    if compressed:
        parts = _parts(data, sizes, known, record=record)
        counts = _compressed(parts, sections[2], n_samples, record=record)
    elif set(leads.n_samples) == {declared}:
        counts = _plain(data, n_leads, n_samples, record=record)[known]
    else:
        counts = _plain_of_sizes(data, sizes, known, n_samples, record=record)
    if differences:
        counts = _integrate(counts, differences)
    lost = f"it holds {n_samples} samples of each lead; it declares {declared}"
    eight = not set(IMPLIED_BY_I_AND_II) & set(leads.names)
    return RawRecording(
        names=tuple(leads.names[i] for i in known),
        signals=counts * (nanovolts * 1e-6),
        units=("mV",) * len(known),
        ignored=tuple(name for i, name in enumerate(leads.names) if i not in known),
        sampling_rate_hz=rate,
        warnings=(("samples_cut", lost),) if n_samples < declared else (),
        implied=IMPLIED_BY_I_AND_II if eight else (),
    )


def _plain(data: bytes, n_leads: int, n_samples: int, *, record: str) -> npt.NDArray[np.int64]:
    """Read uncompressed samples, lead after lead."""
    if len(data) != 2 * n_leads * n_samples:
        problem = f"it has {len(data)} bytes for {counted(n_leads, 'lead')} of {n_samples} samples"
        raise wrong_size(problem, record=record)
    return np.frombuffer(data, dtype="<i2").reshape(n_leads, n_samples).astype(np.int64)


def _plain_of_sizes(
    data: bytes, sizes: tuple[int, ...], known: list[int], n_samples: int, *, record: str
) -> npt.NDArray[np.int64]:
    """Read uncompressed known leads among others of another length."""
    parts = _parts(data, sizes, known, record=record)
    if any(len(part) != 2 * n_samples for part in parts):
        problem = f"its leads have {[len(part) for part in parts]} bytes for {n_samples} samples"
        raise wrong_size(problem, record=record)
    return np.stack([np.frombuffer(part, dtype="<i2").astype(np.int64) for part in parts])


def _compressed(
    parts: list[bytes], tables: bytes, n_samples: int, *, record: str
) -> npt.NDArray[np.int64]:
    """Decode the known leads one after the other, by the default code or by section 2."""
    if struct.unpack_from("<H", tables)[0] == _DEFAULT_HUFFMAN:
        return np.stack([decode_huffman(part, n_samples, record=record) for part in parts])
    own = parse_tables(tables, record=record)
    return np.stack([decode_with_tables(part, n_samples, own, record=record) for part in parts])


def _parts(data: bytes, sizes: tuple[int, ...], known: list[int], *, record: str) -> list[bytes]:
    """Return the bytes of the known leads."""
    if not sum(sizes) <= len(data) <= sum(sizes) + 1:  # sections are padded to even sizes
        problem = f"it has {len(data)} bytes of samples; its leads declare {sum(sizes)}"
        raise wrong_size(problem, record=record)
    ends = np.cumsum(sizes)
    return [data[ends[i] - sizes[i] : ends[i]] for i in known]


def _integrate(stored: npt.NDArray[np.int64], order: int) -> npt.NDArray[np.int64]:
    """Undo first or second differences along time; the first `order` samples are stored as such."""
    if order == 2:
        steps = np.concatenate([np.diff(stored[:, :2], axis=1), stored[:, 2:]], axis=1)
        stored = np.concatenate([stored[:, :1], np.cumsum(steps, axis=1)], axis=1)
    return np.cumsum(stored, axis=1)
