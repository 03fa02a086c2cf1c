"""Two processes do not write into one folder."""

from pathlib import Path

import pytest

from lsemvae.core.errors import InputError
from lsemvae.core.one_writer import writing_alone


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
