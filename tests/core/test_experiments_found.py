"""Experiment files are found wherever the package stands."""

from pathlib import Path

import pytest

from lsemvae.core import experiments
from lsemvae.core.errors import InputError
from lsemvae.core.experiments import experiment


def test_file_is_found_from_any_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert experiment("demo/pretrain.yaml").is_file()


def test_files_of_an_installed_package_come_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in ("wheel", "checkout"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "x.yaml").touch()
    monkeypatch.setattr(experiments, "PLACES", (tmp_path / "wheel", tmp_path / "checkout"))
    assert experiment("x.yaml").parent.name == "wheel"


def test_missing_file_is_named() -> None:
    with pytest.raises(InputError, match=r"experiments/pretrain/none.yaml is not part"):
        experiment("pretrain/none.yaml")
