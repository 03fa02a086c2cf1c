"""Files that are written in one step, and what a command may not write over."""

import errno
import os
import re
import resource
from collections.abc import Iterator
from pathlib import Path

import pytest

from data_modules.conversion.destination import check_output
from lsemvae.cli import main
from lsemvae.core.errors import InputError
from lsemvae.core.files import (
    file_sha256,
    is_as_written,
    replacing,
    whole_or_absent,
    write_digest,
    write_text,
)
from lsemvae.core.outputs import check_output_file, check_picture_file
from lsemvae.core.sealed_json import read_json
from tests.conftest import error_of
from tests.killed import GONE, begun


@pytest.fixture
def small_files() -> Iterator[None]:
    """Let no file grow beyond 4 kB, as a full disk does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_full_disk_leaves_the_earlier_file(tmp_path: Path, small_files: None) -> None:
    file = tmp_path / "metrics.json"
    write_text(file, "earlier")
    with pytest.raises(InputError, match=r"metrics.json cannot be written \(File too large\)"):
        write_text(file, "x" * 10_000)
    assert file.read_text() == "earlier"
    assert [one.name for one in tmp_path.iterdir()] == ["metrics.json"]


def test_a_read_only_disk_names_the_file_and_not_its_first_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, *_: object, **__: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system", str(path))

    monkeypatch.setattr(Path, "unlink", refuse)
    with (
        pytest.raises(InputError, match=r"p.csv cannot be written \(Read-only"),
        replacing(tmp_path / "p.csv") as temporary,
    ):
        refuse(temporary)


def test_pipes_and_devices_are_not_replaced_by_files(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    for pipe in (tmp_path / "pipe.csv", tmp_path / "link.csv"):
        if not pipe.exists():
            pipe.symlink_to(tmp_path / "pipe.csv")
        with pytest.raises(InputError, match="is a device or a pipe and no file"):
            write_text(pipe, "new")
        with pytest.raises(InputError, match="no file"), whole_or_absent(pipe):
            raise AssertionError("it must not be written")
        with pytest.raises(InputError, match="no file"):
            check_output_file(pipe, mark=b"x")
        with pytest.raises(InputError, match="no file"):
            check_output(pipe)
        assert pipe.is_fifo()
    assert {one.name for one in tmp_path.iterdir()} == {"pipe.csv", "link.csv"}


def test_crash_amid_writing_leaves_the_earlier_file(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    write_text(file, "earlier")

    def crash() -> None:
        with replacing(file) as temporary:
            temporary.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        crash()
    assert file.read_text() == "earlier"
    assert [one.name for one in tmp_path.iterdir()] == ["a.csv"]


def test_errors_of_other_files_keep_their_name(tmp_path: Path) -> None:
    def read_another() -> None:
        with replacing(tmp_path / "a.csv"):
            raise OSError(errno.EIO, "broken", "/elsewhere/b.csv")

    with pytest.raises(OSError, match=r"/elsewhere/b\.csv"):
        read_another()


def test_leftovers_of_dead_processes_only_are_removed(tmp_path: Path) -> None:
    dead, other = (begun(tmp_path / name, GONE, ".csv") for name in ("a.csv", "b.csv"))
    alive = begun(tmp_path / "a.csv", os.getppid(), ".csv")
    for file in (dead, alive, other):
        file.write_text("half")
    write_text(tmp_path / "a.csv", "whole")
    assert not dead.exists()
    assert alive.exists()
    assert other.exists()


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "is empty; do this"),
        (b'{"a": ', "is cut or damaged (6 bytes)"),
        (b"[" * 10_000, "is cut or damaged (10000 bytes)"),
        (b"[]", "is changed or damaged (it is no JSON object); do this"),
        (b"{}", "is changed or damaged (it lacks 'a'); do this"),
    ],
)
def test_spoilt_json_is_named_with_the_next_step(
    tmp_path: Path, content: bytes, expected: str
) -> None:
    file = tmp_path / "metrics.json"
    file.write_bytes(content)
    with pytest.raises(InputError) as refused:
        read_json(file, "do this", needs=("a",))
    assert expected in str(refused.value)


def test_flipped_bit_and_missing_digest_are_noticed(tmp_path: Path) -> None:
    file = tmp_path / "a.npy"
    file.write_bytes(b"content")
    assert not is_as_written(file)
    write_digest(file)
    assert is_as_written(file)
    file.write_bytes(b"cantent")
    os.utime(file, ns=(1, 1))
    assert not is_as_written(file)


def test_file_that_is_read_is_never_written(tmp_path: Path) -> None:
    table, link, hard = (tmp_path / name for name in ("t.csv", "link.csv", "hard.csv"))
    table.write_text("check,where,message\n")
    link.symlink_to(table)
    hard.hardlink_to(table)
    for path in (table, link, hard, tmp_path / "." / "t.csv"):
        with pytest.raises(InputError, match="this command reads it"):
            check_output_file(path, mark=b"check,", read=[None, table])


def test_own_output_is_replaced_and_nothing_else_is(tmp_path: Path) -> None:
    own, foreign, empty = (tmp_path / name for name in ("own.csv", "foreign.csv", "empty.csv"))
    own.write_text("check,where,message\n")
    foreign.write_text("patient,age\n1,2\n")
    empty.write_text("")
    for path in (own, empty, tmp_path / "new.csv"):
        check_output_file(path, mark=b"check,where")
    with pytest.raises(InputError, match="did not write it"):
        check_output_file(foreign, mark=b"check,where")
    with pytest.raises(InputError, match="it is a folder"):
        check_output_file(tmp_path, mark=b"")
    with pytest.raises(InputError, match="a picture's name ends in"):
        check_picture_file(foreign)


def test_a_result_that_replaces_another_says_so_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table, text = tmp_path / "table1.csv", tmp_path / "table1.md"

    def run(content: str) -> str:
        for file in (table, text):
            check_output_file(file, mark=b"a,b")
        for file in (table, text):
            write_text(file, f"a,b\n{content}\n")
        return capsys.readouterr().err

    assert run("1,2") == ""
    os.utime(table, (0, 1_700_000_000))
    first = file_sha256(table)
    assert run("1,2") == ""
    os.utime(table, (0, 1_700_000_000))
    said = run("1,3").splitlines()
    assert len(said) == 1
    assert re.fullmatch(
        rf"note: {table} replaced another result, of 2023-11-\d\d \d\d:\d\d, SHA-256 {first[:8]}…",
        said[0],
    )
    write_text(table, "a,b\n1,4\n")  # the state of a run: nobody asked whether it is a result
    assert capsys.readouterr().err == ""


def test_a_place_below_a_file_is_refused_before_anything_is_computed(tmp_path: Path) -> None:
    (tmp_path / "cohort.h5").write_text("mine")
    with pytest.raises(InputError, match=r"cohort\.h5 is a file; name a folder"):
        check_output_file(tmp_path / "cohort.h5/leads.csv", mark=b"leads")


@pytest.mark.parametrize(
    "command",
    ["report RUN --cohort STORE --out OUT/new/r", "explain RUN --cohort STORE --out OUT/new/e",
     "lock RUN --cohort STORE --out OUT/m.safetensors", "stress MODEL --cohort STORE --out OUT/s"],
)  # fmt: skip
def test_a_folder_without_rights_is_refused_before_anything_is_computed(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setattr(os, "access", lambda path, _: Path(path) != tmp_path)
    assert main(command.replace("OUT", str(tmp_path)).split()) == 2
    assert f"the folder {tmp_path} is read-only for you" in error_of(capsys)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["patients.csv", "T.XLSX", "last.ckpt"])
def test_a_store_takes_no_name_of_another_kind_of_file(name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"a file such as .*h5, got .*: other programs would"):
        check_output(tmp_path / name)
