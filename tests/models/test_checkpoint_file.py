import errno
import os
import pickle
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import torch

from lsemvae.callbacks import HashedCheckpointIO
from lsemvae.core.errors import InputError
from lsemvae.core.files import digest_file
from lsemvae.models import checkpoint_file
from lsemvae.models.checkpoint_file import read_checkpoint, write_checkpoint


def content(number: float) -> dict[str, Any]:
    return {"state_dict": {"weight": torch.full((1000,), number)}, "epoch": int(number)}


def number_in(path: Path) -> float:
    return float(read_checkpoint(path)["state_dict"]["weight"].unique().item())


def test_a_checkpoint_comes_back_and_its_digest_is_that_of_sha256sum(tmp_path: Path) -> None:
    path = tmp_path / "made/for/it/last.ckpt"
    for number in (1.0, 2.0):
        write_checkpoint(content(number), path)
        assert number_in(path) == number
        subprocess.run(
            ["sha256sum", "--check", digest_file(path).name], cwd=path.parent, check=True
        )
    assert sorted(file.name for file in path.parent.iterdir()) == ["last.ckpt", "last.ckpt.sha256"]


@pytest.mark.parametrize("operation", ["fsync", "replace"])
@pytest.mark.parametrize("failing", range(6))
def test_wherever_writing_breaks_off_the_old_or_the_new_checkpoint_is_there(
    operation: str, failing: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "last.ckpt"
    write_checkpoint(content(1.0), path)
    owner, n_calls = {"fsync": os, "replace": Path}[operation], 0
    intact = getattr(owner, operation)

    def break_off(*arguments: Any) -> Any:
        nonlocal n_calls
        n_calls += 1
        if n_calls > failing:
            raise OSError(28, "No space left on device")
        return intact(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(owner, operation, break_off)
        with suppress(InputError):
            write_checkpoint(content(2.0), path)
    assert number_in(path) in (1.0, 2.0)
    write_checkpoint(content(3.0), path)
    assert number_in(path) == 3.0


def test_a_full_disk_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InputError, match=r"No space left on device.*was there before is intact"):
        write_checkpoint(content(2.0), tmp_path / "last.ckpt")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("step", ["open", "write"])
def test_a_disk_that_is_read_only_is_named_and_no_temporary_file(
    step: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system", "hidden")

    owner, name = (Path, "open") if step == "open" else (checkpoint_file._DigestingFile, "write")
    monkeypatch.setattr(owner, name, refuse)
    with pytest.raises(InputError) as told:
        write_checkpoint(content(2.0), tmp_path / "last.ckpt")
    assert str(told.value) == (
        f"{tmp_path}/last.ckpt cannot be written (Read-only file system); what was there before "
        "is intact. Make the disk writable, and resume from it"
    )
    assert list(tmp_path.iterdir()) == []


def test_a_flipped_bit_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "last.ckpt"
    write_checkpoint(content(1.0), path)
    damaged = bytearray(path.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    path.write_bytes(damaged)
    with pytest.raises(InputError, match=r"last\.ckpt is damaged: its SHA-256 is not the one"):
        read_checkpoint(path)


@pytest.mark.parametrize("written", [b"", b"\xff" * 64, b"3f2a  last.ckpt"])
def test_a_damaged_digest_is_not_called_a_damaged_checkpoint(
    written: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "last.ckpt"
    write_checkpoint(content(1.0), path)
    digest = tmp_path / "last.ckpt.sha256"
    digest.write_bytes(written)
    with pytest.raises(InputError, match=r"sha256 is empty or damaged, .*remove the first"):
        read_checkpoint(path)
    digest.unlink()
    assert read_checkpoint(path)["state_dict"]


class Code:
    """An object whose unpickling runs a function."""

    def __reduce__(self) -> Any:
        return (os.getcwd, ())


def test_code_is_refused_whatever_lightning_asks_for(tmp_path: Path) -> None:
    path = tmp_path / "last.ckpt"
    torch.save({"state_dict": {}, "more": Code()}, path)
    with pytest.raises(InputError, match="more than tensors and plain values"):
        HashedCheckpointIO().load_checkpoint(path, weights_only=False)


def test_foreign_and_missing_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "last.ckpt"
    with pytest.raises(InputError, match="there is no checkpoint"):
        read_checkpoint(path)
    path.write_bytes(pickle.dumps({"state_dict": {}}))
    with pytest.raises(InputError, match="is not a readable checkpoint"):
        read_checkpoint(path)
    torch.save(torch.zeros(3), path)
    with pytest.raises(InputError, match="holds no weights"):
        read_checkpoint(path)


@pytest.mark.parametrize("path", ["http://host/last.ckpt", "s3://bucket/last.ckpt"])
def test_addresses_are_neither_read_nor_written(path: str) -> None:
    for attempt in (
        lambda io: io.load_checkpoint(path),
        lambda io: io.save_checkpoint(content(1.0), path),
        lambda io: io.remove_checkpoint(path),
    ):
        with pytest.raises(InputError, match="is not a local file"):
            attempt(HashedCheckpointIO())


def test_a_checkpoint_goes_with_its_digest(tmp_path: Path) -> None:
    io = HashedCheckpointIO()
    io.save_checkpoint(content(1.0), tmp_path / "last.ckpt")
    io.remove_checkpoint(tmp_path / "last.ckpt")
    assert list(tmp_path.iterdir()) == []


def test_a_loader_that_dies_meanwhile_is_no_fault_of_the_disk_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(_: object) -> None:
        if any(tmp_path.glob(".*.sha256.*")):
            raise RuntimeError("DataLoader worker (pid 7) is killed by signal: Killed.")

    monkeypatch.setattr(checkpoint_file, "sync_file", die)
    with pytest.raises(RuntimeError, match="DataLoader worker"):
        write_checkpoint({"state_dict": {}}, tmp_path / "last.ckpt")
    assert [file.name for file in tmp_path.iterdir()] == ["last.ckpt"]
