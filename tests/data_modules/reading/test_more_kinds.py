"""BDF, NumPy archives and SCP-ECG files with Huffman tables of their own."""

import io
import struct
import zipfile
from binascii import crc_hqx
from pathlib import Path

import numpy as np
import pytest

from benchmarks.array_files import numpy_files
from benchmarks.recording_files import bdf_files, make_counts, scp_files
from data_modules.reading.read import read_recording
from data_modules.reading.reasons import RecordError
from data_modules.reading.stored.read import read_facts
from lsemvae.core.leads import LEADS

COUNTS = make_counts()
# prefix, value stated or width of the value behind it: a code of unequal lengths
FIRST = {"0": (0, 0), "10": (1, 0), "110": (-1, 0), "1110": (0, 12), "11110": (2, None)}
SECOND = {"1": (0, 0), "01": (3, 0), "001": (0, 16), "0001": (1, None)}
Table = dict[str, tuple[int, int | None]]


def read_from(root: Path, record: str, files: dict[str, bytes]) -> np.ndarray:
    for name, content in files.items():
        (root / name).write_bytes(content)
    found = read_recording(root, record, amplitude="calibrated")
    assert found.leads == LEADS
    return found.ecg


def refusal(root: Path, record: str, files: dict[str, bytes]) -> RecordError:
    with pytest.raises(RecordError) as caught:
        read_from(root, record, files)
    return caught.value


def test_samples_of_three_bytes_are_read_with_their_sign(tmp_path: Path) -> None:
    np.testing.assert_allclose(
        read_from(tmp_path, "r1.bdf", bdf_files(COUNTS)), COUNTS * 0.005, atol=1e-6
    )
    assert read_facts(tmp_path, "r1.bdf").kind == "BDF"


def test_bdf_that_is_cut_within_a_sample_is_refused_by_its_size(tmp_path: Path) -> None:
    files = bdf_files(COUNTS)
    error = refusal(tmp_path, "r1.bdf", {"r1.bdf": files["r1.bdf"][:-1]})
    assert error.code == "size_mismatch"
    assert f"declares {len(files['r1.bdf'])}" in error.problem


def archive(**arrays: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)  # type: ignore[arg-type]
    return buffer.getvalue()


def test_the_only_array_of_an_archive_needs_no_name(tmp_path: Path) -> None:
    files = numpy_files(COUNTS)
    files = {"r1.npz": archive(anything=COUNTS.T), "layout.json": files["layout.json"]}
    np.testing.assert_allclose(read_from(tmp_path, "r1.npz", files), COUNTS * 0.005, atol=1e-6)


def test_the_only_array_of_an_archive_with_the_leads_needs_no_name(tmp_path: Path) -> None:
    held = archive(
        time=np.arange(COUNTS.shape[1]), beats=np.arange(12), ecg=COUNTS, by=np.array("x")
    )
    files = {"r1.npz": held, "layout.json": numpy_files(COUNTS)["layout.json"]}
    np.testing.assert_allclose(read_from(tmp_path, "r1.npz", files), COUNTS * 0.005, atol=1e-6)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (
            archive(a=COUNTS, b=COUNTS.T, c=np.array("x")),
            "holds the arrays a 12 x 1500, b 1500 x 12, c; name one as the layout's variable",
        ),
        (archive(a=COUNTS)[:-30], "no whole NumPy array"),
        (archive(a=np.stack([COUNTS] * 3)), "save them with numpy.save as r1.npy, and name one"),
        (archive(a=np.array(["x"])), "expected plain numbers"),
    ],
)
def test_an_archive_that_leaves_the_recording_unclear_says_what_to_do(
    content: bytes, words: str, tmp_path: Path
) -> None:
    layout = numpy_files(COUNTS)["layout.json"]
    assert words in refusal(tmp_path, "r1.npz", {"r1.npz": content, "layout.json": layout}).problem


def test_an_archive_unpacks_to_no_more_than_a_file_may_hold(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr("a.npy", bytes(40 << 20))
    layout = numpy_files(COUNTS)["layout.json"]
    error = refusal(tmp_path, "r1.npz", {"r1.npz": buffer.getvalue(), "layout.json": layout})
    assert error.code == "file_limit"


def with_tables(*tables: Table, last_bits: str = "") -> dict[str, bytes]:
    """Return second differences, of which the first 40 of a lead use the first table."""
    plain = scp_files(COUNTS, differences=2)["r1.scp"]
    section_6 = plain.index(struct.pack("<HHB", 5000, 4000, 2))
    parts = []
    for row in COUNTS.astype(int):
        values = [*row[:2], *np.diff(row, 2)]
        bits = "".join(word(value, tables[0]) for value in values[:40])
        if len(tables) > 1:
            bits += "11110" + "".join(word(value, tables[1]) for value in values[40:60]) + "0001"
        bits += "".join(word(value, tables[0]) for value in values[60 if len(tables) > 1 else 40 :])
        bits += last_bits
        bits += "0" * (-len(bits) % 8)
        parts.append(int(bits, 2).to_bytes(len(bits) // 8, "big"))
    body = struct.pack("<H", len(tables))
    for table in tables:
        body += struct.pack("<H", len(table))
        for prefix, (value, width) in table.items():
            code = int(prefix[::-1], 2)
            body += struct.pack("<BBBhI", len(prefix), len(prefix) + (width or 0),
                                width is not None, value, code)  # fmt: skip
    rhythm = plain[section_6 : section_6 + 6]
    rhythm += struct.pack("<12H", *map(len, parts)) + b"".join(parts)
    return {"r1.scp": assembled({2: body, 3: plain[section(plain, 3)], 6: rhythm})}


def word(value: int, table: Table) -> str:
    """Return the bits of a value: its own prefix, or the value behind the wide one."""
    for prefix, (stated, width) in table.items():
        if width == 0 and stated == value:
            return prefix
    prefix, width = next((p, w) for p, (_, w) in table.items() if w)
    return prefix + f"{value & ((1 << width) - 1):0{width}b}"


def section(content: bytes, number: int) -> slice:
    found = next(row for row in struct.iter_unpack("<HII", content[22:142]) if row[0] == number)
    return slice(found[2] - 1 + 16, found[2] - 1 + found[1])


def assembled(bodies: dict[int, bytes]) -> bytes:
    """Return an SCP-ECG file of these sections."""

    def framed(number: int, body: bytes, name: bytes = bytes(6)) -> bytes:
        rest = struct.pack("<HIBB6s", number, 16 + len(body), 20, 20, name) + body
        return struct.pack("<H", crc_hqx(rest, 0xFFFF)) + rest

    table, sections, at = b"", b"", 7 + 136
    for number, body in bodies.items():
        part = framed(number, body)
        table += struct.pack("<HII", number, len(part), at)
        sections, at = sections + part, at + len(part)
    content = framed(0, table.ljust(120, b"\0"), b"SCPECG") + sections
    content = struct.pack("<I", 6 + len(content)) + content
    return struct.pack("<H", crc_hqx(content, 0xFFFF)) + content


@pytest.mark.parametrize("tables", [(FIRST,), (FIRST, SECOND)])
def test_own_huffman_tables_of_scp_ecg_are_used(tables: tuple[Table, ...], tmp_path: Path) -> None:
    found = read_from(tmp_path, "r1.scp", with_tables(*tables))
    np.testing.assert_allclose(found, COUNTS * 0.005, atol=1e-6)


@pytest.mark.parametrize(
    "table",
    [
        {"0": (0, 0), "1110": (0, 12)},  # no prefix for small differences is fine; 10 is no code
        {"1110": (0, 12), "0": (9, None)},  # selects a table that is not there
    ],
)
def test_damaged_huffman_tables_are_refused(table: Table, tmp_path: Path) -> None:
    files = with_tables(FIRST)
    content = bytearray(files["r1.scp"])
    body = struct.pack("<HH", 1, len(table))
    for prefix, (value, width) in table.items():
        body += struct.pack("<BBBhI", len(prefix), len(prefix) + (width or 0), width is not None,
                            value, int(prefix[::-1], 2))  # fmt: skip
    bodies = {2: body} | {n: bytes(content)[section(bytes(content), n)] for n in (3, 6)}
    error = refusal(tmp_path, "r1.scp", {"r1.scp": assembled(bodies)})
    assert error.code == "file_invalid"
    assert "Huffman" in error.problem or "compressed samples" in error.problem
