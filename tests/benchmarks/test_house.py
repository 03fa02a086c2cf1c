import re
from pathlib import Path

import pytest

from benchmarks.house import (
    PACKAGES,
    PAGE,
    PROGRAM,
    ROOT,
    circles,
    extensions_of,
    found_by_name,
    markdown,
    rooms,
    sizes_of,
    touched,
)
from benchmarks.pages import END, begin

MODULE = '''"""Add."""

import math


class Adder:
    """Add."""

    def add(self, a: int, b: int) -> int:
        """Return a + b."""

        def inner() -> int:
            return a

        return inner() + b

    def undocumented(self) -> None: ...

    def _private(self) -> float:
        return math.pi


def _helper() -> None:
    """Do nothing."""
'''


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """Return a package of two files: 24 lines with 5 functions, and an empty one."""
    (tmp_path / "adder.py").write_text(MODULE)
    (tmp_path / "__init__.py").write_text("")
    return tmp_path


def test_files_and_functions_are_counted_by_their_lines(package: Path) -> None:
    found = sizes_of(package)
    assert found.files == (0, 24)
    assert sorted(found.functions) == [1, 2, 2, 2, 7]


def test_public_docstrings_are_those_of_names_without_an_underscore(package: Path) -> None:
    found = sizes_of(package)
    # module, class, add and undocumented; `inner` stands in a function
    assert (found.documented, found.public) == (3, 4)


def test_modules_that_need_each_other_through_a_third_are_one_circle() -> None:
    chain = {"p.a.x": {"p.b.x"}, "p.b.x": {"p.c.x"}, "p.c.x": {"numpy"}, "p.c.y": set()}
    assert circles(chain) == 0
    assert circles(chain | {"p.c.x": {"p.a.x"}}) == 1
    # no module needs itself, but the rooms p.a and p.c need each other
    between_rooms = chain | {"p.c.y": {"p.a.x"}}
    assert circles(between_rooms) == 0
    assert circles(rooms(between_rooms)) == 1


def test_files_to_touch_are_the_rows_of_the_page() -> None:
    page = "# Add\n\n| a | b |\n|---|---|\n| no | no |\n\n## Put it into the project\n\n"
    assert touched(page + "| file | what |\n|---|---|\n| a.py | it |\n| b.py | its test |\n") == 2
    assert touched("# Add a data set\n") == 0


def test_ten_questions_are_answered_by_a_file_that_its_name_finds() -> None:
    found = found_by_name(ROOT)
    assert len(found) == 10
    assert all(right and n <= 25 for n, right in found.values()), found


def test_every_path_of_the_page_on_the_architecture_is_there() -> None:
    page = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    paths = re.findall(r"`((?:data_modules|lsemvae)/[^`]+)`", page)
    assert len(paths) > 15
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_the_page_is_in_the_form_of_the_program(package: Path) -> None:
    made = markdown(
        dict.fromkeys(PACKAGES, sizes_of(package)),
        (0, 0),
        extensions_of(PAGE.parent),
        found_by_name(ROOT),
    )
    shown = PAGE.read_text(encoding="utf-8").partition(begin(PROGRAM))[2].partition(END)[0]
    assert _without_numbers(shown) == _without_numbers(made)


def _without_numbers(text: str) -> list[str]:
    return re.sub(r"\d+", "N", text).strip().splitlines()
