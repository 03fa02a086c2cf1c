import os
from pathlib import Path

import pytest

from data_modules.reading.stored.read import list_records
from lsemvae.core.errors import InputError
from lsemvae.core.instead import (
    finished_run,
    found_instead,
    packed_inside,
    run_below,
    source_folder,
)
from lsemvae.predicting.sources import sources_in


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/ann")
    (tmp_path / "data").mkdir()
    (tmp_path / "data/cohort.h5").touch()
    return tmp_path


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("data", "it is a folder; in it is data/cohort.h5"),
        (".", "it is a folder; in it is data/cohort.h5"),
        ("/dev/null", "it is a device or a pipe, not a file"),
        ("data/chort.h5", "did you mean data/cohort.h5?"),
        ("data/cohort", "did you mean data/cohort.h5?"),
        ("data/COHORT.h5", "did you mean data/cohort.h5?"),
        ("~/data/cohort.h5", "~ is not replaced here; write /home/ann/data/cohort.h5"),
        ("data\\cohort.h5", "folders are separated by / here; write data/cohort.h5"),
        ("C:\\c.h5", "folders are separated by / here; write the path as this machine has it"),
        ("$DATA/cohort.h5", "$DATA is not replaced here; write the path in full"),
        ("${oc.env:DATA}/c.h5", "${oc.env:DATA} is not replaced here; write the path in full"),
    ],
)
def test_what_was_meant_by_a_path_is_named(study: Path, path: str, said: str) -> None:
    assert found_instead(path, ".h5") == f" ({said})"


def test_a_folder_beside_a_file_of_its_name_leads_to_the_file(study: Path) -> None:
    (study / "data/cohort").mkdir()
    assert found_instead("data/cohort", ".h5") == (
        " (it is a folder; did you mean data/cohort.h5?)"
    )
    assert found_instead("data/cohort", folder=True) == ""


def test_a_relative_path_is_looked_for_in_a_named_folder(study: Path) -> None:
    assert found_instead("runs/cv", folder=True) == f" (looked for in {study})"
    assert found_instead(study / "other/thing.h5") == ""


def test_a_file_where_a_folder_is_wanted_names_its_folder(study: Path) -> None:
    file = "data/cohort.h5"
    assert found_instead(file, folder=True) == " (it is a file; the folder that holds it is data)"
    assert found_instead(file) == ""
    assert found_instead("dta", folder=True) == " (did you mean data?)"
    (study / "data/records.ZIP").touch()
    assert found_instead("data/records.ZIP", folder=True) == " (it is packed; unpack it first)"
    assert packed_inside(study / "data") == "; records.ZIP in it is packed: unpack it"
    assert packed_inside(study) == ""


def test_a_finished_run_below_a_folder_is_named(study: Path) -> None:
    assert run_below(study) == "runs/cv/detection/ls_emvae/12L"
    run = study / "runs/cv/phenotype/mvae/6L"
    run.mkdir(parents=True)
    (run / "predictions.csv").touch()
    assert run_below(study / "runs/cv") == str(run)
    assert finished_run(run) == run
    assert finished_run(study / "data") is None


def test_a_folder_without_rights_is_refused_and_not_taken_as_empty(
    study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = study / "data/closed"
    closed.mkdir()
    listed = os.scandir

    def refuse(path: str) -> object:
        if Path(path) == closed:
            raise PermissionError(13, "Permission denied", str(path))
        return listed(path)

    monkeypatch.setattr(os, "scandir", refuse)
    monkeypatch.setattr(os, "access", lambda path, _: Path(path) != closed)
    says = "closed cannot be read .Permission denied.; get the rights to it"
    for look in (lambda: source_folder(str(closed), "the recordings"),
                 lambda: list_records(study / "data"),
                 lambda: list(sources_in(study / "data"))):  # fmt: skip
        with pytest.raises(InputError, match=says):
            look()
