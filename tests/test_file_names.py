"""Files of tests are told apart by their names where folders are no packages."""

from collections import Counter

from tests.conftest import ROOT


def test_no_file_of_tests_hides_another() -> None:
    files = [
        file for file in (ROOT / "tests").rglob("test_*.py")
        if not (file.parent / "__init__.py").exists()
    ]  # fmt: skip
    assert len(files) > 100
    assert [name for name, count in Counter(file.name for file in files).items() if count > 1] == []
