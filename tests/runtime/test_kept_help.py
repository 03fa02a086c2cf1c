"""The help of fit is made once, and again when the program changes."""

from pathlib import Path

import pytest

from lsemvae import lightning_cli
from lsemvae.cli import main
from lsemvae.runtime import kept_help


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[list[str]]:
    """Return the commands whose help was made, by a stand-in for LightningCLI."""
    calls: list[list[str]] = []

    def stand_in(arguments: list[str]) -> None:
        calls.append(arguments)
        print(f"usage: names of options\n\n{arguments[0]}, number {len(calls)}")
        raise SystemExit(0)

    monkeypatch.setattr(lightning_cli, "run_lightning", stand_in)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return calls


def test_help_is_made_once(made: list[list[str]], capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["fit", "--help"], ["fit", "-h"], ["test", "--help"]):
        assert main(words) == 0
    said = [line for line in capsys.readouterr().out.splitlines() if ", number " in line]
    assert said == ["fit, number 1", "fit, number 1", "test, number 2"]
    assert made == [["fit", "--help"], ["test", "--help"]]


def test_help_is_made_again_when_the_program_changes(
    made: list[list[str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "module.py").write_text("a = 1")
    monkeypatch.setattr(kept_help, "SOURCES", (source,))
    assert main(["fit", "--help"]) == 0
    (source / "module.py").write_text("a = 10")
    assert main(["fit", "--help"]) == 0
    assert len(made) == 2
    assert len(list((tmp_path / "lsemvae").iterdir())) == 1


def test_a_home_that_cannot_be_written_gets_its_help(
    made: list[list[str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert main(["fit", "--help"]) == 0
    assert "fit, number 1" in capsys.readouterr().out


def test_first_screen_says_what_to_type_and_all_options_follow(
    made: list[list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    for name, word in (("fit", "last"), ("test", "FILE.ckpt")):
        assert main([name, "--help"]) == 0
        screen = capsys.readouterr().out.splitlines()
        assert screen[0] == f"usage: lsemvae {name} --config FILE.yaml [--OPTION VALUE ...]"
        assert any("--ckpt_path" in line and word in line for line in screen[:14])
        assert "usage: names of options" not in screen
        assert screen[-1].startswith(f"{name}, number")
    assert len(screen) < 25


def test_other_words_are_not_kept(made: list[list[str]]) -> None:
    for _ in range(2):
        with pytest.raises(SystemExit):
            main(["fit", "--trainer.help", "--help"])
    assert len(made) == 2


def test_fit_says_where_its_checkpoint_lies_and_takes_a_bare_switch(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    given: list[list[str]] = []

    def stand_in(arguments: list[str]) -> Path:
        given.append(arguments)
        return Path("runs/a/last.ckpt")

    monkeypatch.setattr(lightning_cli, "run_lightning", stand_in)
    assert (
        main(["fit", "--overwrite", "--allow_leakage", "False", "--trainer.max_epochs", "1"]) == 0
    )
    assert capsys.readouterr().out == "checkpoint: runs/a/last.ckpt\n"
    options = ["--overwrite=true", "--allow_leakage", "false", "--trainer.max_epochs", "1"]
    assert given == [["fit", *options]]
