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
        print(f"usage: {arguments[0]}, number {len(calls)}")
        raise SystemExit(0)

    monkeypatch.setattr(lightning_cli, "run_lightning", stand_in)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return calls


def test_help_is_made_once(made: list[list[str]], capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["fit", "--help"], ["fit", "-h"], ["test", "--help"]):
        assert main(words) == 0
    first, second, other = capsys.readouterr().out.splitlines()
    assert first == second == "usage: fit, number 1"
    assert other == "usage: test, number 2"
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
    assert "usage: fit" in capsys.readouterr().out


def test_other_words_are_not_kept(made: list[list[str]]) -> None:
    for _ in range(2):
        with pytest.raises(SystemExit):
            main(["fit", "--trainer.help", "--help"])
    assert len(made) == 2
