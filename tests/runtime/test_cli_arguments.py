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
        (one, ["a.yaml", "--name", "x"], ["--name", "x", "--file=a.yaml"]),
        (one, ["--name", "x", "a.yaml"], ["--name", "x", "--file=a.yaml"]),
        (one, ["--name=x", "a.yaml"], ["--name=x", "--file=a.yaml"]),
        (one, ["--file", "a.yaml"], ["--file", "a.yaml"]),
        (one, ["--deep"], ["--deep=true"]),
        (one, ["--deep", "--name", "x"], ["--deep=true", "--name", "x"]),
        (one, ["--deep", "false"], ["--deep", "false"]),
        (one, ["--deep", "False"], ["--deep", "false"]),
        (one, ["--deep", "null"], ["--deep", "null"]),
        (one, ["--deep", "--Name"], ["--deep=true", "--Name"]),
        (one, ["--deep=false"], ["--deep=false"]),
        (then_many, ["m", "a", "b c"], ["--model=m", '--files=["a", "b c"]']),
        (then_many, ["m", "--deep", "true", "a"], ["--deep", "true", "--model=m", '--files=["a"]']),
        (then_many, ["--model", "m", "a"], ["--model", "m", '--files=["a"]']),
        (then_many, ["m", "--deep"], ["--deep=true", "--model=m"]),
        (many, ["--runs", "a", "--pdf"], ["--runs", '["a"]', "--pdf=true"]),
        (many, ["--runs=6"], ["--runs=[6]"]),
        (many, ["--runs", "[a, b]"], ["--runs", "[a, b]"]),
        (many, ["a", "b c", "--pdf"], ["--pdf=true", '--runs=["a", "b c"]']),
    ],
)
def test_names_and_values_that_were_left_out(
    command: object, given: list[str], meant: list[str]
) -> None:
    assert spell_out(command, given) == meant


@pytest.mark.parametrize(
    ("command", "given", "expected"),
    [
        ("table1", "--tasks [a, b] --cohort c.h5", "in quotes: --tasks '[a, b]'"),
        ("table1", "--tasks a b --cohort c.h5", "in quotes: --tasks '[a, b]'"),
        ("cv", "--leads I, II, V1 --cohort c.h5", "in quotes: --leads '[I, II, V1]'"),
        ("prepare cohort", "t.csv --columns {a: b} --out o", "in quotes: --columns '{a: b}'"),
        ("report", "runs --title My study", "'study' is one word too many; options begin with"),
        ("external", "m.safetensors c.h5", "'c.h5' is one word too many; did you mean --cohort c"),
        ("cv", "detection c.h5", "'c.h5' is one word too many; did you mean --cohort c.h5?"),
        ("prepare cohort", "t.csv in out", "'in' is one word too many; did you mean --source in?"),
        ("demo", "x", "'x' is one word too many"),
        ("encoders", "x", "this command takes options only"),
        ("view", "c.h5 r1", "did you mean c.h5:r1?"),
        ("cv", "cohort=c.h5", "an option begins with two hyphens: --cohort=c.h5"),
        ("cv", "-cohort c.h5", "did you mean --cohort?"),
        ("cv", "\N{EN DASH}cohort c.h5", "begins with a long dash; type two hyphens: --cohort"),
        ("fit", "\N{EM DASH}config c", "begins with a long dash; type two hyphens: --config"),
    ],
)
def test_a_word_without_a_place_is_told_where_it_may_belong(
    command: str, given: str, expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*command.split(), *given.split()]) == 2
    assert expected in error_of(capsys)


def test_a_file_of_an_option_that_is_no_utf_8_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "signal.txt"
    file.write_text("segment: é", encoding="latin-1")
    archive = ["prepare", "archive", "--source", str(tmp_path), "--out", str(tmp_path / "a.h5")]
    for option in (["--signal", str(file)], [f"--signal={file}"]):
        assert main([*archive, *option]) == 2
        assert f"{file} is not written in UTF-8; save it as UTF-8" in error_of(capsys)
