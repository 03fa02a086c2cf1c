"""Shell completion knows every command and every option, and needs no torch."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from jsonargparse import ArgumentParser, capture_parser

from lsemvae.cli import main
from lsemvae.command_table import COMMANDS, LIGHTNING
from lsemvae.commands.completion import LIGHTNING_OPTIONS, command_options, completion_script

COMPLETE = """
source {script}
COMP_WORDS=({words})
COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
_lsemvae
echo "${{COMPREPLY[@]}}"
"""


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("completion") / "lsemvae.bash"
    file.write_text(completion_script("bash"))
    return file


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("lsemvae ben", ["benchmark"]),
        (
            "lsemvae prepare ''",
            [
                "mimic",
                "cohort",
                "archive",
                "mimic-rhc",
                "ptbxl",
                "code15",
                "echonext",
                "cinc2021",
                "chapman",
            ],
        ),
        ("lsemvae prepare cohort --tab", ["--table"]),
        ("lsemvae prepare cohort --signal.seg", ["--signal.segment"]),
        ("lsemvae prepare cohort --signal.segment ''", ["record", "median_beat"]),
        ("lsemvae explain --method grad", ["gradient_shap"]),
        ("lightning fit --ckpt", ["--ckpt_path"]),
        ("lsemvae completion ''", ["bash", "zsh", "fish"]),
        ("lsemvae help ben", ["benchmark"]),
        ("lsemvae help check ''", ["cohort", "tables"]),
        ("lsemvae help cv --", []),
        ("lsemvae completion --sh", ["--shell"]),
        ("lsemvae view rec", []),
    ],
)
def test_bash_completes(script: Path, words: str, expected: list[str]) -> None:
    text = COMPLETE.format(script=script, words=words)
    found = subprocess.run(["bash", "-uc", text], capture_output=True, text=True, check=True)
    assert found.stdout.split() == expected
    assert found.stderr == ""


@pytest.mark.skipif(shutil.which("zsh") is None, reason="zsh is not installed")
def test_zsh_reads_the_script(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", "zsh"]) == 0
    file = tmp_path / "_lsemvae"
    file.write_text(capsys.readouterr().out)
    text = f"source {file}; print -r -- ${{_comps[lsemvae]}}"
    found = subprocess.run(["zsh", "-fc", text], capture_output=True, text=True, check=True)
    assert "_lsemvae" in found.stdout


@pytest.mark.skipif(shutil.which("fish") is None, reason="fish is not installed")
@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("lsemvae ben", ["benchmark"]),
        ("lsemvae check ", ["cohort", "tables"]),
        ("lsemvae prepare cohort --signal.seg", ["--signal.segment"]),
        ("lsemvae prepare cohort --signal.bad_leads ", ["mask", "reject"]),
        ("lsemvae help leaderboard b", ["build"]),
        ("lsemvae help cv --", []),
    ],
)
def test_fish_completes(line: str, expected: list[str], tmp_path: Path) -> None:
    file = tmp_path / "lsemvae.fish"
    file.write_text(completion_script("fish"))
    text = f"source {file}; cd (mktemp -d); complete -C {line!r}"
    found = subprocess.run(["fish", "-Nc", text], capture_output=True, text=True, check=True)
    assert found.stdout.split() == expected
    assert found.stderr == ""


@pytest.mark.parametrize("name", [name for name in COMMANDS if name not in LIGHTNING])
def test_options_are_those_of_the_parser(name: str) -> None:
    parser = capture_parser(lambda: main([*name.split(" "), "--out", "x"]))
    known = {option for action in parser._actions for option in action.option_strings}
    leaves = {option for option in known if option.startswith("--") and option[-1] != "+"}
    found = set(command_options(name))
    assert found <= leaves
    assert leaves - found <= {"--print_config", *_groups(found)}


def test_options_of_lightning_are_those_of_its_parser() -> None:
    from lsemvae.runtime.suggestion import option_names

    seen: list[ArgumentParser] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "lsemvae.lightning_cli.option_names", lambda parser: seen.append(parser) or []
        )
        assert main(["fit", "--nonsense", "1"]) == 2
    assert set(LIGHTNING_OPTIONS) <= set(option_names(seen[0]))  # type: ignore[arg-type]


def test_completion_imports_no_torch() -> None:
    code = (
        "import sys; from lsemvae.cli import main; main(['completion', 'bash']);"
        "sys.exit('torch' in sys.modules or 'lightning' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert done.returncode == 0


def _groups(options: set[str]) -> set[str]:
    """Return the settings objects that dotted options belong to: they take a file."""
    return {option.split(".")[0] for option in options if "." in option}
