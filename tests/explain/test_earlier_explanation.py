from pathlib import Path

import pytest

from lsemvae.core.sealed_json import write_json
from lsemvae.explain.files import NUMBERS, PICTURES, remove_earlier


@pytest.mark.parametrize("damage", ["", "[]", '{"pictures": 5', '{"content_sha256": "0"}'])
def test_a_damaged_explanation_is_replaced_with_a_word(
    tmp_path: Path, damage: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / NUMBERS).write_text(damage)
    (tmp_path / "leads.png").write_bytes(b"")
    remove_earlier(tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert f"{NUMBERS} is" in capsys.readouterr().out


def test_a_list_of_pictures_removes_no_file_of_others(tmp_path: Path) -> None:
    out, others = tmp_path / "out", tmp_path / "record_a.png"
    out.mkdir()
    kept = [others, out / "holiday.png"]
    for file in (*kept, out / "record_b.svg"):
        file.write_bytes(b"")
    write_json(out / NUMBERS, {PICTURES: ["holiday", "../record_a", "record_b", 5]})
    remove_earlier(out)
    assert sorted([others, *out.iterdir()]) == sorted(kept)
