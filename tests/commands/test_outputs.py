"""No command writes over what it reads, or over somebody else's file."""

import shutil
from pathlib import Path

import pytest

from lsemvae.cli import main
from lsemvae.evaluation.tables import paper
from tests.conftest import error_of


@pytest.fixture
def files(recordings: Path, cohort: Path, tmp_path: Path) -> Path:
    """Return a folder with a table, a store, a published table, notes, a page and a record."""
    shutil.copy(recordings / "cohort/cohort.csv", tmp_path / "table.csv")
    shutil.copy(cohort, tmp_path / "store.h5")
    published = next(Path(paper.__file__).parent.glob("paper_tables/table1.csv"))
    shutil.copy(published, tmp_path / "published.csv")
    (tmp_path / "published.md").write_text("my notes\n")
    (tmp_path / "index.html").write_text("<p>my page</p>\n")
    for part in sorted((recordings / "cohort/records").rglob("*.*"))[:2]:
        shutil.copy(part, tmp_path / part.name)
    return tmp_path


CASES = [
    ("check cohort --table table.csv --out table.csv", "this command reads it"),
    ("check cohort --store store.h5 --out store.h5", "this command reads it"),
    ("check cohort --store store.h5 --out table.csv", "did not write it"),
    ("check tables --table1 published.csv --out published.csv", "this command reads it"),
    ("check tables --out published.csv", "did not write it"),
    ("table1 --cohort store.h5 --out table", "did not write it"),
    ("table1 --cohort store.h5 --out published", "did not write it"),
    ("plan --prevalence 0.5 --auroc 0.8 --out published", "did not write it"),
    ("view store.h5:0 --out table.csv", "a picture's name ends in"),
    ("view store.h5:0 --out store.h5", "a picture's name ends in"),
    ("prepare cohort --table table.csv --source . --out table.csv", "no store of this program"),
]


@pytest.mark.parametrize(("command", "expected"), CASES, ids=[case[0] for case in CASES])
def test_users_files_stay_as_they_are(
    files: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: str,
    expected: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(files)
    before = contents(files)
    assert main(command.split()) == 2
    assert expected in error_of(capsys)
    assert contents(files) == before


def contents(folder: Path) -> dict[str, bytes]:
    """Return every file of a folder."""
    return {file.name: file.read_bytes() for file in folder.iterdir() if file.is_file()}


@pytest.mark.parametrize(
    "command",
    [
        "check tables --out found.csv",
        "plan --prevalence 0.5 --auroc 0.8 --out plan",
        "table1 --cohort store.h5 --out mine",
    ],
)
def test_own_outputs_are_replaced(
    files: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.chdir(files)
    assert main(command.split()) == 0
    assert main(command.split()) == 0
