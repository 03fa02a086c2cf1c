import os
from collections.abc import Callable
from pathlib import Path

import pytest

from data_modules.public_sets.snomed import headers_below
from data_modules.reading.stored.read import list_records
from lsemvae.core.errors import InputError
from lsemvae.core.walking import walk_folder
from lsemvae.predicting.sources import sources_in


@pytest.fixture
def close_folder(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], None]:
    def close(closed: Path) -> None:
        closed.mkdir(exist_ok=True)
        listed = os.scandir

        def refuse(path: str) -> object:
            if Path(path) == closed:
                raise PermissionError(13, "Permission denied", str(path))
            return listed(path)

        monkeypatch.setattr(os, "scandir", refuse)

    return close


def test_the_closed_lost_and_found_of_a_disk_is_told_and_the_rest_is_found(
    tmp_path: Path, close_folder: Callable[[Path], None], capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "later").mkdir()
    (tmp_path / "later/one.hea").touch()
    close_folder(tmp_path / "lost+found")
    assert [source.path.name for source in sources_in(tmp_path)] == ["one"]
    assert list_records(tmp_path) == ["later/one"]
    assert headers_below(tmp_path) == [tmp_path / "later/one.hea"]
    note = f"note: {tmp_path}/lost+found cannot be read and is left out: the system keeps it\n"
    assert capsys.readouterr().err == note * 3


@pytest.mark.parametrize("name", ["lost", "lost+found.old"])
def test_any_other_closed_folder_is_refused(
    tmp_path: Path, close_folder: Callable[[Path], None], name: str
) -> None:
    close_folder(tmp_path / name)
    for walk in (walk_folder, sources_in, list_records, headers_below):
        with pytest.raises(InputError, match="cannot be read"):
            list(walk(tmp_path))


def test_a_closed_lost_and_found_that_is_named_itself_is_refused(
    tmp_path: Path, close_folder: Callable[[Path], None]
) -> None:
    close_folder(tmp_path / "lost+found")
    with pytest.raises(InputError, match=r"lost\+found cannot be read"):
        list(walk_folder(tmp_path / "lost+found"))
