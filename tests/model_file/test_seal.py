import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from lsemvae.core.errors import InputError
from lsemvae.model_file.seal import MARK, OPEN_SEAL, check_model_place, check_seal, seal


def test_a_seal_is_the_digest_of_the_open_file(tmp_path: Path) -> None:
    file = tmp_path / "m"
    content = b"head " + OPEN_SEAL.encode() + b" tail"
    file.write_bytes(content)
    digest = seal(file)
    assert digest == hashlib.sha256(content).hexdigest() == check_seal(file)
    assert file.read_bytes() == b"head " + MARK + digest.encode() + b" tail"


def test_a_changed_bit_anywhere_breaks_the_seal(tmp_path: Path) -> None:
    file = tmp_path / "m"
    file.write_bytes(b"head " + OPEN_SEAL.encode() + b" tail")
    seal(file)
    whole = file.read_bytes()
    for place in (0, 4, 30, len(whole) - 1):
        changed = bytearray(whole)
        changed[place] ^= 1
        file.write_bytes(changed)
        with pytest.raises(InputError, match="damaged"):
            check_seal(file)


@pytest.mark.parametrize("content", [b"", b"x" * 100])
def test_a_file_without_a_seal_is_no_model(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "m"
    file.write_bytes(content)
    with pytest.raises(InputError, match="no model of lsemvae"):
        check_seal(file)


@pytest.mark.parametrize("link", [Path.hardlink_to, Path.symlink_to])
def test_a_link_to_the_model_that_is_read_is_no_place_for_another(
    link: Callable[[Path, Path], None], tmp_path: Path
) -> None:
    file, target = tmp_path / "m.safetensors", tmp_path / "m.onnx"
    file.write_bytes(b"head " + OPEN_SEAL.encode() + b" tail")
    seal(file)
    link(target, file)
    with pytest.raises(InputError, match=r"m\.onnx: this command reads it"):
        check_model_place(target, read=file)
    check_model_place(target)
