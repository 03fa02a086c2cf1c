"""Two processes do not write into one folder."""

import os
from pathlib import Path
from threading import Thread

import pytest

from lsemvae.cli import main
from lsemvae.core.errors import InputError
from lsemvae.core.one_writer import hold, writing_alone
from tests.held import unheld_files


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


def test_who_waits_writes_after_the_other(tmp_path: Path) -> None:
    wrote = []

    def write_next() -> None:
        with writing_alone(tmp_path, wait=True):
            wrote.append("second")

    second = Thread(target=write_next)
    with writing_alone(tmp_path):
        second.start()
        second.join(0.05)
        wrote.append("first")
    second.join()
    assert wrote == ["first", "second"]


def test_a_folder_that_nothing_was_written_into_is_removed_again(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="refused"), writing_alone(tmp_path / "runs/a"):
        raise InputError("refused")
    assert not list(tmp_path.iterdir())
    with writing_alone(tmp_path / "runs/b"):
        (tmp_path / "runs/b/table.csv").touch()
    assert (tmp_path / "runs/b/table.csv").exists()


def test_predictions_of_two_models_do_not_meet_in_one_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["external", "m.safetensors", "--cohort", "c.h5", "--out", str(tmp_path)]
    with writing_alone(tmp_path):
        assert main(arguments) == 2
    assert "another process writes into" in capsys.readouterr().err


SEVERAL_FILES = [
    "table1 --cohort COHORT --out OUT/t",
    "plan --prevalence 0.5 --auroc 0.8 --out OUT/p",
    "synthesize --out OUT/s --n_patients 12 --n_pretraining_patients 2",
]


@pytest.mark.parametrize("command", SEVERAL_FILES)
def test_the_files_of_a_result_are_of_one_run(
    command: str, cohort: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = command.replace("COHORT", str(cohort)).replace("OUT", str(tmp_path)).split()
    assert unheld_files(arguments, monkeypatch) == []
    assert len(list(tmp_path.rglob("*.csv"))) > 0


def test_who_waits_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with writing_alone(tmp_path):
        held = os.open(tmp_path, os.O_RDONLY)
        waiting = Thread(target=lambda: hold(held, tmp_path, wait=True))
        waiting.start()
        waiting.join(0.05)
    waiting.join()
    os.close(held)
    assert f"note: another process writes into {tmp_path}; waiting" in capsys.readouterr().err
