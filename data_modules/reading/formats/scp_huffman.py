"""Decode the default Huffman code of SCP-ECG (EN 1064, annex C)."""

import numpy as np
import numpy.typing as npt

from data_modules.reading.stated_numbers import invalid

# k ones and a zero: for k = 0 the value 0; up to 8 a sign bit follows and the value is +-k; for 9
# ones and a zero a byte follows; after 10 ones a word of 16 bits follows.
_LARGEST = 8


def decode_huffman(data: bytes, n_samples: int, *, record: str) -> npt.NDArray[np.int64]:
    """Decode one lead.

    Args:
        data: the bits, high bit first.
        n_samples: values to decode; each takes at least one bit.
        record: the record as the user names it.

    Returns:
        Values, shape (n_samples,).

    Raises:
        RecordError: `file_invalid`, the bits end too early.
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
    return np.array(values, dtype=np.int64)


def _value(ones: int, bits: str) -> int:
    """Return the value of a prefix and the bits behind it."""
    if ones == 0:
        return 0
    if ones <= _LARGEST:
        return -ones if bits == "1" else ones
    return int(bits, 2) - (int(bits[0]) << len(bits))
