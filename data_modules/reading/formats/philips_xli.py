"""Decode Philips' XLI samples: chunks of 10-bit LZW that hold second differences."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from data_modules.reading.stated_numbers import invalid

_BITS = 10
_LAST_CODE = (1 << _BITS) - 2
_CHUNK_HEADER = 8
_BIAS = 64
_MOST_FILLED = 3  # codes of zeros that fill a chunk up to whole words


def decode_xli(
    raw: bytes, *, wanted: Sequence[bool], n_samples: int, record: str
) -> npt.NDArray[np.int64]:
    """Decode one chunk for each lead that is wanted; the others stay zero.

    Args:
        raw: the chunks, each with a header of 8 bytes: its size (int32), then the first second
            difference in the last two (int16).
        wanted: for each chunk, whether it is decoded.
        n_samples: samples of each; bounds what a chunk may unpack to.
        record: the record as the user names it.

    Returns:
        Counts, shape (chunks, n_samples).

    Raises:
        RecordError: `file_invalid`.
    """
    n_leads = len(wanted)
    counts, position = np.zeros((n_leads, n_samples), dtype=np.int64), 0
    for lead, is_wanted in enumerate(wanted):
        size = int.from_bytes(raw[position : position + 4], "little", signed=True)
        start = int.from_bytes(raw[position + 6 : position + 8], "little", signed=True)
        position += _CHUNK_HEADER
        if not is_wanted and not any(wanted[lead:]):
            break  # what follows is not needed, whole or not
        if not 0 < size <= len(raw) - position:
            problem = f"the samples of lead {lead + 1} of {n_leads} are cut off"
            raise invalid(problem, record=record)
        chunk = raw[position : position + size]
        position += size
        if is_wanted:
            unpacked = _unpack_lzw(chunk, limit=2 * n_samples, record=record)
            counts[lead] = _integrate_twice(unpacked, start)
    return counts


def _unpack_lzw(chunk: bytes, *, limit: int, record: str) -> bytes:
    """Unpack codes of 10 bits, high bit first, to exactly `limit` bytes."""
    bits = np.unpackbits(np.frombuffer(chunk, dtype=np.uint8))
    rows = bits[: len(bits) // _BITS * _BITS].reshape(-1, _BITS)
    codes = rows @ (1 << np.arange(_BITS - 1, -1, -1))
    table = [bytes([value]) for value in range(256)]
    parts: list[bytes] = []
    previous, length = b"", 0
    for code in codes.tolist():
        if code > _LAST_CODE or length >= limit:
            break
        if code > len(table) or (code == len(table) and not previous):
            raise invalid("the compressed samples are damaged", record=record)
        current = table[code] if code < len(table) else previous + previous[:1]
        if previous and len(table) <= _LAST_CODE:
            table.append(previous + current[:1])
        parts.append(current)
        previous, length = current, length + len(current)
    unpacked = b"".join(parts)
    rest = codes[len(parts) :]
    ends = np.flatnonzero(rest > _LAST_CODE)
    if length >= limit and (ends[0] if len(ends) else len(rest)) > _MOST_FILLED:
        problem = f"a lead unpacks to more than the {limit} bytes that are declared"
        raise invalid(problem, record=record)
    if not limit <= length <= limit + 1:
        problem = f"a lead unpacks to {length} bytes; {limit} are declared"
        raise invalid(problem, record=record)
    return unpacked[:limit]


def _integrate_twice(unpacked: bytes, start: int) -> npt.NDArray[np.int64]:
    """Return the samples of one lead: all high bytes come first, then all low bytes."""
    high, low = np.frombuffer(unpacked, dtype=np.uint8).astype(np.uint16).reshape(2, -1)
    stored = (high << 8 | low).astype(np.int16).astype(np.int64)
    if len(stored) < 3:
        return stored
    # x[i] = 2 x[i-1] - x[i-2] - c[i], where c[2] is `start` and c[i] = stored[i-1] - 64
    steps = np.concatenate([[stored[1] - stored[0], -start], _BIAS - stored[2:-1]])
    samples = np.concatenate([stored[:1], stored[0] + np.cumsum(np.cumsum(steps))])
    return samples.astype(np.int16).astype(np.int64)
