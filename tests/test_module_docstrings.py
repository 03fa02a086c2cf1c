"""Hold every module's first sentence to the form: a plain imperative."""

import ast
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent
ROOMS = ("benchmarks", "data_modules", "docker", "docs", "lsemvae")

# Every verb that a module begins with. A new one is added here, in its base form.
VERBS = """
Act Anneal Apply Bootstrap Bound Build Carry Change Check Choose Clean Compare Compute
Convert Count Cross-validate Cut Damage Decode Define Describe Draw Encode Evaluate Explain
Export Filter Find Fit Follow Fuse Fuzz Gather Give Hash Hold Import Index Join Judge Keep
Kill Label Learn Let List Load Lock Log Make Mark Measure Name Open Parse Pool Pre-train
Predict Print Probe Put Read Recalibrate Refuse Run Save Say Scale Seal Search Settle Share
Show Shuffle Silence Simulate Spell State Suggest Take Tell Time Train Translate Turn Walk
Write
"""


def _first_sentence(source: str) -> str:
    """Return the first line of a module's docstring; empty where there is none."""
    return (ast.get_docstring(ast.parse(source)) or "").split("\n")[0]


def _is_plain_imperative(sentence: str) -> bool:
    """Say whether a sentence begins with a known verb and ends as a sentence does."""
    first_word = sentence.split(" ", maxsplit=1)[0].rstrip(",")
    return first_word in VERBS.split() and sentence.endswith(".")


@pytest.mark.parametrize("room", ROOMS)
def test_every_module_says_what_it_does_in_one_plain_imperative_sentence(room: str) -> None:
    sentences = {
        path.relative_to(REPOSITORY).as_posix(): _first_sentence(path.read_text(encoding="utf-8"))
        for path in sorted((REPOSITORY / room).rglob("*.py"))
    }
    assert sentences
    assert {
        name: sentence for name, sentence in sentences.items() if not _is_plain_imperative(sentence)
    } == {}


@pytest.mark.parametrize(
    "riddle",
    [
        "What every network promises.",
        "The lock of a store.",
        "A recording as read.",
        "Where is it written?",
        "`lsemvae cv`: cross-validate a method.",
        "Cleaning: order, faults, length.",
        "Numbers of a summary.",
        "Read a file",
        "",
    ],
)
def test_a_riddle_is_no_plain_imperative(riddle: str) -> None:
    assert not _is_plain_imperative(riddle)
