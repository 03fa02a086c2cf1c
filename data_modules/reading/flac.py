"""Check what a FLAC file declares before its samples are decoded."""

from data_modules.reading.reasons import RecordError


def check_flac(
    content: bytes, *, n_channels: int, n_samples: int, n_bits: int, record: str
) -> None:
    """Compare a FLAC file's STREAMINFO block with the header of the record.

    The block comes first and has 34 bytes (RFC 9639, section 8.2).

    Args:
        content: the first 64 bytes of the file.
        n_channels: signals that the record's header places in the file.
        n_samples: samples of each.
        n_bits: bits per sample, 8, 16 or 24.
        record: the record as the user names it.

    Raises:
        RecordError: `size_mismatch` where they differ, `unreadable` where it is no FLAC file.
    """
    if len(content) < 42 or content[:4] != b"fLaC" or content[4] & 0x7F or content[7] != 34:
        problem = "a signal file in a FLAC format does not start as a FLAC file; copy it again"
        raise RecordError("unreadable", record=record, problem=problem)
    # after block and frame sizes: rate 20 bits, channels - 1 3, bits - 1 5, samples 36
    packed = int.from_bytes(content[18:26], "big")
    found = (packed >> 41 & 7) + 1, packed & (1 << 36) - 1, (packed >> 36 & 31) + 1
    if found != (n_channels, n_samples, n_bits):
        problem = (
            f"the FLAC file holds (channels, samples, bits) {found}; the record's header declares "
            f"{(n_channels, n_samples, n_bits)}; they belong to different records"
        )
        raise RecordError("size_mismatch", record=record, problem=problem)
