"""Two processes do not write into one folder or one journal."""

from pathlib import Path

import pytest

from lsemvae.cli import main
from lsemvae.core.errors import InputError
from lsemvae.core.one_writer import writing_alone
from lsemvae.predicting.journal import RowJournal
from lsemvae.predicting.outcome import Row
from tests.conftest import error_of


def test_a_folder_has_one_writer_and_keeps_no_lock(tmp_path: Path) -> None:
    folder = tmp_path / "runs/a"
    with writing_alone(folder):
        with (
            pytest.raises(InputError, match=r"another process writes into .*runs/a"),
            writing_alone(folder),
        ):
            pass
        with writing_alone(tmp_path / "runs/b"):
            pass
    with writing_alone(folder):
        assert not list(folder.iterdir())


def test_the_lock_ends_with_what_went_wrong(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="broken"), writing_alone(tmp_path):
        raise ValueError("broken")
    with writing_alone(tmp_path):
        pass


COMMANDS = {
    "report": "runs --out OUT",
    "external": "m.safetensors --cohort c.h5 --out OUT",
    "stress": "m.safetensors --cohort c.h5 --out OUT",
    "worth": "--encoder ENCODER --cohort COHORT --leads 6 --out OUT",
    "benchmark": "--cohort COHORT --methods resnet1d --tasks detection --out OUT",
}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_second_command_into_one_folder_is_refused(
    command: str, cohort: Path, encoder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words, out = COMMANDS[command], tmp_path / "out"
    for name, path in {"COHORT": cohort, "ENCODER": encoder, "OUT": out}.items():
        words = words.replace(name, str(path))
    with writing_alone(out / "detection/worth/6L" if command == "worth" else out):
        assert main([command, *words.split()]) == 2
    assert "another process writes into" in error_of(capsys)


def test_a_journal_has_one_writer(tmp_path: Path) -> None:
    journal = RowJournal(tmp_path / "p.csv.journal", "key", {"a": "1"})
    with journal, pytest.raises(InputError, match="another process writes into"):
        RowJournal(journal.path, "key", {"a": "1"}).__enter__()


def test_a_journal_is_not_read_on_from_a_flipped_bit(tmp_path: Path) -> None:
    """Its numbers would be results; what follows is done again."""
    path, identities = tmp_path / "p.csv.journal", {"a": "1", "b": "2", "c": "3"}
    rows = [Row(name, "result", probability=0.25) for name in identities]
    with RowJournal(path, "key", identities) as journal:
        journal.add(rows)
    content = path.read_bytes()
    path.write_bytes(content.replace(b"0.25", b"0.75", 2).replace(b"0.75", b"0.25", 1))
    with RowJournal(path, "key", identities) as journal:
        assert journal.done == {"a"}
        assert [row.probability for row in journal.rows()] == [0.25]
        journal.add(rows[1:])
    assert path.read_bytes() == content
