import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from lsemvae.core.npz_file import MAX_UNPACKED, read_npz


def whole(**arrays: object) -> bytes:
    packed = io.BytesIO()
    np.savez_compressed(packed, **arrays)  # type: ignore[arg-type]
    return packed.getvalue()


def array_alone() -> bytes:
    packed = io.BytesIO()
    np.save(packed, np.arange(3))
    return packed.getvalue()


def bomb() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("a.npy", bytes(MAX_UNPACKED + 1))
    return packed.getvalue()


def of_a_shape_without_end() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        head = "{'descr': '<f8', 'fortran_order': False, 'shape': (10**15,), }".replace(
            "10**15", str(10**15)
        )
        text = head.ljust(117) + "\n"
        file.writestr(
            "a.npy", b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode()
        )
    return packed.getvalue()


def test_arrays_are_read_by_name(tmp_path: Path) -> None:
    file = tmp_path / "a.npz"
    file.write_bytes(whole(a=np.arange(3), b=np.array("text")))
    assert read_npz(file, ["a"])["a"].tolist() == [0, 1, 2]
    with pytest.raises(ValueError, match="holds no c"):
        read_npz(file, ["a", "c"])


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (lambda: b"", "no NPZ file"),
        (lambda: b"[]", "no NPZ file"),
        (array_alone, "no NPZ file"),
        (lambda: whole(a=np.array([{}], dtype=object)), "it holds objects"),
        (bomb, "would unpack to 67,"),
        (of_a_shape_without_end, "Unable to allocate"),
    ],
)
def test_what_is_none_is_an_error_with_a_reason(
    tmp_path: Path, content: Callable[[], bytes], reason: str
) -> None:
    file = tmp_path / "a.npz"
    file.write_bytes(content())
    with pytest.raises(ValueError, match=reason):
        read_npz(file)


def test_a_bit_that_flipped_anywhere_is_an_error_or_changes_nothing(tmp_path: Path) -> None:
    content, file = whole(a=np.arange(40)), tmp_path / "a.npz"
    for place in range(len(content)):
        file.write_bytes(content[:place] + bytes([content[place] ^ 4]) + content[place + 1 :])
        try:
            found = read_npz(file)
        except ValueError:
            continue
        assert [each.tolist() for each in found.values()] in ([], [list(range(40))])
