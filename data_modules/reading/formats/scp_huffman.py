"""Decode the default Huffman code of SCP-ECG (EN 1064, annex C), and codes that a file brings."""

import struct
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from data_modules.reading.stated_numbers import invalid, wrong_size

# k ones and a zero: for k = 0 the value 0; up to 8 a sign bit follows and the value is +-k; for 9
# ones and a zero a byte follows; after 10 ones a word of 16 bits follows.
_LARGEST = 8
_MOST_FILLED = 32  # bits: leads may end at whole words


def decode_huffman(data: bytes, n_samples: int, *, record: str) -> npt.NDArray[np.int64]:
    """Decode one lead.

    Args:
        data: the bits, high bit first.
        n_samples: values to decode; each takes at least one bit.
        record: the record as the user names it.

    Returns:
        Values, shape (n_samples,).

    Raises:
        RecordError: the bits end too early, or hold more samples.
    """
    bits = f"{int.from_bytes(data, 'big'):0{8 * len(data)}b}" if data else ""
    values: list[int] = []
    position = 0
    while len(values) < n_samples:
        zero = bits.find("0", position, position + _LARGEST + 2)
        ones = zero - position if zero >= 0 else _LARGEST + 2
        start = position + min(ones + 1, _LARGEST + 2)
        width = 0 if ones == 0 else 1 if ones <= _LARGEST else 8 if ones == _LARGEST + 1 else 16
        position = start + width
        if position > len(bits):
            raise invalid("the compressed samples of a lead end too early", record=record)
        values.append(_value(ones, bits[start:position]))
    _check_end(len(bits) - position, n_samples, record=record)
    return np.array(values, dtype=np.int64)


def _check_end(n_left: int, n_samples: int, *, record: str) -> None:
    """Refuse bits behind the last sample that are more than what fills the last word."""
    if n_left > _MOST_FILLED:
        problem = (
            f"a lead holds {n_left} bits more than the {n_samples} samples that it declares take"
        )
        raise wrong_size(problem, record=record)


def _value(ones: int, bits: str) -> int:
    """Return the value of a prefix and the bits behind it."""
    if ones == 0:
        return 0
    if ones <= _LARGEST:
        return -ones if bits == "1" else ones
    return int(bits, 2) - (int(bits[0]) << len(bits))


class Code(NamedTuple):
    """What a prefix means.

    Attributes:
        width: bits that follow the prefix and are the value; 0 where the value is stated.
        value: stated value, or the number of the next table (from 1) where `switches`.
        switches: whether it selects another table and is no sample.
    """

    width: int
    value: int
    switches: bool


Table = dict[str, Code]
"""Codes by their prefix as it stands in the stream, bits as text."""
MAX_TABLES, MAX_CODES = 64, 4096


def parse_tables(section: bytes, *, record: str) -> list[Table]:
    """Read the tables of section 2: prefix bits, all bits, mode, value and code of each structure.

    The code is stored with the first bit of the stream as its lowest one.

    Raises:
        RecordError: `file_invalid`.
        struct.error: the section is cut off.
    """
    (n_tables,) = struct.unpack_from("<H", section)
    tables: list[Table] = []
    position = 2
    for _ in range(min(n_tables, MAX_TABLES)):
        (n_codes,) = struct.unpack_from("<H", section, position)
        position += 2
        table: Table = {}
        for _ in range(min(n_codes, MAX_CODES)):
            prefix, entire, mode, value, code = struct.unpack_from("<BBBhI", section, position)
            position += 9
            bits = f"{code:032b}"[::-1][:prefix]
            if not 0 < prefix <= 32 or not prefix <= entire <= prefix + 32 or bits in table:
                raise invalid("a Huffman table of section 2 is damaged", record=record)
            table[bits] = Code(entire - prefix, value, switches=mode == 0)
        tables.append(table)
    if not tables or not all(tables):
        raise invalid("section 2 holds no Huffman table", record=record)
    return tables


def decode_with_tables(
    data: bytes, n_samples: int, tables: list[Table], *, record: str
) -> npt.NDArray[np.int64]:
    """Decode one lead with the file's own tables, the first of them at the start.

    Args:
        data: the bits, high bit first.
        n_samples: values to decode.
        tables: see `parse_tables`.
        record: the record as the user names it.

    Returns:
        Values, shape (n_samples,).

    Raises:
        RecordError: bits of no code, or they end too early, or hold more samples.
    """
    bits = f"{int.from_bytes(data, 'big'):0{8 * len(data)}b}" if data else ""
    values: list[int] = []
    position, table = 0, tables[0]
    longest = max(len(prefix) for one in tables for prefix in one)
    while len(values) < n_samples:
        code, length = None, 0
        while code is None and length < longest:
            length += 1
            code = table.get(bits[position : position + length])
        if code is None or position + length + code.width > len(bits):
            raise invalid("the compressed samples of a lead are damaged", record=record)
        position += length
        if code.switches:
            if not 1 <= code.value <= len(tables):
                raise invalid(f"its Huffman code selects table {code.value}", record=record)
            table = tables[code.value - 1]
            continue
        extra = bits[position : position + code.width]
        position += code.width
        values.append(int(extra, 2) - (int(extra[0]) << len(extra)) if extra else code.value)
    _check_end(len(bits) - position, n_samples, record=record)
    return np.array(values, dtype=np.int64)
