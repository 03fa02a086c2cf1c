"""No command writes over what it reads, or over somebody else's file."""

import shutil
from pathlib import Path

import pytest

from lsemvae.cli import main
from lsemvae.evaluation.tables import paper
from tests.conftest import BEATS, error_of


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


@pytest.mark.parametrize(
    ("table", "more", "told"),
    [
        ("cohort.csv", [], "this command reads it"),
        ("table.csv", [], "no flow.json lies beside it, so this command did not write it"),
        ("table.csv", ["--key", "TABLE"], "is the table; name a file of its own"),
    ],
)
def test_link_neither_writes_over_a_table_nor_takes_it_for_its_key(
    table: str, more: list[str], told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / ("out" if more else ".")
    rows = b"record,patient_id,rhc_date\na,1,2020-01-01\n" * 3
    for name in ("cohort.csv", table):
        (tmp_path / name).write_bytes(rows)
    exports = tmp_path / "exports"
    exports.mkdir()
    link = ["link", "--source", str(exports), "--table", str(tmp_path / table), "--out", str(out)]
    given = [str(tmp_path / table) if word == "TABLE" else word for word in more]
    assert main([*link, *given]) == 2
    assert told in error_of(capsys)
    assert (tmp_path / "cohort.csv").read_bytes() == rows
    assert not (tmp_path / "exceptions.csv").exists()


@pytest.mark.parametrize(
    ("jobs", "told"), [("0", "jobs must be 1 or"), ("900", "jobs is 900, and")]
)
def test_link_starts_no_processes_that_the_machine_cannot_bear(
    jobs: str, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["--table", str(tmp_path / "t.csv"), "--out", str(tmp_path / "out"), "--jobs", jobs]
    assert main(["link", "--source", str(tmp_path), *given]) == 2
    assert told in error_of(capsys)
    assert list(tmp_path.iterdir()) == []


def test_a_store_of_other_recordings_is_kept(
    recordings: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, table = recordings / "cohort", tmp_path / "t.csv"
    header, *rows = (source / "cohort.csv").read_text().splitlines()
    out = tmp_path / "s.h5"
    prepare = ["prepare", "cohort", "--table", str(table), "--source", str(source / "records"),
               "--out", str(out), *BEATS]  # fmt: skip

    def run(part: list[str]) -> int:
        table.write_text("\n".join([header, *part]))
        return main(prepare)

    assert run(rows[:3]) == 0
    before = out.read_bytes()
    capsys.readouterr()
    assert run(rows[3:6]) == 2
    assert "is a store of 3 other recordings and would be lost" in error_of(capsys)
    assert out.read_bytes() == before
    assert run(rows[:3]) == 0
    assert "replaced another" not in capsys.readouterr().err
    assert run(rows[2:4]) == 0
    said = capsys.readouterr()
    assert "2 recordings of the 3 of" in said.out
    assert f"note: {out} replaced another result, of " in said.err


@pytest.mark.parametrize("place", ["", "/deeper"])
@pytest.mark.parametrize(
    "command", ["cv --method resnet1d --size small --leads I --cohort", "synthesize"]
)
def test_a_file_where_a_folder_is_needed_is_named(
    command: str, place: str, cohort: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("mine")
    words = [*command.split(), *([str(cohort)] if command.startswith("cv") else [])]
    assert main([*words, "--out", f"{file}{place}"]) == 2
    assert f"{file} is a file where a folder is needed" in error_of(capsys)
    assert file.read_text() == "mine"
