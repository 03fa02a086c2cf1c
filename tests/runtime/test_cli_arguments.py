"""What may be left out on the command line."""

from pathlib import Path

import pytest

from lsemvae.cli import main
from lsemvae.runtime.cli_arguments import spell_out
from tests.conftest import error_of


def one(file: str, *, deep: bool = False, name: str = "") -> None: ...


def many(runs: list[str] | None = None, *, pdf: bool = False) -> None: ...


def then_many(model: str, files: list[str], *, deep: bool = False) -> None: ...


@pytest.mark.parametrize(
    ("command", "given", "meant"),
    [
        (one, ["a.yaml", "--name", "x"], ["--file=a.yaml", "--name", "x"]),
        (one, ["--file", "a.yaml"], ["--file", "a.yaml"]),
        (one, ["--deep"], ["--deep=true"]),
        (one, ["--deep", "--name", "x"], ["--deep=true", "--name", "x"]),
        (one, ["--deep", "false"], ["--deep", "false"]),
        (one, ["--deep", "False"], ["--deep", "false"]),
        (one, ["--deep", "null"], ["--deep", "null"]),
        (one, ["--deep", "--Name"], ["--deep=true", "--Name"]),
        (one, ["--deep=false"], ["--deep=false"]),
        (then_many, ["m", "a", "b c"], ['--files=["a", "b c"]', "--model=m"]),
        (then_many, ["m", "--deep"], ["--model=m", "--deep=true"]),
        (many, ["--runs", "a", "--pdf"], ["--runs", '["a"]', "--pdf=true"]),
        (many, ["--runs=6"], ["--runs=[6]"]),
        (many, ["--runs", "[a, b]"], ["--runs", "[a, b]"]),
        (many, ["a", "b c", "--pdf"], ['--runs=["a", "b c"]', "--pdf=true"]),
    ],
)
def test_names_and_values_that_were_left_out(
    command: object, given: list[str], meant: list[str]
) -> None:
    assert spell_out(command, given) == meant


def test_a_word_too_many_is_left_for_the_parser_to_refuse() -> None:
    assert spell_out(one, ["a", "b"]) == ["b", "--file=a"]


def test_a_file_of_an_option_that_is_no_utf_8_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "signal.txt"
    file.write_text("segment: é", encoding="latin-1")
    archive = ["prepare", "archive", "--source", str(tmp_path), "--out", str(tmp_path / "a.h5")]
    for option in (["--signal", str(file)], [f"--signal={file}"]):
        assert main([*archive, *option]) == 2
        assert f"{file} is not written in UTF-8; save it as UTF-8" in error_of(capsys)
