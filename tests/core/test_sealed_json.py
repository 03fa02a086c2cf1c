import json
from pathlib import Path

import pytest

from lsemvae.core.errors import InputError
from lsemvae.core.sealed_json import FILES, SEAL, read_json, read_sealed, write_json

CONTENT = {"b": [1.5, None, "\u00e4"], "a": {"1": 1e-300}}


@pytest.fixture
def sealed(tmp_path: Path) -> Path:
    (tmp_path / "t.csv").write_text("a\n1\n")
    write_json(tmp_path / "f.json", CONTENT, ["t.csv"])
    return tmp_path / "f.json"


def test_a_sealed_file_is_read_as_it_was_written(
    sealed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert read_sealed(sealed, "again", files=["t.csv"]) == CONTENT
    write_json(sealed, {3: (1, 2)})  # type: ignore[dict-item]  # what JSON makes text and lists of
    assert read_json(sealed, "again") == {"3": [1, 2]}
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("change", [{"b": [1.6]}, {"c": 1}, {SEAL: "0" * 64}, {FILES: {}}])
def test_a_changed_content_is_refused(sealed: Path, change: dict[str, object]) -> None:
    sealed.write_text(json.dumps(json.loads(sealed.read_text()) | change))
    with pytest.raises(InputError, match=r"f\.json is not as it was written.*; do this"):
        read_json(sealed, "do this")


def test_a_name_of_the_digest_that_is_damaged_is_refused(sealed: Path) -> None:
    sealed.write_text(sealed.read_text().replace(SEAL, SEAL.replace("5", "7")))
    with pytest.raises(InputError, match="not as it was written"):
        read_json(sealed, "do this")


def test_spaces_and_the_order_of_names_are_no_change(sealed: Path) -> None:
    found = json.loads(sealed.read_text())
    sealed.write_text(json.dumps(dict(reversed(found.items()))))
    assert read_sealed(sealed, "again", files=[]) == CONTENT


@pytest.mark.parametrize("text", [None, "a\n2\n"])
def test_a_file_beside_it_that_is_gone_or_changed_is_refused(
    sealed: Path, text: str | None
) -> None:
    (sealed.parent / "t.csv").unlink()
    if text is not None:
        (sealed.parent / "t.csv").write_text(text)
    with pytest.raises(InputError, match=r"t\.csv is missing or not as it was written; do this"):
        read_sealed(sealed, "do this", files=["t.csv"])


def test_a_file_of_an_earlier_version_is_read_and_told(
    sealed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sealed.write_text('{"a": 1}')
    assert read_sealed(sealed, "run it again", files=["t.csv"]) == {"a": 1}
    said = capsys.readouterr().out
    assert f"{sealed} keeps no digest of t.csv" in said
    assert "run it again" in said


@pytest.mark.parametrize("text", [f'{{"{SEAL}": 1}}', f'{{"{FILES}": 1}}', f'{{"{SEAL}": NaN}}'])
def test_a_digest_that_is_none_is_refused(sealed: Path, text: str) -> None:
    sealed.write_text(text)
    with pytest.raises(InputError, match="not as it was written"):
        read_json(sealed, "again")
