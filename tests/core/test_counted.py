import ast
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from lsemvae.core.counted import counted

PROGRAM = Path(__file__).parents[2]
NOUNS = (
    "patients|recordings|records|runs|jobs|rows|cells|columns|epochs|heads|trials|files|lines|exams|"
    "predictions|scores|draws|warnings|labels|shards|networks"
)
BARE = re.compile(rf" (?:other |listed |labelled |more )?(?:{NOUNS})\b")
A_NUMBER = re.compile(
    r"^(?!counted\().*(?:\bn_|\blen\(|\bcounts?\b|\.sum\(|nunique\(|total\(|epochs\b|\bn\b)"
)
CONSTANT = re.compile(r"[A-Z_.]+|self\.n_heads|n_folds|warmup_epochs")  # n_folds is 2 at least


@pytest.mark.parametrize(
    ("number", "words", "said"),
    [
        (1, ("patient",), "1 patient"),
        (0, ("patient",), "0 patients"),
        (1442, ("recording",), "1,442 recordings"),
        (1, ("record has", "records have"), "1 record has"),
        (2, ("record has", "records have"), "2 records have"),
    ],
)
def test_one_is_no_plural(number: int, words: tuple[str, ...], said: str) -> None:
    assert counted(number, *words) == said


def _bare_counts(source: str) -> Iterator[str]:
    """Yield the counts of f-strings that a plural follows whatever the count."""
    for text in ast.walk(ast.parse(source)):
        parts = text.values if isinstance(text, ast.JoinedStr) else []
        for number, after in pairwise(parts):
            if isinstance(number, ast.FormattedValue) and isinstance(after, ast.Constant):
                expression = ast.unparse(number.value)
                is_bare = A_NUMBER.search(expression) and BARE.match(str(after.value))
                if is_bare and not CONSTANT.fullmatch(expression):
                    yield f"{{{expression}}}{after.value}"


def test_a_bare_count_before_a_plural_is_found() -> None:
    assert list(_bare_counts('f"{len(rows)} records lack a label"')) == [
        "{len(rows)} records lack a label"
    ]
    assert not list(_bare_counts("f\"{counted(n, 'record')} of {LIMIT} rows\""))


def test_no_message_says_1_patients() -> None:
    files = [
        file for room in ("lsemvae", "data_modules") for file in PROGRAM.glob(f"{room}/**/*.py")
    ]
    found = [f"{file.name}: {each}" for file in files for each in _bare_counts(file.read_text())]
    assert found == [], "write these with lsemvae.core.counted"


def test_no_text_leaves_the_plural_to_the_reader() -> None:
    left = re.compile(r"\b(?!Error)[A-Za-z]{3,}\(s\)")  # Error(s): torch's words, not ours
    files = [
        file for room in ("lsemvae", "data_modules") for file in PROGRAM.glob(f"{room}/**/*.py")
    ]
    found = [
        f"{file.name}: {text.value}"
        for file in files
        for text in ast.walk(ast.parse(file.read_text()))
        if isinstance(text, ast.Constant) and left.search(str(text.value))
    ]
    assert found == [], "write these with lsemvae.core.counted"
